"""Geoid grids of the data collection, held against PROJ, GeographicLib, GDAL and published values."""

from __future__ import annotations

import csv
import itertools
import re
import struct
import subprocess
from pathlib import Path

import numpy as np
import pyproj
import pytest
from numpy.typing import NDArray

from geoid.errors import GridFormatError
from geoid.files import read_grid, write_gtx
from geoid.grid import Grid
from geoid.height import heights, open_model
from geoid.interpolate import STATUSES, Method, Status, evaluate
from tests.programs import program
from tests.real.conftest import data_path

HOLES = ("truth_holes.gtx", "truth_holes.tif", "truth_v20_deg_edges_holes.isg")
PRINTED = 0.5e-4 + 1e-9
"""Half of the last decimal of the text formats, m."""


def proj_bilinear(path: Path, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a grid by PROJ's vgridshift, m; inf where it refuses."""
    shift = pyproj.Transformer.from_pipeline(f"+proj=vgridshift +grids={path} +multiplier=1")
    return np.asarray(shift.transform(np.radians(lon), np.radians(lat), np.zeros(lat.shape), radians=True)[2])


def inside(grid: Grid, count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    return random.uniform(grid.south, grid.north, count), random.uniform(grid.west, grid.east, count)


# One window in every format: data/geoid/formats


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("truth_point.tif", 0.0), ("truth_area.tif", 0.0), ("truth_holes.gtx", 0.0), ("truth_holes.tif", 0.0),
        ("truth_v10_edges.isg", PRINTED), ("truth_v10_nodes.isg", PRINTED), ("truth_v20_deg_nodes.isg", PRINTED),
        ("truth_v20_dms_nodes.isg", PRINTED), ("truth_v20_deg_edges_holes.isg", PRINTED),
    ],
)  # fmt: skip
def test_every_format_is_the_same_grid(name: str, tolerance: float) -> None:
    truth = read_grid(data_path("geoid", "formats", "truth.gtx"))
    grid = read_grid(data_path("geoid", "formats", name))
    assert grid.values.shape == (49, 73)
    np.testing.assert_allclose(
        [grid.south, grid.west, grid.north, grid.east], [27.0, 111.0, 29.0, 114.0], rtol=0.0, atol=1e-6
    )  # limits are printed with six decimals
    assert grid.no_data_count == (8 if name in HOLES else 0)
    known = ~np.isnan(grid.values)
    np.testing.assert_allclose(grid.values[known], truth.values[known], rtol=0.0, atol=tolerance)


def test_holes_are_the_same_in_every_format() -> None:
    holes = [np.isnan(read_grid(data_path("geoid", "formats", name)).values) for name in HOLES]
    assert all((one == holes[0]).all() for one in holes)


def test_the_isg_specification_s_examples_are_one_grid() -> None:
    edges, nodes, sparse = (read_grid(data_path("geoid", "formats", f"isg_spec_example_{k}.isg")) for k in (1, 2, 3))
    for grid, values in (
        (edges, nodes.values),
        (sparse, nodes.values[::-1]),
    ):  # the list is printed mirrored, 40 N first
        np.testing.assert_allclose(
            [grid.south, grid.north, grid.west, grid.east], [40.0, 41.0, 120.0, 121.0 + 2 / 3], atol=1e-6
        )
        np.testing.assert_array_equal(grid.values, values)
    assert nodes.values[-1, 0] == 30.1234, "rows run from the north"


# PROJ's grids and expectations


def vgridshift_cases() -> list[tuple[str, float, tuple[float, ...], tuple[float, ...] | None, float]]:
    """Grid, multiplier, accepted and expected coordinates, tolerance in m, of every vgridshift row we can read."""
    cases = []
    with data_path("geoid", "proj", "expectations.csv").open() as table:
        for row in csv.DictReader(table):
            if "proj=vgridshift" not in row["operation"] or row["direction"] != "forward":
                continue
            grid = re.search(r"grids=([^ ,]+)", row["operation"])
            multiplier = re.search(r"multiplier=([-\d.]+)", row["operation"])
            assert grid is not None
            accept = tuple(map(float, row["accept"].split()))
            expect = None if row["expect"] == "failure" else tuple(map(float, row["expect"].split()))
            size, unit = row["tolerance"].split()
            cases.append(
                (grid[1].removeprefix("tests/"), float(multiplier[1]) if multiplier else -1.0, accept, expect,
                 float(size) * {"mm": 1e-3, "cm": 1e-2, "m": 1.0}[unit])
            )  # fmt: skip
    return cases


