"""Interpolation against what mathematics says of it, and the plain-Python way against the compiled one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from geoid import _kernels, interpolate
from geoid.grid import Grid
from geoid.interpolate import FEW, STATUSES, Method, Status, evaluate

METHODS = list(Method)


def grid_of(function: object, rows: int = 9, columns: int = 11, south: float = 24.0, west: float = 108.0) -> Grid:
    """A grid whose value is a function of (row, column)."""
    row, column = np.mgrid[0:rows, 0:columns].astype(float)
    return Grid(function(row, column), south, west, 0.5, 0.25)  # type: ignore[operator]


def points(grid: Grid, count: int, margin: float, seed: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fractional rows and columns inside the grid, `margin` cells from its border."""
    random = np.random.default_rng(seed)
    return (
        random.uniform(margin, grid.rows - 1 - margin, count),
        random.uniform(margin, grid.columns - 1 - margin, count),
    )


def at(grid: Grid, y: NDArray[np.float64], x: NDArray[np.float64], method: Method) -> NDArray[np.float64]:
    found = evaluate(grid, grid.south + y * grid.dlat, grid.west + x * grid.dlon, method)
    assert set(found.status.tolist()) <= {Status.OK.code}
    return found.values


@pytest.mark.kernel
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [FEW, 200])
def test_a_plane_is_a_plane(method: Method, count: int) -> None:
    grid = grid_of(lambda r, c: 3.0 - 0.7 * r + 0.2 * c)
    y, x = points(grid, count, 0.0)
    np.testing.assert_allclose(at(grid, y, x, method), 3.0 - 0.7 * y + 0.2 * x, atol=1e-11)


@pytest.mark.kernel
@pytest.mark.parametrize("count", [FEW, 200])
def test_keys_reproduces_quadratics(count: int) -> None:
    """Keys 1981, section II: with a = -1/2 the interpolation agrees with the Taylor series to the second power."""
    grid = grid_of(lambda r, c: 1.0 + r * r - 0.3 * r * c + 0.5 * c * c + 0.01 * r * r * c * c)
    y, x = points(grid, count, 1.0)
    expected = 1.0 + y * y - 0.3 * y * x + 0.5 * x * x + 0.01 * y * y * x * x
    np.testing.assert_allclose(at(grid, y, x, Method.BICUBIC), expected, atol=1e-10)


@pytest.mark.kernel
def test_keys_error_on_a_cubic_is_the_known_one() -> None:
    """Central differences of c³ at nodes are 3c² + 1: Hermite's formula leaves v(1 - v)(1 - 2v), nil at half a cell."""
    grid = grid_of(lambda r, c: c**3)
    y, x = points(grid, 200, 1.0)
    v = x - np.floor(x)
    np.testing.assert_allclose(at(grid, y, x, Method.BICUBIC) - x**3, v * (1.0 - v) * (1.0 - 2.0 * v), atol=1e-10)
    middle = np.floor(x) + 0.5
    np.testing.assert_allclose(at(grid, y, middle, Method.BICUBIC), middle**3, atol=1e-10)


@pytest.mark.kernel
def test_cubic_is_smooth_across_cells() -> None:
    """Values and slopes on both sides of a cell line are equal (Catmull-Rom is C1)."""
    grid = grid_of(lambda r, c: np.sin(1.3 * r) * np.cos(0.9 * c))
    step = 1e-4
    y = np.full(60, 3.3)
    x = np.repeat(np.arange(2.0, 8.0), 10)
    before, line, after = (at(grid, y, x + k * step, Method.BICUBIC) for k in (-1.0, 0.0, 1.0))
    np.testing.assert_allclose((line - before) / step, (after - line) / step, atol=5e-4)


@pytest.mark.kernel
@pytest.mark.parametrize("method", METHODS)
def test_every_node_returns_its_number(method: Method) -> None:
    """Steps of 1/60 are not exact in binary, and a point typed as the node must still be the node, corners included."""
    random = np.random.default_rng(5)
    grid = Grid(random.normal(-17.0, 1.0, (50, 70)), 24.0 + 1.0 / 60.0, 108.0 + 1.0 / 60.0, 1.0 / 60.0, 1.0 / 60.0)
    row, column = np.divmod(np.arange(grid.values.size), grid.columns)
    lat, lon = (1.0 + 24.0 * 60.0 + row) / 60.0, (1.0 + 108.0 * 60.0 + column) / 60.0
    np.testing.assert_array_equal(evaluate(grid, lat, lon, method).values, grid.values[row, column])
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        k = np.arange(grid.values.size).reshape(grid.values.shape)[corner]
        assert evaluate(grid, lat[k], lon[k], method).values == grid.values[corner]


