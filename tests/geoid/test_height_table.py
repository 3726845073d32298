"""Tables as surveyors bring them: other people's headers, encodings, angles and mistakes."""

from __future__ import annotations

import csv
import io
import random
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from geoid import delimited, height_table, synthetic
from geoid.angles import Angles
from geoid.columns import find_columns, parse_columns
from geoid.errors import ModelError, TableError
from geoid.height import Model, heights
from geoid.height_table import Options, Summary, convert, convert_stream
from geoid.metadata import Kind

MODEL = Model(synthetic.quasigeoid(27.0, 29.0, 111.0, 114.0, 0.05, seed=3), "test")
ZETA = float(heights(MODEL, 28.2, 112.9, 0.0).height_anomaly)
RESULT = f"{ZETA:.4f},{95.123 - ZETA:.4f},0.0200,ok,"


def converted(text: str, model: Model = MODEL, **options: object) -> tuple[str, Summary]:
    """A table's text after conversion."""
    summary = Summary()
    return "".join(convert(text.splitlines(keepends=True), model, Options(**options), summary)), summary  # type: ignore[arg-type]


def row(text: str, **options: object) -> dict[str, str]:
    """The last row of the converted table by column name."""
    return list(csv.DictReader(io.StringIO(converted(text, **options)[0])))[-1]


def test_lines_come_back_as_they_were_with_the_results_appended() -> None:
    out, summary = converted('id,lat,lon,h,remark\nP1,28.2,112.9,95.123,"old, dry"\nP2,28.20,112.90,095.123,x\n')
    assert out == (
        "id,lat,lon,h,remark,zeta_m,H_normal_m,sigma_m,status,reason\n"
        f'P1,28.2,112.9,95.123,"old, dry",{RESULT}\nP2,28.20,112.90,095.123,x,{RESULT}\n'
    )
    assert (summary.rows, summary.converted, summary.delimiter) == (2, 2, ",")


@pytest.mark.parametrize(
    "header",
    [
        "lat,lon,h",
        "Latitude,Longitude,Ellipsoidal Height (m)",
        "纬度,经度,大地高",
        "B,L,H",
        "大地纬度(°),大地经度(°),大地高(m)",
        "φ,λ,h_ell",
        "LAT [deg],LONG [deg],HAE",
        "Ｂ,Ｌ,Ｈ",
        "#lat,lon,height",
        "纬度B,经度L,大地高H",
        '"lat","lon","h"',
    ],
)
def test_headers(header: str) -> None:
    assert row(f"{header}\n28.2,112.9,95.123\n")["H_normal_m"] == f"{95.123 - ZETA:.4f}"


@pytest.mark.parametrize(
    "header", ["lat,lon,H", "纬度,经度,高程", "B,L,正常高(m)", "lat,lon,elev", "lat,lon,H_normal_m", "lat,lon,h,H"]
)
def test_headers_of_the_inverse(header: str) -> None:
    middle = "0," if header.endswith("h,H") else ""
    result = row(f"{header}\n28.2,112.9,{middle}95.123\n", inverse=True)
    assert result["h_ell_m"] == f"{95.123 + ZETA:.4f}"


def test_there_and_back() -> None:
    """The output of one direction is an input of the other, and gives the ellipsoidal height back to its last digit."""
    forth, _ = converted("id,lat,lon,h\nP1,28.2,112.9,95.1234\n")
    back, _ = converted(forth, columns={"latitude": "lat", "longitude": "lon", "height": "H_normal_m"}, inverse=True)
    result = next(csv.DictReader(io.StringIO(back)))
    assert result["h_ell_m"] == "95.1234"
    assert result["zeta_m_2"] == result["zeta_m"]


@pytest.mark.parametrize(
    ("header", "inverse", "expected"),
    [
        ("lat,lon,高程", False, "above the surface.*--inverse"),
        ("lat,lon,大地高", True, "ellipsoidal.*without --inverse"),
        ("X,Y,Z", False, "no column is recognised as latitude"),
        ("lat,纬度,lon,h", False, "2 columns could be the latitude"),
        ("lat,lon,h (ft)", False, "not in metres"),
        ("lat,lon,大地高（毫米）", False, "not in metres"),
        ("lat,lon,name", False, "ellipsoidal height"),
        ("28.2,112.9,95.123", False, "--columns"),
    ],
)
def test_headers_that_do_not_tell(header: str, inverse: bool, expected: str) -> None:
    with pytest.raises(TableError, match=expected):
        find_columns(header.split(","), inverse)
    with pytest.raises(TableError, match=expected):
        converted(f"{header}\n1,2,3\n", inverse=inverse)