def test_proj_expectations() -> None:
    """All of PROJ's own vertical grid cases; where PROJ interpolates over missing nodes, we refuse."""
    compared = refused = 0
    for name, multiplier, accept, expect, tolerance in vgridshift_cases():
        if len(accept) == 4 and accept == expect:
            continue  # cases of time windows (+t_epoch) that move nothing
        folder = "grids" if name == "egm96_15.gtx" else "proj"
        grid = read_grid(data_path("geoid", folder, name))
        found = evaluate(grid, accept[1], accept[0], Method.BILINEAR)
        status = STATUSES[int(found.status)]
        if "nodata" in name:
            assert status in (Status.NO_DATA, Status.OUTSIDE_GRID), name
            refused += 1
        elif expect is None:
            assert status is Status.OUTSIDE_GRID, (name, accept)
            refused += 1
        elif accept != expect:
            assert status is Status.OK
            assert accept[2] + multiplier * float(found.values) == pytest.approx(expect[2], abs=tolerance), (
                name,
                accept,
            )
            compared += 1
    assert (compared, refused) == (28, 6)


@pytest.mark.parametrize(
    "name",
    [
        "egm96_15_uncompressed_truncated.tif",
        "test_vgrid_single_strip_truncated.tif",
        "test_vgrid_unsupported_byte.tif",
        "test_vgrid_invalid_channel_type.tif",
        "test_hgrid.tif",
        "test_hgrid_degree.tif",
        "nkgrf03vel_realigned_extract.tif",
        "test_gridshift_projected.tif",
        "subset_of_gr3df97a.tif",
    ],
)
def test_what_is_no_vertical_grid_is_refused(name: str) -> None:
    with pytest.raises(GridFormatError, match=re.escape(name)):
        read_grid(data_path("geoid", "proj", name))


@pytest.mark.parametrize(
    "parts",
    [
        ("formats", "truth.gtx"),
        ("formats", "truth_point.tif"),
        ("formats", "truth_area.tif"),
        ("grids", "egm96_15.gtx"),
        ("grids", "egm2008_hunan_2m5.gtx"),
        ("grids", "egm2008_antimeridian_fiji.gtx"),
        ("grids", "egm2008_north_pole_cap.gtx"),
        ("proj", "us_noaa_geoid06_ak_subset_at_antimeridian.tif"),
        ("proj", "fr_ign_RAGTBT2016.tif"),
    ],
)
def test_bilinear_is_proj_s(parts: tuple[str, str]) -> None:
    """PROJ 9.5 on the same file, 20,000 points; the bar is 1e-9 m."""
    path = data_path("geoid", *parts)
    grid = read_grid(path)
    lat, lon = inside(grid, 20_000, 1)
    lon[::3] -= 360.0 * (lon[::3] > 180.0)
    if (
        parts[1] == "egm2008_north_pole_cap.gtx"
    ):  # PROJ is a column off beyond 180 where a grid repeats its first column
        lon = np.abs(lon) % 180.0
    theirs = proj_bilinear(path, lat, lon)
    ours = evaluate(grid, lat, lon, Method.BILINEAR)
    common = np.isfinite(theirs)
    assert common.mean() > 0.95, "PROJ refuses points in the last cell's rounding only"
    assert not ours.status.any()
    np.testing.assert_allclose(ours.values[common], theirs[common], rtol=0.0, atol=1e-9)


def test_away_from_holes_bilinear_is_proj_s_and_at_holes_we_refuse() -> None:
    path = data_path("geoid", "formats", "truth_holes.gtx")
    grid = read_grid(path)
    lat, lon = inside(grid, 20_000, 2)
    ours, theirs = evaluate(grid, lat, lon, Method.BILINEAR), proj_bilinear(path, lat, lon)
    good = ours.status == Status.OK.code
    np.testing.assert_allclose(ours.values[good], theirs[good], rtol=0.0, atol=1e-9)
    assert {STATUSES[code] for code in ours.status[~good]} == {Status.NO_DATA}
    guessed = np.isfinite(theirs[~good])
    assert guessed.any(), "PROJ renormalises over the valid nodes; that is the difference this test documents"


# GeographicLib's GeoidEval on a world grid made of EGM96


