"""What a grid accepts: any real geometry once, and none that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from geoid.grid import Grid, describe


def zeros(rows: int, columns: int, south: float, west: float, dlat: float, dlon: float) -> Grid:
    return Grid(np.zeros((rows, columns)), south, west, dlat, dlon)


@pytest.mark.parametrize(
    ("given", "inside"),
    [(-180.0, -180.0), (180.0, -180.0), (229.0, -131.0), (-194.5, 165.5), (179.75, 179.75), (540.5, -179.5)],
)
def test_west_is_brought_into_one_turn(given: float, inside: float) -> None:
    assert zeros(3, 3, 0.0, given, 1.0, 1.0).west == inside


def test_a_grid_round_the_earth_is_recognised_with_and_without_the_duplicate() -> None:
    assert zeros(181, 360, -90.0, -180.0, 1.0, 1.0).geometry.period == 360
    assert zeros(181, 361, -90.0, 0.0, 1.0, 1.0).geometry.period == 360
    assert zeros(181, 359, -90.0, 0.0, 1.0, 1.0).geometry.period == 0
    rounded = zeros(3, 21600, 0.0, 0.0, 1.0, 0.0166666667)
    assert rounded.geometry.period == 21600
    assert rounded.dlon == 1.0 / 60.0


def test_poles_are_recognised() -> None:
    world = zeros(721, 1440, -90.0, -180.0, 0.25, 0.25).geometry
    assert (world.south_pole, world.north_pole) == (True, True)
    cap = zeros(49, 361, 88.0, 0.0, 2.0 / 48.0, 1.0).geometry
    assert (cap.south_pole, cap.north_pole) == (False, True)
    assert not zeros(3, 15, 88.0, 0.0, 1.0, 24.0).geometry.north_pole, "an odd number of meridians has no opposite one"


@pytest.mark.parametrize(
    "geometry",
    [
        (np.nan, 0.0, 1.0, 1.0),
        (0.0, np.inf, 1.0, 1.0),
        (0.0, 0.0, 0.0, 1.0),
        (0.0, 0.0, -1.0, 1.0),
        (0.0, 0.0, 1.0, -0.5),
        (-91.0, 0.0, 1.0, 1.0),
        (88.5, 0.0, 1.0, 1.0),
        (0.0, 0.0, 1.0, 200.0),
        (0.0, 1e6, 1.0, 1.0),
        (1e308, 0.0, 1e-308, 1.0),
    ],
)
def test_impossible_geometry_is_refused(geometry: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"degrees|latitudes|finite|longitude|round"):
        Grid(np.zeros((3, 3)), *geometry)


def test_infinite_values_and_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        Grid(np.array([[0.0, np.inf], [0.0, 0.0]]), 0.0, 0.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="at least 2"):
        zeros(1, 9, 0.0, 0.0, 1.0, 1.0)


def test_values_cannot_be_written_through_the_grid() -> None:
    grid = zeros(3, 3, 0.0, 0.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="read-only"):
        grid.values[0, 0] = 1.0


def test_metadata_names_are_those_of_the_interface() -> None:
    said = describe(zeros(3, 4, 27.0, 111.0, 1.0 / 60.0, 1.0 / 60.0))
    assert " ".join(said) == (
        "name version kind units ellipsoid frame epoch tide_system zero_degree height_datum interpolation accuracy_m "
        "south north west east dlat dlon rows columns no_data_count licence scope sha256"
    )
    assert (said["north"], said["east"]) == (27.033333333, 111.05)
    assert said["tide_system"] is None
