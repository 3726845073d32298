"""The awkward files of data/rinex: each gives exactly the right answer of its sidecar.

The answers were written into the files from known numbers and read back by georinex, the Rust crate rinex or RTKLIB.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris
from cors.gnss.observations import ObservationFlag
from cors.gnss.satellites import parse_satellite, satellite_name
from cors.gnss.selection import choose, consistent, healthy, usable
from cors.gnss.signals import FREQUENCY, carrier_frequency, parse_signal
from cors.gnss.time import BDT_WEEK_OFFSET, WEEK_NS, gpst_from_utc_ns, iso_gpst, parse_time, utc_ns
from cors.rinex.inspection import summary
from cors.rinex.names import parse_name
from cors.rinex.navigation.ephemerides import deduplicated
from cors.rinex.navigation.file import NavigationFile
from cors.rinex.navigation.reading import read_navigation
from cors.rinex.observation.file import ObservationFile
from cors.rinex.observation.reading import read_observations
from cors.rinex.observation.records import epoch_records
from cors.rinex.observation.writing.rewriting import Rewriter
from cors.rinex.timescale import iso_calendar
from tests.real.conftest import data_path

FOLDER = data_path("rinex")
SIDECARS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
CASES = {name: case for name, case in SIDECARS.items() if isinstance(case, dict) and "expect" in case}


def of_kind(kind: str) -> list[str]:
    return [name for name, case in CASES.items() if case["kind"] == kind]


def findings(file: ObservationFile | NavigationFile) -> list[tuple[str, int | None, str]]:
    return sorted(((d.code.value, d.line, d.severity.value) for d in file.diagnostics), key=str)


def check_findings(file: ObservationFile | NavigationFile, expect: dict[str, Any]) -> None:
    wanted = [(d["code"], d["line"], d["severity"]) for d in expect["diagnostics"]]
    assert findings(file) == sorted(wanted, key=str)
    of_reading = [code for code, _, _ in findings(file) if code != "obs.glonass.unknown_channel"]
    assert ("warn" if of_reading else "ok") == expect["status"]


@pytest.mark.parametrize("name", of_kind("obs"))
def test_observation_case(name: str) -> None:
    expect = CASES[name]["expect"]
    file = read_observations(FOLDER / CASES[name]["file"])
    read = list(epoch_records(file))
    check_findings(file, expect)
    assert len(read) == len(expect["epochs"])
    for record, wanted in zip(read, expect["epochs"], strict=True):
        assert iso_calendar(record.calendar) == wanted["time"]
        assert (record.flag, len(record.values)) == (wanted["flag"], wanted["nsat"])
        assert record.clock_offset_s == wanted.get("clock_offset_s")
        assert record.picoseconds == wanted.get("picoseconds")
    values = {(n, s, c): v for n, r in enumerate(read) for s, found in r.values.items() for c, v in found.items()}
    wanted_values = {(n, s, c): (value, lli, ssi) for n, s, c, value, lli, ssi in expect["values"]}
    assert {key: values.get(key) for key in wanted_values} == wanted_values
    assert name == "obs2-1995" or values.keys() == wanted_values.keys()
    assert not {tuple(key) for key in expect.get("absent", []) + expect.get("must_not_contain", [])} & values.keys()
    check_events(file, expect.get("events", []))
    check_particulars(file, expect)


def check_events(file: ObservationFile, wanted: list[dict[str, Any]]) -> None:
    assert len(file.events) == len(wanted)
    for event, expected in zip(file.events, wanted, strict=True):
        time = None if event.calendar is None else iso_calendar(event.calendar)
        assert (event.after_epoch, event.flag, time) == (expected["after_epoch"], expected["flag"], expected["time"])
        assert [record.label for record in event.records] == expected.get("records", [])
        assert dict(event.slips) == expected.get("slips", {})
        for key, value in expected.get("header_from_here", {}).items():
            found = getattr(event.header, key)
            assert (list(found) if isinstance(found, tuple) else found) == value


def check_particulars(file: ObservationFile, expect: dict[str, Any]) -> None:
    """What only some cases say."""
    header, wanted = file.header, expect.get("header", {})
    for ours, key in (
        ("antenna_serial", "antenna_serial"),
        ("antenna_type", "antenna_type"),
        ("radome", "radome"),
        ("position", "position"),
    ):
        assert key not in wanted or getattr(header, ours) == wanted[key]
    assert "types" not in wanted or list(header.codes("G")) == wanted["types"]
    assert "types" not in expect or list(header.codes("G")) == expect["types"]
    assert "interval_s" not in wanted or file.interval_s == pytest.approx(wanted["interval_s"], abs=1e-12)
    assert "time_system" not in expect or file.time_system == expect["time_system"]
    assert "first_epoch_gpst" not in expect or iso_gpst(int(file.epochs.tags[0]), 7) == expect["first_epoch_gpst"]
    assert "glonass_bias" not in expect or dict(header.glonass_biases) == expect["glonass_bias"]
    for name, k in expect.get("glonass", {}).items():
        check_channel(file, name, k)
    if "comments_kept" in expect:
        kept = len(file.comments) + sum(r.label == "COMMENT" for e in file.events for r in e.records)
        assert kept == expect["comments_kept"]
    if "sorted_times" in expect:
        ordered = file.in_time_order().epochs.calendar
        assert [iso_calendar(t) for t in ordered.tolist()] == expect["sorted_times"]
    for key, flag in (
        ("cycle_slip_bit0_epochs", ObservationFlag.SLIP),
        ("half_cycle_bit1_epochs", ObservationFlag.HALF_CYCLE),
    ):
        flagged = [n for n in range(len(expect["epochs"])) if (file.epoch(n).flags & flag).any()]
        assert flagged == expect.get(key, flagged)
    for code, mhz in expect.get("bands", {}).items():
        assert pytest.approx(mhz * 1e6) == FREQUENCY[parse_signal(code)]
    check_phase_shifts(file, expect.get("phase_shift", {}))
    check_written(file, expect)


def check_channel(file: ObservationFile, name: str, wanted: dict[str, Any]) -> None:
    channel = file.header.glonass_channels.get(int(name[1:]))
    assert channel == wanted["k"]
    for band, signal in (("L1_MHz", "R1C"), ("L2_MHz", "R2P"), ("L3_MHz", "R3X")):
        if band in wanted:
            hertz = carrier_frequency(parse_signal(signal), -128 if channel is None else channel)
            assert (None if math.isnan(hertz) else hertz / 1e6) == wanted[band]
            rows = file.epoch(0)
            row = (rows.satellite == parse_satellite(name)) & (rows.signal == parse_signal(signal))
            assert bool(np.isnan(rows.phaserange[row]).all()) == (wanted[band] is None)


def check_phase_shifts(file: ObservationFile, wanted: dict[str, Any]) -> None:
    found = {f"{s.system} {s.code}".strip(): s for s in file.header.phase_shifts}
    for key, shift in wanted.items():
        ours = found[key]
        assert (ours.cycles or (None if shift["shift"] is None else 0.0)) == shift["shift"]
        satellites = shift.get("sats", "all")
        assert list(ours.satellites) == ([] if satellites == "all" else satellites)


def check_written(file: ObservationFile, expect: dict[str, Any]) -> None:
    if "written_line" in expect:
        assert expect["written_line"] in Rewriter(file, 3.05).text().decode().splitlines()
    if "rinex2" in expect:
        old = read_observations(Rewriter(file, 2.11).text())
        assert list(old.header.codes("G")) == expect["rinex2"]["types"]
        values = next(iter(epoch_records(old))).values
        for name, wanted in expect["rinex2"].items():
            if name != "types":
                assert {c: values[name].get(c, (None,))[0] for c in wanted} == wanted


@pytest.mark.parametrize("name", of_kind("obs"))
@pytest.mark.parametrize("version", [3.05, 4.02])
def test_what_was_read_survives_writing(name: str, version: float) -> None:
    file = read_observations(FOLDER / CASES[name]["file"]).in_time_order()
    again = read_observations(Rewriter(file, version).text())
    for ours, theirs in zip(again.observations, file.observations, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if file.header.major > 2:
        ps = [record._replace(header=None) for record in epoch_records(file)]  # type: ignore[arg-type]
        if version < 4.015:
            ps = [record._replace(picoseconds=None) for record in ps]
        assert [record._replace(header=None) for record in epoch_records(again)] == ps  # type: ignore[arg-type]
    assert len(again.events) == len(file.events) + len(file.comments)
    unknown = [d.text[:60] for d in file.diagnostics if d.code.value == "header.label.unknown"]
    assert [d.text[:60] for d in again.diagnostics if d.code.value == "header.label.unknown"] == unknown


FIELDS = {
    "af0": "af0", "af1": "af1", "toe_sow": "toe", "e": "e", "sqrt_a": "sqrtA", "omega_dot": "OMEGADOT", "ttm": "t_tm",
    "fit": "fit", "ura_m": "URA", "health": "health", "tgd": "TGD", "iodc": "IODC", "l2codes": "L2_codes",
    "l2p": "L2P_flag", "sources": "data_sources", "sisa_m": "SISA", "bgd_e5a": "BGD_E1E5a", "bgd_e5b": "BGD_E1E5b",
    "tgd1": "TGD1", "tgd2": "TGD2", "aodc": "AODC", "iodn": "IODN", "status": "status_flags", "delay_s": "delta_tau",
    "urai": "URAI", "health2": "health_flags", "x_km": "X", "y_km": "Y", "z_km": "Z", "k": "channel", "tk": "t_k",
    "iode": "IODE", "week_printed": "week",
}  # fmt: skip


@pytest.mark.parametrize("name", of_kind("nav"))
def test_navigation_case(name: str) -> None:
    expect = CASES[name]["expect"]
    file = read_navigation(FOLDER / CASES[name]["file"])
    check_findings(file, expect)
    assert len(file) == expect.get("record_count", len(expect.get("records", [])))
    assert len(deduplicated(file.ephemerides)) == expect.get("unique", len(file.ephemerides))
    for index, wanted in enumerate(expect.get("records", [])):
        check_navigation_record(file, index, wanted)
    check_navigation_header(file, expect)
    for query in expect.get("select", []):
        check_selection(file, query)


def check_navigation_record(file: NavigationFile, index: int, wanted: dict[str, Any]) -> None:
    record = file.record(index)
    fields = {key: None if value is None or abs(value) > 9e8 else value for key, value in record.fields.items()}
    assert record.satellite == wanted["sv"]
    for key, name in FIELDS.items():
        if key in wanted:
            assert fields[name] == wanted[key], key
    if "cls" in wanted:
        assert (record.kind.record_class, record.kind.message, record.subtype or None, record.lines) == (
            wanted["cls"], wanted["msg"], wanted["subtype"], wanted["lines"],
        )  # fmt: skip
        check_lines(record.data_lines(), record.texts, wanted)
    for key in ("toc", "t", "t_ref"):
        if key in wanted:
            assert iso_calendar(record.calendar, 0).replace("T", " ").replace("-", " ").replace(":", " ") == wanted[key]
    if record.kind.record_class == "EPH":
        ephemeris = file.ephemerides[int(np.count_nonzero(file.usable[:index]))]
        check_ephemeris(ephemeris, wanted)


def check_lines(lines: list[list[float | None]], texts: tuple[str, str, str], wanted: dict[str, Any]) -> None:
    if "clock" in wanted:
        assert lines[0] == wanted["clock"]
        assert [padded(line) for line in lines[1:]] == [padded(line) for line in wanted["orbits"]]
    elif wanted["cls"] == "STO":
        assert (lines[1], texts[0], texts[2] or None) == (wanted["data"], wanted["code"], wanted["utc"])
    else:
        assert [padded(line) for line in lines] == [padded(line) for line in wanted["data"]]


def padded(line: list[float | None]) -> list[float | None]:
    return line + [None] * (4 - len(line))


def check_ephemeris(ephemeris: Ephemeris, wanted: dict[str, Any]) -> None:
    assert satellite_name(ephemeris.satellite) == wanted["sv"]
    assert "toe_gpst" not in wanted or iso_gpst(ephemeris.toe, 0) == wanted["toe_gpst"]
    assert "toc_utc" not in wanted or iso_gpst(utc_ns(ephemeris.toe), 0) == wanted["toc_utc"]
    assert "iode_rtk" not in wanted or ephemeris.iode == wanted["iode_rtk"]
    assert "consistent" not in wanted or consistent(ephemeris) == wanted["consistent"]
    assert "usable" not in wanted or usable(ephemeris, ephemeris.toe) == wanted["usable"]
    if isinstance(ephemeris, KeplerEphemeris):
        assert "fit_h" not in wanted or ephemeris.fit_interval_s == wanted["fit_h"] * 3600
        beidou = wanted["sv"][0] == "C"
        week = (ephemeris.toe - 14_000_000_000 * beidou) // WEEK_NS - BDT_WEEK_OFFSET * beidou
        assert "week" not in wanted or week == wanted["week"]
    if ephemeris.accuracy_m > 6000.0:
        assert not healthy(ephemeris)


def check_navigation_header(file: NavigationFile, expect: dict[str, Any]) -> None:
    assert len(file.header.ionosphere) == expect.get("iono_count", len(file.header.ionosphere))
    found = [
        {"id": c.id, "coef": [None if math.isnan(x) else x for x in c.coefficients], "hour": c.hour, "sv": c.satellite}
        for c in file.header.ionosphere
    ]
    for wanted in expect.get("iono", []):
        assert {"hour": None, "sv": None} | {k: v for k, v in wanted.items() if k != "mark"} in found
    times = [
        {"id": c.id, "a0": c.a0, "a1": c.a1, "t": c.reference_s, "week": c.week} for c in file.header.time_corrections
    ]
    assert "time_corr" not in expect or times == expect["time_corr"]


def check_selection(file: NavigationFile, query: dict[str, Any]) -> None:
    satellite = parse_satellite(query["sv"])
    instant = parse_time(query["t_bdt"]) + 14_000_000_000
    chosen = choose([e for e in file.ephemerides if e.satellite == satellite], instant)
    assert isinstance(chosen, KeplerEphemeris)
    assert (chosen.toe - 14_000_000_000) % WEEK_NS == query["expect_toe"] * 1_000_000_000
    assert chosen.eccentricity == query.get("expect_e", chosen.eccentricity)
    assert chosen.iode == query.get("expect_iod", chosen.iode)


NAMES = SIDECARS.get("names-list", [])


@pytest.mark.parametrize("case", NAMES, ids=[case["name"] for case in NAMES])
def test_file_name(case: dict[str, Any]) -> None:
    wanted = {key: value for key, value in case.items() if key not in ("name", "note", "error")}
    if wanted["kind"] is None:
        with pytest.raises(ValueError, match=case["error"].split(";")[0]):
            parse_name(case["name"])
        return
    found = parse_name(case["name"])
    ours = {field: getattr(found, field) for field in found.__slots__} | {
        "start": iso_gpst(found.start, 0),
        "type": found.solution,
    }
    assert {key: ours[key] for key in wanted} == wanted


def test_every_case_of_the_room_is_here() -> None:
    assert (len(of_kind("obs")), len(of_kind("nav")), len(NAMES)) >= (30, 9, 21)
    assert gpst_from_utc_ns(utc_ns(parse_time("2026-03-09"))) == parse_time("2026-03-09")
    assert summary(read_observations(FOLDER / "evnt0680.26o"))["events"] == {"2": 1, "3": 1, "5": 1, "6": 1}