@pytest.fixture(scope="module")
def egm96_pgm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """egm96_15.gtx as GeographicLib's PGM."""
    grid = read_grid(data_path("geoid", "grids", "egm96_15.gtx"))
    pixels = np.rint((np.roll(grid.values[::-1], 720, axis=1) + 108.0) / 0.003).astype(">u2")
    path = tmp_path_factory.mktemp("pgm") / "mine.pgm"
    header = (
        "P5\n# Geoid file in PGM format for the GeographicLib::Geoid class\n# Description EGM96, 15'\n# Offset -108\n"
    )
    header += "# Scale 0.003\n# Origin 90N 0E\n# AREA 90S 0E 90N 360E\n# Vertical_Datum WGS84\n# MaxBilinearError 1\n"
    header += "# RMSBilinearError 1\n# MaxCubicError 1\n# RMSCubicError 1\n1440 721\n65535\n"
    path.write_bytes(header.encode() + pixels.tobytes())
    return path


def geoid_eval(path: Path, lat: NDArray[np.float64], lon: NDArray[np.float64], *options: str) -> NDArray[np.float64]:
    points = "".join(f"{a:.12f} {b:.12f}\n" for a, b in zip(lat, lon, strict=True))
    command = [program("GeoidEval"), "-d", str(path.parent), "-n", path.stem, *options]
    done = subprocess.run(command, input=points, capture_output=True, text=True, timeout=60, check=True)
    return np.array(done.stdout.split(), float)


def test_pgm_against_geographiclib(egm96_pgm: Path) -> None:
    """Bilinear (-l) to what it prints; its cubic is least squares over twelve nodes and misses even the nodes."""
    grid = read_grid(egm96_pgm)
    random = np.random.default_rng(3)
    lat = np.degrees(np.arcsin(random.uniform(-1.0, 1.0, 4000)))
    lon = random.uniform(-180.0, 180.0, 4000)
    lat[:6], lon[:6] = [90.0, -90.0, 89.9, -89.99, 0.1, 0.1], [10.0, 20.0, 179.99, -179.99, 179.99, -0.001]
    bilinear = evaluate(grid, lat, lon, Method.BILINEAR).values
    np.testing.assert_allclose(bilinear, geoid_eval(egm96_pgm, lat, lon, "-l"), rtol=0.0, atol=0.5e-4 + 1e-6)
    cubic = evaluate(grid, lat, lon, Method.BICUBIC).values
    difference = cubic - geoid_eval(egm96_pgm, lat, lon)
    assert np.sqrt(np.mean(difference**2)) < 0.008
    assert np.abs(difference).max() < 0.10, "EGM96 is rough at 15' over trenches"


def test_pgm_nodes_are_the_grid_s(egm96_pgm: Path) -> None:
    truth = read_grid(data_path("geoid", "grids", "egm96_15.gtx"))
    lat, lon = np.meshgrid(np.arange(-90.0, 90.1, 15.0), np.arange(-180.0, 180.0, 15.0), indexing="ij")
    ours = evaluate(read_grid(egm96_pgm), lat, lon).values
    np.testing.assert_allclose(ours, evaluate(truth, lat, lon).values, rtol=0.0, atol=0.0015 + 1e-6)


# Published values


def test_nga_egm96_check_points() -> None:
    """NGA's F477 values through the 15' grid: cubic within 12 mm (GeographicLib's within 9), bilinear within 56 mm."""
    grid = read_grid(data_path("geoid", "grids", "egm96_15.gtx"))
    table = np.genfromtxt(data_path("geoid", "models", "nga_egm96_points.csv"), delimiter=",", names=True)
    for method, tolerance in ((Method.BICUBIC, 0.012), (Method.BILINEAR, 0.056)):
        values = evaluate(grid, table["lat"], table["lon"], method).values
        np.testing.assert_allclose(values, table["N_f477_m"], rtol=0.0, atol=tolerance)


def test_egm2008_poles() -> None:
    """NGA: 14.899 m at the north pole; the polar cap gives it from any longitude."""
    grid = read_grid(data_path("geoid", "grids", "egm2008_north_pole_cap.gtx"))
    for method in Method:
        values = evaluate(grid, np.full(40, 90.0), np.linspace(-180.0, 360.0, 40), method).values
        np.testing.assert_allclose(values, 14.899, rtol=0.0, atol=0.0005)


def test_pole_is_crossed_smoothly() -> None:
    """Along a meridian over the pole second differences stay those of the geoid: no step where the meridian changes."""
    grid = read_grid(data_path("geoid", "grids", "egm2008_north_pole_cap.gtx"))
    along = np.arange(-60, 61) / 60.0
    lat, lon = 90.0 - np.abs(along), np.where(along < 0.0, 40.0, 220.0)
    values = evaluate(grid, lat, lon, Method.BICUBIC).values
    bends = np.abs(np.diff(values, 2))
    assert bends[58:61].max() < 3.0 * np.median(bends) + 0.001


