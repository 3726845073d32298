"""Geocentric, geodetic and local coordinates. Radians and metres; arrays broadcast over leading dimensions.

Sources: Bowring's closed start with Heiskanen-Moritz iteration (1 nm), IERS Conventions (2010) for the ellipsoids.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Ellipsoid(NamedTuple):
    """Semi-major axis in m and inverse flattening."""

    a: float
    inverse_flattening: float

    @property
    def e2(self) -> float:
        """First eccentricity squared."""
        f = 1.0 / self.inverse_flattening
        return f * (2.0 - f)


GRS80 = Ellipsoid(6_378_137.0, 298.257_222_101)
"""Also CGCS2000's, to 0.1 mm WGS 84's."""
WGS84 = Ellipsoid(6_378_137.0, 298.257_223_563)


def geodetic_from_ecef(xyz: ArrayLike, ellipsoid: Ellipsoid = GRS80) -> NDArray[np.float64]:
    """Latitude, longitude (rad) and ellipsoidal height (m), shape [..., 3], of ECEF positions [..., 3] in m."""
    x, y, z = np.moveaxis(np.asarray(xyz, float), -1, 0)
    a, e2 = ellipsoid.a, ellipsoid.e2
    p = np.hypot(x, y)
    b = a * np.sqrt(1.0 - e2)
    theta = np.arctan2(z * a, p * b)
    latitude = np.arctan2(z + e2 / (1.0 - e2) * b * np.sin(theta) ** 3, p - e2 * a * np.cos(theta) ** 3)
    for _ in range(3):
        n = a / np.sqrt(1.0 - e2 * np.sin(latitude) ** 2)
        latitude = np.arctan2(z + e2 * n * np.sin(latitude), p)
    sin, cos = np.sin(latitude), np.cos(latitude)
    n = a / np.sqrt(1.0 - e2 * sin**2)
    height = p * cos + z * sin - a * a / n
    return np.stack([latitude, np.arctan2(y, x), height], axis=-1)


def ecef_from_geodetic(latlonh: ArrayLike, ellipsoid: Ellipsoid = GRS80) -> NDArray[np.float64]:
    """ECEF position [..., 3] in m of latitude, longitude (rad) and height (m) [..., 3]."""
    latitude, longitude, height = np.moveaxis(np.asarray(latlonh, float), -1, 0)
    sin, cos = np.sin(latitude), np.cos(latitude)
    n = ellipsoid.a / np.sqrt(1.0 - ellipsoid.e2 * sin**2)
    return np.stack(
        [
            (n + height) * cos * np.cos(longitude),
            (n + height) * cos * np.sin(longitude),
            (n * (1.0 - ellipsoid.e2) + height) * sin,
        ],
        axis=-1,
    )


def ecef_from_degrees(latitude: float, longitude: float, height: float) -> NDArray[np.float64]:
    """ECEF position of a point in degrees and metres on GRS80."""
    return ecef_from_geodetic([np.radians(latitude), np.radians(longitude), height])


def enu_rotation(latitude: float, longitude: float) -> NDArray[np.float64]:
    """3 x 3 matrix that turns an ECEF difference into east, north, up at a point (rad)."""
    sp, cp, sl, cl = np.sin(latitude), np.cos(latitude), np.sin(longitude), np.cos(longitude)
    return np.array([[-sl, cl, 0.0], [-sp * cl, -sp * sl, cp], [cp * cl, cp * sl, sp]])


def enu_from_ecef(xyz: ArrayLike, origin: ArrayLike) -> NDArray[np.float64]:
    """East, north, up in m [..., 3] of ECEF positions about an ECEF origin [3]."""
    latitude, longitude, _ = geodetic_from_ecef(origin)
    difference: NDArray[np.float64] = np.asarray(xyz, float) - np.asarray(origin, float)
    return difference @ enu_rotation(latitude, longitude).T


def azimuth_elevation(satellites: ArrayLike, receiver: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Azimuth (from north, clockwise, 0..2 pi) and elevation in rad of ECEF positions [..., 3] seen from [3]."""
    enu = enu_from_ecef(satellites, receiver)
    east, north, up = np.moveaxis(enu, -1, 0)
    return np.arctan2(east, north) % (2.0 * np.pi), np.arctan2(up, np.hypot(east, north))