def test_told_columns_with_and_without_header() -> None:
    told = parse_columns("lat=3,lon=2,h=4")
    out, summary = converted("P1,112.9,28.2,95.123\n", columns=told)
    assert out == f"P1,112.9,28.2,95.123,{RESULT}\n"
    assert summary.header == []
    out, summary = converted("点,东,北,高\nP1,112.9,28.2,95.123\n", columns=told)
    assert out.splitlines()[1] == f"P1,112.9,28.2,95.123,{RESULT}"
    assert summary.header == ["点", "东", "北", "高"]
    named, _ = converted("点,东,北,高\nP1,112.9,28.2,95.123\n", columns=parse_columns("lat=北, lon=东, h=高"))
    assert named == out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lat=3,lon=4", "the height"),
        ("lat=3,lon=4,h=5,x=6", "x=6"),
        ("lat=3,lat=4,h=1", "lat=4"),
        ("", "not one of"),
        ("lat", "not one of"),
    ],
)
def test_columns_option_in_error(text: str, expected: str) -> None:
    with pytest.raises(TableError, match=expected):
        parse_columns(text)


@pytest.mark.parametrize(
    ("told", "expected"),
    [("lat=1,lon=2,h=9", "no column 9"), ("lat=1,lon=1,h=2", "two things"), ("lat=a,lon=2,h=3", "0 columns are named")],
)
def test_told_columns_that_are_not_there(told: str, expected: str) -> None:
    with pytest.raises(TableError, match=expected):
        converted("lat,lon,h\n1,2,3\n", columns=parse_columns(told))


@pytest.mark.parametrize(
    ("angles", "lat", "lon"),
    [
        (Angles.DECIMAL, "28.2", "112.9"),
        (Angles.DECIMAL, "28°12'0\"N", "112 54 00"),
        (Angles.SEXAGESIMAL, "28:12", "112:54:0.0"),
        (Angles.PACKED, "28.12", "112.54"),
        (Angles.DECIMAL, "２８°１２′", "东经112°54′00″"),
    ],
)
def test_angles(angles: Angles, lat: str, lon: str) -> None:
    assert (
        converted(f"lat,lon,h\n{lat},{lon},95.123\n", angles=angles)[0].splitlines()[1]
        == f"{lat},{lon},95.123,{RESULT}"
    )


def test_packed_is_never_guessed() -> None:
    assert row("lat,lon,h\n28.72,112.54,95\n")["status"] == "ok", "28.72 degrees is a latitude"
    assert row("lat,lon,h\n28.72,112.54,95\n", angles=Angles.PACKED)["status"] == "bad_row"
    assert "degrees, minutes and seconds" in row("lat,lon,h\n28.1234,112.9,95\n", angles=Angles.SEXAGESIMAL)["reason"]


BAD = [
    ("P,x,112.9,95", "column 2 (latitude): found 'x', expected an angle"),
    ("P,28.2,,95", "column 3 (longitude): found '', expected an angle"),
    ("P,28.2,112.9,9_5", "column 4 (height): found '9_5', expected metres"),
    ("P,28.2,112.9,nan", "column 4 (height): found 'nan', expected metres"),
    ("P,28.2,112.9", "column 4 (height): found '', expected metres"),
    ("P,95,112.9,95", "column 2 (latitude): found '95', expected at most 90 degrees"),
    ("P,28.2,38500000.0,95", "column 3 (longitude): found '38500000.0', expected at most 360 degrees"),
    ("P,28.2,112.9,95,,1,2", "the row has 7 fields where 5 belong"),
    ("P,28,2;112.9", "column 3 (longitude): found '2;112.9'"),
]


@pytest.mark.parametrize(("line", "expected"), BAD)
def test_a_bad_row_says_so_in_its_place_and_the_rest_goes_on(line: str, expected: str) -> None:
    text = f"id,lat,lon,h,remark\nP1,28.2,112.9,95.123,a\n{line}\nP3,28.2,112.9,95.123,b\n"
    out, summary = converted(text)
    first, bad, last = out.splitlines()[1:]
    assert first.endswith(RESULT) and last.endswith(RESULT)
    cells = next(csv.reader([bad]))
    assert cells[-2] == "bad_row"
    assert cells[-1].startswith(expected)
    assert cells[-5:-2] == ["", "", ""]
    assert (summary.rows, summary.converted) == (3, 2)
    assert summary.first_troubles[0].startswith(f"line 3: bad_row: {expected}")


def test_refusals_of_the_model_are_rows_too() -> None:
    hole = MODEL.grid.values.copy()
    hole[:10] = np.nan
    model = Model(replace(MODEL.grid, values=hole), "holes")
    out, summary = converted("lat,lon,h\n28.2,112.9,95\n35,112.9,95\n27.1,112.9,95\n", model)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [r["status"] for r in rows] == ["ok", "outside_grid", "no_data"]
    assert rows[1]["reason"] == "outside the grid 27..29 N 111..114 E"
    assert [line.split(":")[0] for line in summary.first_troubles] == ["line 3", "line 4"]
    foreign, _ = converted("lat,lon,h\n28.2,112.9,95\n", frame="ITRF2014@2026.9")
    assert "unknown_datum,the model is in CGCS2000" in foreign