def test_date_line() -> None:
    grid = read_grid(data_path("geoid", "grids", "egm2008_antimeridian_fiji.gtx"))
    lat = np.linspace(-18.9, -15.1, 50)
    for method in Method:
        east, west = (evaluate(grid, lat, np.full(50, lon), method).values for lon in (180.0, -180.0))
        np.testing.assert_array_equal(east, west)
        before, after = (evaluate(grid, lat, np.full(50, lon), method).values for lon in (179.999999, -179.999999))
        np.testing.assert_allclose(before, after, rtol=0.0, atol=2e-5)  # the slope there is 6 m a degree


def test_bicubic_is_the_one_the_levelling_sample_was_made_with() -> None:
    """390 points whose values an independent Catmull-Rom computed, printed to 0.01 mm (and 1e-7 degrees)."""
    model = open_model(data_path("geoid", "grids", "egm2008_hunan_2m5.gtx"))
    table = np.genfromtxt(
        data_path("geoid", "gnss_levelling", "truth.csv"), delimiter=",", names=True, usecols=("lat", "lon", "model_m")
    )
    result = heights(model, table["lat"], table["lon"], 0.0, method="bicubic")
    np.testing.assert_allclose(result.height_anomaly, table["model_m"], rtol=0.0, atol=0.6e-5)


# What we write, others read


def test_gdal_reads_what_we_write(tmp_path: Path) -> None:
    grid = read_grid(data_path("geoid", "formats", "truth_holes.tif"))
    write_gtx(tmp_path / "mine.gtx", grid)
    random = np.random.default_rng(4)
    rows, columns = random.integers(0, 49, 40), random.integers(0, 73, 40)
    points = "".join(
        f"{grid.west + c * grid.dlon:.10f} {grid.south + r * grid.dlat:.10f}\n"
        for r, c in zip(rows, columns, strict=True)
    )
    command = [program("gdallocationinfo"), "-valonly", "-geoloc", str(tmp_path / "mine.gtx")]
    done = subprocess.run(command, input=points, capture_output=True, text=True, timeout=60, check=True)
    found = np.array(done.stdout.split(), float)
    expected = np.where(np.isnan(grid.values[rows, columns]), -88.8888, grid.values[rows, columns])
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("name", ["egm96_15.gtx", "egm2008_hunan_2m5.gtx", "egm2008_colorado.gtx"])
def test_gtx_round_trip_is_byte_for_byte(name: str, tmp_path: Path) -> None:
    path = data_path("geoid", "grids", name)
    written = write_gtx(tmp_path / name, read_grid(path))
    assert (tmp_path / name).read_bytes() == path.read_bytes()
    assert written.sha256 == read_grid(path).sha256
    assert struct.unpack(">4d", path.read_bytes()[:32])[0] == written.south


_ENCODINGS = [
    ("COMPRESS=LZW",),
    ("COMPRESS=LZW", "PREDICTOR=2"),
    ("COMPRESS=DEFLATE", "PREDICTOR=2"),
    ("BIGTIFF=YES", "ENDIANNESS=BIG"),
    ("COMPRESS=LZW", "ENDIANNESS=BIG", "TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=16"),
]
_FLOATING = [
    ("COMPRESS=LZW", "PREDICTOR=3"), ("COMPRESS=DEFLATE", "PREDICTOR=3", "TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=32"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *itertools.product(["Float32", "Int16", "Float64"], _ENCODINGS),
        *itertools.product(["Float32", "Float64"], _FLOATING),
    ],
)
def test_geotiff_in_every_encoding_of_gdal(kind: str, options: tuple[str, ...], tmp_path: Path) -> None:
    source, target = data_path("geoid", "formats", "truth.gtx"), tmp_path / "made.tif"
    creation = [word for option in options for word in ("-co", option)]
    command = [program("gdal_translate"), "-q", "-ot", kind, "-a_nodata", "-9999", *creation, str(source), str(target)]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    truth, grid = read_grid(source), read_grid(target)
    np.testing.assert_array_equal(grid.values, np.rint(truth.values) if kind == "Int16" else truth.values)
    np.testing.assert_allclose([grid.south, grid.west], [27.0, 111.0], rtol=0.0, atol=1e-9)
