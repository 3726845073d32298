"""Observation files as they should not be: each fault loses what it touches and is reported with its line.

Expected values are those printed in the texts; the rules are RINEX 2.11 and 3.05 tables A2 and A3.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from cors.gnss.observations import ObservationFlag
from cors.gnss.satellites import parse_satellite, satellite_name
from cors.gnss.signals import parse_signal, signal_name
from cors.gnss.time import NS, parse_time
from cors.rinex.diagnostics import Severity
from cors.rinex.errors import NotRinexError
from cors.rinex.observation.file import ObservationFile
from cors.rinex.observation.reading import read_observations
from cors.rinex.observation.records import epoch_records
from tests.cors.rinex.texts import (
    EPOCHS_2,
    EPOCHS_3,
    EVENTS_3,
    HEADER_2,
    HEADER_3,
    OBSERVATIONS_2,
    OBSERVATIONS_3,
    header,
)

C = 299_792_458.0
FIRST_EPOCH_LINE = len(HEADER_3) + 1


def read(text: str) -> ObservationFile:
    return read_observations(text.encode("latin-1"))


def codes(file: ObservationFile) -> list[tuple[str, int | None]]:
    return [(d.code.value, d.line) for d in file.diagnostics]


def row(file: ObservationFile, epoch: int, satellite: str, signal: str) -> dict[str, float]:
    rows = file.epoch(epoch)
    at = np.flatnonzero((rows.satellite == parse_satellite(satellite)) & (rows.signal == parse_signal(signal)))
    assert at.size == 1, (satellite, signal)
    return {name: column[at[0]].item() for name, column in zip(rows._fields, rows, strict=True)}


@pytest.mark.kernel
def test_values_in_metres_and_flags() -> None:
    file = read(OBSERVATIONS_3 + EVENTS_3)
    assert file.diagnostics == ()
    assert file.epochs.tags.tolist() == [parse_time(f"2026-03-09T00:0{t}") for t in ("0:00", "0:30", "1:30")]
    assert file.offsets.tolist() == [0, 4, 6, 7]
    g1 = row(file, 0, "G05", "G1C")
    assert g1["pseudorange"] == 21223008.248 and g1["cn0"] == np.float32(44.92) and math.isnan(g1["lock_time"])
    assert g1["phaserange"] == pytest.approx(111528166.370 * C / 1575.42e6, abs=1e-7)
    assert g1["phaserange_rate"] == pytest.approx(1234.567 * C / 1575.42e6, abs=1e-9)
    r1 = row(file, 0, "R01", "R1C")  # channel +1
    assert r1["phaserange"] == pytest.approx(105598895.471 * C / (1602e6 + 562_500), abs=1e-7)
    assert math.isnan(row(file, 0, "C11", "C2I")["cn0"])
    assert row(file, 1, "G05", "G1C")["flags"] == ObservationFlag.SLIP
    assert row(file, 1, "C11", "C2I")["flags"] == ObservationFlag.HALF_CYCLE
    assert row(file, 2, "G05", "G1C")["flags"] == ObservationFlag.SLIP  # power failure before this epoch
    assert file.epochs.clock_offsets_s[1] == 0.000123456789 and math.isnan(file.epochs.clock_offsets_s[0])
    assert [satellite_name(s) for s in file.epoch(0).satellite] == ["G05", "G05", "R01", "C11"]


@pytest.mark.kernel
def test_rinex_2_phases_belong_to_the_code_the_satellite_has() -> None:
    """RINEX 3.05 table A23: L1 is C/A's unless only P1 is there, L2 P(Y)'s only where P2 is."""
    file = read(OBSERVATIONS_2)
    assert file.diagnostics == () and file.header.interval_s == 30.0
    rows = file.epoch(0)
    found = {
        (satellite_name(s), signal_name(g)): (code, phase == phase) for s, g, code, phase in zip(*rows[:4], strict=True)
    }
    assert found == {
        ("G05", "G1C"): (21223008.248, True), ("G05", "G1W"): (21223000.878, False),
        ("G05", "G2W"): (21223008.113, True), ("G05", "G2X"): (21223000.265, False),
        ("G07", "G1W"): (22652001.307, True), ("G07", "G2X"): (pytest.approx(math.nan, nan_ok=True), True),
        ("G12", "G1C"): (22699008.724, True), ("G12", "G2X"): (22699000.741, True),
    }  # fmt: skip
    assert row(file, 0, "G07", "G1W")["flags"] == ObservationFlag.SLIP
    assert row(file, 0, "G07", "G2X")["flags"] == ObservationFlag.HALF_CYCLE
    assert file.epochs.clock_offsets_s[0] == -1.23e-7


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("G05  21223008.248 7 1115", "G05  21223008.2 8 7 1115", "obs.value.bad", 1),
        ("G05  21223008.248 7 111528166.370 7", "G05  21223008.248 7************** 7", "obs.value.overflow", 1),
        ("R01  19789008.814   105598895.471 6", "R01 19789008.814   105598895.471 6 ", "obs.satellite.misaligned", 2),
        ("R01  19789008", "E01  19789008", "obs.satellite.undeclared", 2),
        ("R01  19789008", "R??  19789008", "obs.satellite.unreadable", 2),
        ("R01  19789008", "G05  19789008", "obs.satellite.duplicate", 2),
        ("R01  19789008.814", "R01  1978\x00008.814", "text.nul", 2),
        ("105598895.471 6", "105598895.47196", "obs.lli.unknown", 2),
        ("118458266.717\n", "118458266.717                   x\n", "obs.line.long", 3),
        ("> 2026 03 09 00 00  0.0000000  0  3\n", "> 2026 03 09 00 00  0.0000000  0  4\n", "obs.epoch.count", 0),
        ("> 2026 03 09 00 00  0.0000000  0  3\n", ">2026 3 9 0 0 0.0 0 3\n", "obs.epoch.layout", 0),
        ("> 2026 03 09 00 00 30.0000000", "> 2026 03 09 00 00 60.0000000", "obs.epoch.sixty", 4),
        ("> 2026 03 09 00 00 30.0000000", "> 2026 03 08 00 00 30.0000000", "obs.epoch.order", 4),
        ("> 2026 03 09 00 00 30.0000000", "> 2026 02 30 00 00 30.0000000", "obs.epoch.unreadable", 4),
        ("R01  19789008", f"{'free text':<60}COMMENT\nR01  19789008", "obs.comment.outside_event", 2),
    ],
)  # fmt: skip
def test_damage_is_local_and_reported(old: str, new: str, code: str, line: int) -> None:
    assert EPOCHS_3.count(old) == 1
    file, whole = read(header(HEADER_3) + EPOCHS_3.replace(old, new)), read(OBSERVATIONS_3)
    assert (code, FIRST_EPOCH_LINE + line) in codes(file)
    lost = {"obs.satellite.misaligned": 1, "obs.satellite.undeclared": 1, "obs.satellite.unreadable": 1,
            "obs.satellite.duplicate": 1, "text.nul": 1, "obs.epoch.unreadable": 2}.get(code, 0)  # fmt: skip
    assert file.observations.satellite.size == whole.observations.satellite.size - lost
    assert len(codes(file)) == 1
    assert all(d.text and d.expected and d.severity in Severity for d in file.diagnostics)


def test_a_truncated_last_epoch_is_dropped_whole() -> None:
    for cut in (5, 30, 60, 75):
        file = read(OBSERVATIONS_3[:-cut])
        assert file.epochs.tags.size == 1 and ("obs.epoch.truncated", FIRST_EPOCH_LINE + 4) in codes(file), cut
    assert read(OBSERVATIONS_3[:-1]).epochs.tags.size == 2  # the last newline alone may be missing


def test_three_digit_years_and_resuming_in_rinex_2() -> None:
    file = read(header(HEADER_2) + EPOCHS_2.replace(" 26  3  9  0  0 30", " 126  3  9  0  0 30"))
    assert codes(file) == [("obs.epoch.year", len(HEADER_2) + 8)] and file.epochs.tags.size == 2
    file = read(header(HEADER_2) + "nonsense\n  more of it\n" + EPOCHS_2)
    assert codes(file) == [("obs.epoch.unreadable", len(HEADER_2) + 1)] and file.epochs.tags.size == 2


def test_events_change_what_follows_and_take_no_epoch() -> None:
    text = header(HEADER_3) + EPOCHS_3 + EVENTS_3.replace(
        "        0.2000        0.0000        0.0000                  ANTENNA: DELTA H/E/N",
        f"{'G    2 L1C C1C':<60}SYS / # / OBS TYPES",
    ).replace("G05  21219048.248 7 111507356.430 7", "G05 111507356.430 7  21219048.248 7")  # fmt: skip
    file = read(text)
    assert file.diagnostics == () and [e.flag for e in file.events] == [4, 5]
    assert row(file, 2, "G05", "G1C")["pseudorange"] == 21219048.248
    assert file.events[0].header is not None and file.events[0].header.codes("G") == ("L1C", "C1C")
    assert file.header.codes("G")[:2] == ("C1C", "L1C")
    assert file.events[1].calendar == parse_time("2026-03-09T00:01:12") + 123_456_700


def test_lying_counts_of_rinex_2_types() -> None:
    """Seven listed under a count of three: two lines a satellite agree with the list, so the list holds."""
    lines = header(HEADER_2, TYPES_OF_OBSERV="     3    C1    P1    L1    C2    P2    L2    S2")
    file = read(lines + EPOCHS_2)
    assert codes(file) == [("obs.header.types_count", 10)] and file.observations.satellite.size == 9
    short = " 26  3  9  0  0  0.0000000  0  1G05\n  21223008.248    21223000.878   111528166.370 7\n"
    file = read(lines + short + short.replace(" 0.00", "30.00"))
    assert file.header.codes("G") == ("C1", "P1", "L1") and file.epochs.tags.size == 2


def test_time_systems() -> None:
    for system, seconds in (("GPS", 0), ("GAL", 0), ("QZS", 0), ("BDT", 14), ("BDS", 14), ("GLO", 18)):
        first = f"  2026     3     9     0     0    0.0000000     {system}"
        file = read(header(HEADER_3, TIME_OF_FIRST_OBS=first) + EPOCHS_3)
        assert file.epochs.tags[0] == parse_time("2026-03-09T00:00:00") + seconds * NS


def test_the_leap_second_of_2016_in_a_glonass_file() -> None:
    first = "  2016    12    31    23    59   59.0000000     GLO"
    epochs = [f"> 2016 12 31 23 59 {s}.0000000  0  1\nG05  21223008.248\n" for s in ("59", "60")]
    epochs.append("> 2017 01 01 00 00 00.0000000  0  1\nG05  21223008.248\n")
    file = read(header(HEADER_3, TIME_OF_FIRST_OBS=first) + "".join(epochs))
    assert np.diff(file.epochs.tags).tolist() == [NS, NS]
    assert file.epochs.tags[-1] == parse_time("2017-01-01T00:00:00Z")


def test_channels_that_are_given_go_before_the_headers() -> None:
    file = read_observations(OBSERVATIONS_3.encode(), glonass_channels={1: -3})
    assert row(file, 0, "R01", "R1C")["phaserange"] == pytest.approx(
        105598895.471 * C / (1602e6 - 3 * 562_500), abs=1e-7
    )
    assert file.diagnostic_counts == {"obs.glonass.channel_conflict": 1}
    without = header(HEADER_3, GLONASS_SLOT_FRQ="  1 R02 -4") + EPOCHS_3
    file = read(without)
    assert math.isnan(row(file, 0, "R01", "R1C")["phaserange"]) and row(file, 0, "R01", "R1C")["pseudorange"] > 0
    assert (
        file.withheld_phases == {parse_satellite("R01"): 1} and "obs.glonass.unknown_channel" in file.diagnostic_counts
    )


def test_beidou_b1i_was_called_1i_in_3_02() -> None:
    lines = header(HEADER_3, RINEX_VERSION_TYPE="     3.02           OBSERVATION DATA    M").replace(
        "C2I L2I", "C1I L1I"
    )
    file = read(lines + EPOCHS_3)
    assert row(file, 0, "C11", "C2I")["pseudorange"] == 22749008.774
    assert next(iter(epoch_records(file))).values["C11"]["C1I"][0] == 22749008.774  # as printed


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "begins with 'nothing'"), ("\x00" * 100, "not RINEX"), ("GPS data\n" * 20, "begins with 'GPS data'"),
     ("     3.04           N: GNSS NAV DATA    M                   RINEX VERSION / TYPE\n", "expected OBSERVATION"),
     ("    33.04           OBSERVATION DATA    M                   RINEX VERSION / TYPE\n", "RINEX version 33.04")],
)  # fmt: skip
def test_what_is_no_observation_file_is_refused(text: str, words: str) -> None:
    with pytest.raises(NotRinexError, match=words):
        read(text)


def test_foreign_letters_and_a_missing_end_of_header() -> None:
    named = OBSERVATIONS_3.replace(f"{'TEST00CHN':<60}", f"{'Zürich':<60}")
    utf8 = read_observations(named.encode("utf-8"))
    assert utf8.header.marker_name == "Zürich" and codes(utf8) == [("text.not_ascii", 4)]
    assert read_observations(named.encode("latin-1")).header.marker_name == "Zürich"
    padded_by_bytes = named.encode("utf-8").replace("Zürich ".encode(), "Zürich".encode())
    assert read_observations(padded_by_bytes).header.marker_name == "Zürich"
    file = read(OBSERVATIONS_3.replace(f"{'':<60}{'END OF HEADER':<20}\n", ""))
    assert codes(file) == [("header.end_missing", len(HEADER_3))] and file.epochs.tags.size == 2