@pytest.mark.kernel
def test_one_point_equals_many() -> None:
    """The answer of the command line (one point, plain Python) is that of a file (compiled), to the last digit."""
    random = np.random.default_rng(2)
    values = random.normal(-17.0, 2.0, (12, 36))
    values[random.integers(0, 12, 12), random.integers(0, 36, 12)] = np.nan
    regional = Grid(values, 20.0, 100.0, 0.5, 0.5)
    world = Grid(values, -90.0 + 1e-12, 0.0, 180.0 / 11.0, 10.0)
    for grid in (regional, world):
        lat = random.uniform(grid.south - 0.3, min(grid.north + 0.3, 90.0), 400)
        lon = random.uniform(grid.west - 1.0, grid.east + 1.0, 400)
        lat[:40] = grid.south + grid.dlat * random.integers(0, 12, 40)
        lon[20:60] = grid.west + grid.dlon * random.integers(0, 36, 40)
        for method in METHODS:
            many = evaluate(grid, lat, lon, method)
            single = [evaluate(grid, a, b, method) for a, b in zip(lat, lon, strict=True)]
            np.testing.assert_array_equal(many.status, [one.status for one in single])
            np.testing.assert_allclose(many.values, [one.values for one in single], rtol=0.0, atol=1e-13)
            assert {STATUSES[code] for code in many.status} >= {Status.OK, Status.NO_DATA}


@pytest.mark.kernel
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("copies", [1, FEW + 1])
def test_missing_nodes_are_refused_and_only_where_they_weigh(method: Method, copies: int) -> None:
    row, column = np.mgrid[0:9, 0:11].astype(float)
    values = row + 10.0 * column
    values[4, 5] = np.nan
    grid = Grid(values, 24.0, 108.0, 1.0, 1.0)

    def status(lat: float, lon: float) -> Status:
        return STATUSES[evaluate(grid, np.full(copies, lat), np.full(copies, lon), method).status[-1]]

    assert status(28.0, 113.0) is Status.NO_DATA
    assert status(28.5, 113.5) is Status.NO_DATA
    assert status(28.0, 112.0) is Status.OK, "a valid node beside the hole"
    assert status(28.5, 112.0) is Status.OK, "a valid line beside the hole: weight nil"
    assert status(28.2, 111.5) is (Status.NO_DATA if method is Method.BICUBIC else Status.OK), "in the outer ring"


@pytest.mark.kernel
@pytest.mark.parametrize("copies", [1, FEW + 1])
def test_border_is_inside_and_beyond_is_not(copies: int) -> None:
    grid = grid_of(lambda r, c: r + c)
    for lat, lon, expected in [
        (24.0, 108.0, Status.OK), (28.0, 110.5, Status.OK), (28.0 + 1e-10, 110.5 + 1e-10, Status.OK),
        (28.0 + 1e-8, 109.0, Status.OUTSIDE_GRID), (24.0 - 1e-8, 109.0, Status.OUTSIDE_GRID),
        (26.0, 108.0 - 1e-8, Status.OUTSIDE_GRID), (26.0, 110.5 + 1e-8, Status.OUTSIDE_GRID),
        (26.0, -251.0, Status.OK), (np.nan, 109.0, Status.OUTSIDE_GRID), (26.0, np.inf, Status.OUTSIDE_GRID),
        (26.0, 1e300, Status.OUTSIDE_GRID), (26.0, 1000.0 * 360.0 + 109.0, Status.OUTSIDE_GRID),
    ]:  # fmt: skip
        found = evaluate(grid, np.full(copies, lat), np.full(copies, lon), Method.BICUBIC)
        assert STATUSES[found.status[-1]] is expected, (lat, lon)
        assert np.isnan(found.values[-1]) == (expected is not Status.OK)


