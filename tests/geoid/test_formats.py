"""Formats byte by byte: files packed by hand or by tifffile, and what a damaged one says of itself."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from geoid import formats
from geoid.errors import GridFormatError, ModelError
from geoid.formats import geotiff, gtx, isg, pgm
from geoid.formats._kernels import lzw
from geoid.grid import Grid
from geoid.metadata import Kind
from tests.geoid import grids
from tests.geoid.grids import VALUES


def assert_registered(grid: Grid, decimals: int = 9) -> None:
    """The grid of `grids.VALUES` at its place."""
    assert grid.values.shape == VALUES.shape
    np.testing.assert_allclose(
        [grid.south, grid.west, grid.dlat, grid.dlon], [grids.SOUTH, grids.WEST, grids.DLAT, grids.DLON],
        rtol=0.0, atol=10.0**-decimals,
    )  # fmt: skip


# GTX: VDatum's description


def test_gtx_nodes_are_where_they_were_packed() -> None:
    grid = formats.parse(grids.gtx(), "a.gtx")
    assert_registered(grid)
    np.testing.assert_array_equal(grid.values, VALUES.astype(np.float32))
    assert grid.format == "gtx"


def test_gtx_no_data_by_proj_rule() -> None:
    values = VALUES.copy()
    values[0, 0], values[1, 1], values[2, 2], values[3, 3] = -88.8888, -2147479936.0, np.nan, np.inf
    grid = formats.parse(grids.gtx(values), "a.gtx")
    assert grid.no_data_count == 4
    assert np.isnan(grid.values[[0, 1, 2, 3], [0, 1, 2, 3]]).all()


def test_gtx_round_trip_is_byte_for_byte() -> None:
    data = grids.gtx(np.where(VALUES > -15.0, np.float32(-88.8888), VALUES))
    assert gtx.encode(formats.parse(data, "a.gtx")) == data
    assert gtx.encode(formats.parse(grids.gtx(west=-180.0), "a.gtx")) == grids.gtx(west=-180.0)


def test_gtx_refuses_to_write_what_reads_as_no_data() -> None:
    for value in (-88.8888, 1000.5):
        with pytest.raises(ModelError, match="row 0, column 1"):
            gtx.encode(Grid(np.array([[0.0, value], [0.0, 0.0]]), 0.0, 0.0, 1.0, 1.0))


def test_gtx_length_is_checked_with_both_numbers() -> None:
    data = grids.gtx()
    with pytest.raises(GridFormatError, match=r"found 344 bytes, expected 348 bytes for 7 x 11 nodes"):
        formats.parse(data[:-4], "short.gtx")
    with pytest.raises(GridFormatError, match="40 bytes"):
        formats.parse(data[:20], "short.gtx")
    huge = data[:32] + struct.pack(">ii", 2**31 - 1, 2**31 - 1) + data[40:]
    with pytest.raises(GridFormatError, match=r"latitudes|round the Earth"):
        formats.parse(huge, "huge.gtx")


# PGM: GeographicLib's description


def test_pgm_world() -> None:
    data, values = grids.pgm()
    grid = formats.parse(data, "a.pgm")
    np.testing.assert_allclose(grid.values, values, rtol=0.0, atol=1e-12)
    assert (grid.south, grid.west, grid.dlat, grid.dlon) == (-90.0, 0.0, 10.0, 10.0)
    assert grid.geometry.period == 36
    assert grid.metadata.name == "a world for tests"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"# Offset -108\n", b"", "Offset number"),
        (b"# Scale 0.003\n", b"# Scale nan\n", "Scale number"),
        (b"# Scale 0.003\n", b"# Scale -1\n", "positive scale"),
        (b"65535\n", b"255\n", "65535"),
        (b"36  19", b"36  18", "odd height"),
        (b"36  19", b"35  19", "even width"),
        (b"36  19", b"99999999 99999999", "even width|bytes"),
        (b"36  19", b"x", "width, height"),
    ],
)
def test_pgm_damage_is_named(old: bytes, new: bytes, expected: str) -> None:
    with pytest.raises(GridFormatError, match=expected):
        pgm.parse(grids.pgm()[0].replace(old, new), "a.pgm")
    with pytest.raises(GridFormatError, match="bytes"):
        pgm.parse(grids.pgm()[0] + b"x", "a.pgm")


# ISG 1.0 and 2.0


def test_isg_limits_as_nodes_and_as_cell_edges_are_the_same_grid() -> None:
    nodes = formats.parse(grids.isg().encode(), "a.isg")
    edges = formats.parse(
        grids.isg(lat_min="26.875", lat_max="28.625", lon_min="110.9375", lon_max="112.3125").encode(), "a.isg"
    )
    dms = formats.parse(
        grids.isg(lat_min="26°52'30\"", lat_max="28°37'30\"", lon_min="110°56'15\"", lon_max="112°18'45\"").encode(
            "latin-1"
        ),
        "a.isg",
    )
    for grid in (nodes, edges, dms):
        assert_registered(grid)
        np.testing.assert_array_equal(grid.values, VALUES)
    assert nodes.metadata.kind is Kind.QUASIGEOID
    assert nodes.metadata.frame == "ITRF2014"
    assert nodes.metadata.height_datum is None


def test_isg_rounded_steps_are_recomputed() -> None:
    """A step printed as 0.124 still divides the limits by the count (GEOIDEAR16 was refused for less)."""
    text = grids.isg().replace("delta lon      =    0.125", "delta lon      =    0.124")
    assert_registered(formats.parse(text.encode(), "a.isg"))


def test_isg_holes_and_feet() -> None:
    first = f"{VALUES[-1, 0]:10.4f}"
    holes = formats.parse(grids.isg().replace(first, "-9999.0000", 1).encode(), "a.isg")
    assert np.isnan(holes.values[-1, 0])
    assert holes.no_data_count == 1
    feet = formats.parse(grids.isg(units="feet").encode(), "a.isg")
    np.testing.assert_allclose(feet.values, VALUES * 0.3048, rtol=1e-15)


def test_isg_numbers_may_break_lines_anywhere() -> None:
    head, _, body = grids.isg().partition("end_of_head ==================================================\n")
    loose = head + "end_of_head\r\n" + "\r\n\r\n".join(body.split())
    np.testing.assert_array_equal(formats.parse(loose.encode(), "a.isg").values, VALUES)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("nrows          =           7", "nrows          =           9", r"lat min 27.0 max 28.5 delta 0.25"),
        ("nrows          =           7", "nrows          =           99999999", "can hold"),
        ("nrows          =           7", "nrows          =           seven", "nrows.*a count"),
        ("lon max        =   112.25", "lon max        =   112.375", "longitudes by cell edges"),
        ("lat min        =   27.0", "lat min        =   27°72'00\"", "lat min.*degrees"),
        ("N-to-S, W-to-E", "S-to-N, W-to-E", "data ordering"),
        (": geodetic", ": projected", "coord type.*geodetic"),
        ("end_of_head", "end_of_hea", "end_of_head"),
        ("-9999.0000", "none", "nodata.*a number"),
    ],
)
def test_isg_damage_is_named(old: str, new: str, expected: str) -> None:
    assert old in grids.isg()
    with pytest.raises(GridFormatError, match=expected):
        isg.parse(grids.isg().replace(old, new, 1).encode(), "a.isg")


def test_isg_bad_number_is_shown_with_its_line() -> None:
    lines = grids.isg().splitlines()
    lines[28] = lines[28][:12] + "x" + lines[28][13:]
    with pytest.raises(GridFormatError, match=r"a\.isg, line 29: found .*x.*expected numbers"):
        isg.parse("\n".join(lines).encode(), "a.isg")
    with pytest.raises(GridFormatError, match="found 66 values, expected 77"):
        isg.parse("\n".join(grids.isg().splitlines()[:-1]).encode(), "a.isg")
    with pytest.raises(GridFormatError, match="line 33"):
        isg.parse((grids.isg() + "1.0\n").encode(), "a.isg")


def test_isg_sparse_list_is_a_grid_with_holes() -> None:
    grid = formats.parse(grids.SPARSE.encode(), "a.isg")
    np.testing.assert_array_equal(grid.values, [[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]])
    assert (grid.south, grid.west, grid.dlat, grid.dlon) == (40.0, 120.0, 1.0, 0.5)
    assert grid.metadata.kind is Kind.GEOID


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("120.5 40.0 2.0", "120.53 40.0 2.0", "point 2.*longitude 120.53"),
        ("120.5 40.0 2.0", "121.0 40.0 2.0", "each node once|at least two"),
        ("120.5 40.0 2.0", "120.0001 40.0 2.0", "fill a grid"),
        ("lon, lat, N", "N", "lat, lon, N"),
        ("nrows          =   5", "nrows          =   6", "found 5 points"),
        ("nrows          =   5", "nrows          =   4", "one of 4 points"),
        ("121.0 41.0 6.0", "121.0 41.0", "lon, lat, n"),
    ],
)
def test_isg_sparse_damage_is_named(old: str, new: str, expected: str) -> None:
    with pytest.raises(GridFormatError, match=expected):
        isg.parse(grids.SPARSE.replace(old, new).encode(), "a.isg")


# GeoTIFF: GeoTIFF 1.1 and PROJ's specification, written by tifffile


@pytest.mark.parametrize("area", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "layout", [{}, {"tile": (16, 16)}, {"compression": "zlib"}, {"tile": (16, 32), "compression": "zlib"}]
)
def test_geotiff_registration_and_layout(area: bool, byteorder: str, layout: dict[str, object]) -> None:
    grid = formats.parse(grids.geotiff(area=area, byteorder=byteorder, **layout), "a.tif")  # type: ignore[arg-type]
    assert_registered(grid)
    np.testing.assert_array_equal(grid.values, VALUES.astype(np.float32))
    assert grid.metadata.frame == "CGCS2000"
    assert grid.metadata.kind is None, "PROJ calls every vertical grid geoid_undulation; that says nothing of its kind"


def test_geotiff_scale_offset_and_no_data_are_in_this_order() -> None:
    raw = np.rint((VALUES + 30.0) * 1000.0).astype(np.uint16)
    raw[2, 3] = 7
    items = "".join(
        f'<Item name="{role.upper()}" sample="0" role="{role}">{value}</Item>'
        for role, value in [("offset", "-30"), ("scale", "0.001")]
    )
    metadata = grids.GDAL_METADATA.replace("</GDALMetadata>", items + "</GDALMetadata>")
    grid = formats.parse(grids.geotiff(raw, metadata=metadata, no_data="7"), "a.tif")
    expected = VALUES.copy()
    expected[2, 3] = np.nan
    np.testing.assert_allclose(grid.values, expected, rtol=0.0, atol=1e-9)


def test_geotiff_items_of_our_own_metadata() -> None:
    items = "".join(
        f'<Item name="{name}">{value}</Item>'
        for name, value in [("kind", "quasigeoid"), ("accuracy_m", "0.022"), ("epoch", "2000.0")]
    )
    metadata = grids.GDAL_METADATA.replace("</GDALMetadata>", items + "</GDALMetadata>")
    said = formats.parse(grids.geotiff(metadata=metadata), "a.tif").metadata
    assert (said.kind, said.accuracy_m, said.epoch) == (Kind.QUASIGEOID, 0.022, 2000.0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model_type": 1}, "geographic"),
        (
            {"metadata": grids.GDAL_METADATA.replace("VERTICAL_OFFSET_GEOGRAPHIC_TO_VERTICAL", "HORIZONTAL_OFFSET")},
            "TYPE",
        ),
        ({"metadata": grids.GDAL_METADATA.replace("geoid_undulation", "latitude_offset")}, "band descriptions"),
        ({"metadata": grids.GDAL_METADATA.replace("metre", "radian")}, "UNITTYPE.*radian"),
        ({"no_data": "none"}, "no data.*a number"),
        ({"values": VALUES.astype(np.uint8)}, "16, 32 or 64-bit"),
    ],
)
def test_geotiff_of_other_things_is_refused(change: dict[str, object], expected: str) -> None:
    with pytest.raises(GridFormatError, match=expected):
        geotiff.parse(grids.geotiff(**change), "a.tif")  # type: ignore[arg-type]


def test_geotiff_bomb_is_refused_before_it_is_unpacked() -> None:
    """A file of 500 bytes that declares 400 MB."""
    data = grids.geotiff(np.zeros((7, 11), np.float32), compression="zlib")
    vast = _with_tag(_with_tag(_with_tiny_steps(data), 256, 10_000), 257, 10_000)
    with pytest.raises(GridFormatError, match="what such a file can hold"):
        geotiff.parse(vast, "a.tif")


def _with_tiny_steps(data: bytes) -> bytes:
    """The file with steps that leave room for thousands of rows."""
    assert data.count(struct.pack("<ddd", grids.DLON, grids.DLAT, 0.0)) == 1
    return data.replace(struct.pack("<ddd", grids.DLON, grids.DLAT, 0.0), struct.pack("<ddd", 1e-3, 1e-3, 0.0))


def _with_tag(data: bytes, code: int, value: int) -> bytes:
    """The file with another value in one of its inline tags (little-endian classic TIFF)."""
    start = struct.unpack_from("<I", data, 4)[0]
    for k in range(struct.unpack_from("<H", data, start)[0]):
        entry = start + 2 + 12 * k
        if struct.unpack_from("<H", data, entry)[0] == code:
            kind = struct.unpack_from("<H", data, entry + 2)[0]
            return (
                data[: entry + 8]
                + struct.pack("<I" if kind == 4 else "<HH", *((value,) if kind == 4 else (value, 0)))
                + data[entry + 12 :]
            )
    raise AssertionError(f"no tag {code}")


@pytest.mark.kernel
@pytest.mark.parametrize("kind", ["noise", "runs", "empty", "one"])
def test_lzw_gives_back_what_was_packed(kind: str) -> None:
    source = np.random.default_rng(6)
    data = {
        "noise": source.integers(0, 256, 9000, np.uint8).tobytes(),
        "runs": np.repeat(source.integers(0, 4, 1500, np.uint8), 9).tobytes(),
        "empty": b"",
        "one": b"x",
    }[kind]
    packed = np.frombuffer(grids.lzw(data), np.uint8)
    target = np.zeros(len(data), np.uint8)
    assert lzw(packed, target) == len(data)
    assert target.tobytes() == data
    cut = np.zeros(len(data), np.uint8)
    assert lzw(packed[: len(packed) // 2], cut) <= len(data)


@pytest.mark.kernel
def test_lzw_of_noise_stays_in_its_target() -> None:
    source = np.random.default_rng(8)
    for _ in range(200):
        target = np.zeros(50, np.uint8)
        assert 0 <= lzw(source.integers(0, 256, 60, np.uint8), target) <= 50


# Detection


def test_formats_are_known_by_content_not_by_name() -> None:
    for data, name in [
        (grids.gtx(), "gtx"),
        (grids.pgm()[0], "pgm"),
        (grids.isg().encode(), "isg"),
        (grids.geotiff(), "geotiff"),
    ]:
        assert formats.parse(data, "wrong.name").format == name


def test_an_unknown_file_lists_what_is_known() -> None:
    for data in (b"", b"hello", b"\x00" * 100, b"begin_of_head\nearth_gravity_constant 1\nend_of_head\n"):
        with pytest.raises(GridFormatError, match="geotiff, pgm, isg, gtx"):
            formats.parse(data, "a.bin")