def test_table_stays_rectangular() -> None:
    """Short rows are filled, empty fields at the end dropped, so that every row has as many fields as the header."""
    out, _ = converted("id,lat,lon,h,a,b\nP1,28.2,112.9,95.123\nP2,28.2,112.9,95.123,,,,\nP3,28.2,112.9,95.123,1,2\n")
    assert {len(cells) for cells in csv.reader(io.StringIO(out))} == {11}
    assert out.count(RESULT) == 3


def test_comments_and_blank_lines_pass() -> None:
    text = (
        "# made by hand, 2026\n\n% more\nid,lat,lon,h\nP1,28.2,112.9,95.123\n# between\n\n,,,\n#4,28.2,112.9,95.123\n"
    )
    out, summary = converted(text)
    lines = out.splitlines()
    assert lines[:3] == ["# made by hand, 2026", "", "% more"]
    assert lines[5:8] == ["# between", "", ",,,"]
    assert lines[8] == f"#4,28.2,112.9,95.123,{RESULT}", "a mark named #4 is a mark"
    assert (summary.rows, summary.converted) == (2, 2)


def test_sigma_column_option_and_neither() -> None:
    text = "lat,lon,h,sigma_h\n28.2,112.9,95,0.015\n28.2,112.9,95,\n28.2,112.9,95,-1\n"
    sigmas = [(r["sigma_m"], r["status"]) for r in csv.DictReader(io.StringIO(converted(text)[0]))]
    assert sigmas == [("0.0250", "ok"), ("0.0200", "ok"), ("", "bad_row")]
    assert row("lat,lon,h\n28.2,112.9,95\n", sigma_h=0.015)["sigma_m"] == "0.0250"


def test_a_geoid_s_columns_do_not_say_normal() -> None:
    geoid = Model(replace(MODEL.grid, metadata=replace(MODEL.grid.metadata, kind=Kind.GEOID)), "geoid")
    assert converted("lat,lon,h\n28.2,112.9,95\n", geoid)[0].startswith(
        "lat,lon,h,N_m,H_orthometric_m,sigma_m,status,reason\n"
    )


def test_strange_heights_are_converted_with_a_remark() -> None:
    out, summary = converted("lat,lon,h\n28.2,112.9,12345\n")
    assert out.endswith("ok,height 12345 m is hardly one on land\n")
    assert (summary.converted, summary.remarks) == (1, 1)


def test_swapped_columns_are_refused_not_swapped() -> None:
    with pytest.raises(TableError, match=r"swapped.*112.9 and 28.2"):
        converted("lat,lon,h\n112.9,28.2,95\n112.8,28.3,95\n")
    assert converted("lat,lon,h\n35,112.9,95\n")[1].converted == 0, "merely outside is a row's matter"


def test_line_ends_and_last_line() -> None:
    assert (
        converted("lat,lon,h\r\n28.2,112.9,95.123")[0]
        == f"lat,lon,h,zeta_m,H_normal_m,sigma_m,status,reason\r\n28.2,112.9,95.123,{RESULT}\r\n"
    )


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", "，"])
def test_delimiters(delimiter: str) -> None:
    text = "id,lat,lon,h\nP1,28.2,112.9,95.123\nP2,x,112.9,95.123\n".replace(",", delimiter)
    out, summary = converted(text)
    assert summary.delimiter == delimiter
    assert out.splitlines()[1] == f"P1,28.2,112.9,95.123,{RESULT}".replace(",", delimiter)


def test_blanks_as_delimiter_keep_every_row_readable() -> None:
    out, summary = converted("id   lat   lon  h\nP1 28.2   112.9 95.123\nP2 28.2 112.9 x\nP3 28.2 112.9\n")
    lines = [line.split() for line in out.splitlines()]
    assert lines[1] == ["P1", "28.2", "112.9", "95.123", f"{ZETA:.4f}", f"{95.123 - ZETA:.4f}", "0.0200", "ok", "-"]
    assert lines[2][4:8] == ["nan", "nan", "nan", "bad_row"]
    assert lines[3][-2] == "bad_row"
    assert (summary.rows, summary.converted) == (3, 1)