@pytest.mark.kernel
def test_cubic_is_bilinear_in_the_frame() -> None:
    """Where 4 x 4 nodes leave the grid the documented fall-back answers, and nothing is clamped."""
    grid = grid_of(lambda r, c: np.sin(r) + np.cos(1.1 * c))
    random = np.random.default_rng(3)
    y, x = random.uniform(0.0, 1.0, 50), random.uniform(0.0, grid.columns - 1, 50)
    np.testing.assert_allclose(at(grid, y, x, Method.BICUBIC), at(grid, y, x, Method.BILINEAR), atol=1e-13)
    inner = at(grid, y + 1.0, np.clip(x, 1.0, grid.columns - 2.0), Method.BICUBIC)
    assert np.abs(inner - at(grid, y + 1.0, np.clip(x, 1.0, grid.columns - 2.0), Method.BILINEAR)).max() > 1e-3


def wave(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.float64]:
    """A function that is smooth on the sphere, poles and date line included: a polynomial of the unit vector."""
    phi, lam = np.radians(lat), np.radians(lon)
    x, y, z = np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)
    return 10.0 * x * y + 5.0 * z * x - 3.0 * z * z + 2.0 * y


@pytest.mark.kernel
@pytest.mark.parametrize("duplicate", [0, 1])
@pytest.mark.parametrize("west", [-180.0, 0.0, 30.0])
def test_the_whole_earth_has_no_seam(duplicate: int, west: float) -> None:
    """Round the Earth and over the poles the cubic is as good as anywhere, with and without the duplicate column."""
    lat, lon = np.linspace(-90.0, 90.0, 181), west + np.arange(360.0 + duplicate)
    grid = Grid(wave(lat[:, None], lon[None, :]), -90.0, west, 1.0, 1.0)
    random = np.random.default_rng(4)
    at_lat = np.concatenate([random.uniform(-90.0, 90.0, 300), random.uniform(89.0, 90.0, 60), [90.0, -90.0, 0.0, 0.0]])
    at_lon = np.concatenate(
        [random.uniform(-180.0, 360.0, 300), random.uniform(-1.0, 1.0, 60), [17.3, 200.0, 180.0, -180.0]]
    )
    found = evaluate(grid, at_lat, at_lon, Method.BICUBIC)
    assert not found.status.any()
    np.testing.assert_allclose(found.values, wave(at_lat, at_lon), atol=2e-5)
    for one in (180.0, 0.0, west, west + 359.999999):
        turns = evaluate(grid, 12.3, np.array([one, one - 360.0]), Method.BICUBIC).values
        np.testing.assert_allclose(turns, turns[0], atol=1e-9)


def test_finest_subgrid_with_data_wins() -> None:
    coarse = Grid(np.full((5, 5), 1.0), 0.0, 0.0, 1.0, 1.0)
    hole = np.full((5, 5), 2.0)
    hole[0, 0] = np.nan
    middle = Grid(hole, 1.0, 1.0, 0.5, 0.5)
    finest = Grid(np.full((3, 3), 3.0), 2.0, 2.0, 0.25, 0.25)
    nested = Grid(coarse.values, 0.0, 0.0, 1.0, 1.0, subgrids=(finest, middle))
    found = evaluate(nested, [0.5, 1.6, 2.1, 1.1], [0.5, 1.6, 2.1, 1.1], Method.BILINEAR)
    np.testing.assert_array_equal(found.values, [1.0, 2.0, 3.0, 1.0])


def test_both_ways_use_the_same_constants() -> None:
    assert interpolate._SNAP == _kernels.SNAP
    assert (Status.OK.code, Status.OUTSIDE_GRID.code, Status.NO_DATA.code) == (
        _kernels.OK, _kernels.OUTSIDE, _kernels.NO_DATA,
    )  # fmt: skip


def test_shapes_broadcast() -> None:
    grid = grid_of(lambda r, c: r + c)
    assert evaluate(grid, 25.0, 109.0).values.shape == ()
    assert evaluate(grid, np.full((3, 1), 25.0), np.full(4, 109.0)).values.shape == (3, 4)
    assert evaluate(grid, [], []).values.shape == (0,)
