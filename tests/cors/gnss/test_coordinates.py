"""Coordinates against PROJ."""

from __future__ import annotations

import numpy as np
import pyproj
from hypothesis import given
from hypothesis import strategies as st

from cors.gnss import coordinates as c

_TO_ECEF = pyproj.Transformer.from_crs("EPSG:4480", "EPSG:4479", always_xy=True)


@given(st.floats(-89.99, 89.99), st.floats(-180, 180), st.floats(-500, 9000))
def test_geodetic_to_ecef_and_back_agree_with_proj(latitude: float, longitude: float, height: float) -> None:
    expected = _TO_ECEF.transform(longitude, latitude, height)
    xyz = c.ecef_from_degrees(latitude, longitude, height)
    np.testing.assert_allclose(xyz, expected, atol=1e-8)
    back = c.geodetic_from_ecef(xyz)
    np.testing.assert_allclose(back[:2], np.radians([latitude, longitude]), atol=2e-15 * 6.4)
    assert abs(back[2] - height) < 2e-9 * 6.4


def test_local_axes() -> None:
    origin = c.ecef_from_degrees(28.2, 112.9, 60.0)
    north_of_it = c.ecef_from_degrees(28.2 + 1e-6, 112.9, 60.0)
    east, north, up = c.enu_from_ecef(north_of_it, origin)
    assert abs(east) < 1e-6 and abs(north - 0.1108) < 1e-3 and abs(up) < 1e-6
    azimuth, elevation = c.azimuth_elevation([c.ecef_from_degrees(28.2, 113.0, 50_000.0)], origin)
    assert abs(np.degrees(azimuth[0]) - 90.0) < 0.1 and 70 < np.degrees(elevation[0]) < 90