def test_quotes_over_lines_and_quotes_that_never_close() -> None:
    out, summary = converted(
        'id,lat,lon,h,remark\nP1,28.2,112.9,95.123,"two\nlines"\nP2,28.2,112.9,95.123,"never\nP3,28.2,112.9,95.123,"x"\n'
    )
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [r["id"] for r in rows] == ["P1", "P2", "P3"]
    assert [r["remark"] for r in rows] == ["two\nlines", '"never', "x"]
    assert [r["status"] for r in rows] == ["ok", "ok", "ok"]
    assert summary.converted == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_come_back_as_they_came(encoding: str) -> None:
    text = "点名,纬度,经度,大地高\n长沙,28°12′,112.9,95.123\n"
    target = io.BytesIO()
    summary = convert_stream(io.BytesIO(text.encode(encoding)), target, MODEL, Options())
    assert summary.encoding == encoding
    header, line = text.splitlines()
    expected = f"{header},zeta_m,H_normal_m,sigma_m,status,reason\n{line},{RESULT}\n"
    assert target.getvalue().decode(encoding) == expected


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes whatever the size of a block, with quotes, comments and bad rows across its borders."""
    source = random.Random(7)
    kinds = [
        "P,28.2,112.9,95.123,r\n",
        'P,28.2,112.9,95.123,"a\nb"\n',
        "# c\n",
        "P,x,112.9,95\n",
        'P,28.2,112.9,95,"open\n',
        "\n",
    ]
    text = "id,lat,lon,h,remark\n" + "".join(source.choices(kinds, weights=[20, 2, 1, 1, 1, 1], k=300))
    whole, summary = converted(text)
    for rows in (1, 2, 7, 64):
        monkeypatch.setattr(height_table, "ROWS", rows)
        again, count = converted(text)
        assert again == whole
        assert (count.statuses, count.first_troubles) == (summary.statuses, summary.first_troubles)


def test_nothing_and_nonsense() -> None:
    for text in ("", "\n\n", "# only a comment\n"):
        with pytest.raises(TableError, match="no rows"):
            converted(text)
    with pytest.raises(TableError, match="one character"):
        converted("lat,lon,h\n", delimiter=",,")
    with pytest.raises(ModelError, match="spline"):
        converted("lat,lon,h\n28.2,112.9,95\n", method="spline")
    assert converted("lat,lon,h\n")[1].rows == 0


def test_any_bytes_are_a_table_or_a_complaint() -> None:
    """2,000 damaged tables: output has the input's rows or a TableError comes, nothing else."""
    original = (
        '点名,lat,lon,h,remark\nP1,28.2,112.9,95.123,"x"\nP2,28°12\',112.9,95,y\n# c\nP3,28.2,112.9,9,\n'.encode()
    )
    source = random.Random("corsnet table")
    survived = 0
    for _ in range(2000):
        damaged = bytearray(original)
        for _ in range(source.randint(1, 5)):
            at = source.randrange(len(damaged))
            if source.random() < 0.3:
                del damaged[at : at + source.randrange(20)]
                damaged = damaged or bytearray(b"x")
            else:
                damaged[at] = source.choice([0, 10, 13, 34, 44, 255, 0xE2, source.randrange(256)])
        try:
            summary = convert_stream(io.BytesIO(bytes(damaged)), io.BytesIO(), MODEL, Options())
        except TableError:
            continue
        survived += 1
        assert summary.rows <= damaged.count(b"\n") + 1
    assert survived > 500


class Rows(io.RawIOBase):
    """A stream of a header and equal rows that is never whole in memory."""

    def __init__(self, row: bytes, size: int) -> None:
        self.data, self.row, self.left = b"lat,lon,h,remark\n", row, size

    def read(self, size: int = -1) -> bytes:
        while self.left > 0 and len(self.data) < size:
            self.data += self.row * 1000
            self.left -= 1000 * len(self.row)
        out, self.data = self.data[:size], self.data[size:]
        return out


class Sink(io.RawIOBase):
    """A stream that only counts."""

    written = 0

    def write(self, data: object) -> int:
        self.written += len(data)  # type: ignore[arg-type]
        return len(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [b"28.2,112.9,95.123," + b"r" * 180 + b"\n", b"x" * 100])
def test_memory_does_not_grow_with_the_table(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows without end, and one line without end, through the memory of a block: twice the table, the same peak."""
    monkeypatch.setattr(delimited, "_LARGEST_BLOCK", 1 << 19)
    monkeypatch.setattr(delimited, "_READ", 1 << 18)
    converted("lat,lon,h\n" + "28.2,112.9,95\n" * 100)
    peaks = []
    for size in (6 << 20, 12 << 20):
        source, sink = Rows(line, size), Sink()
        tracemalloc.start()
        try:
            convert_stream(source, sink, MODEL, Options())  # type: ignore[arg-type]
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert sink.written > size
    assert peaks[1] < 1.1 * peaks[0] + (1 << 18)
    assert peaks[1] < 16 << 20
