"""Observation files written: read back they say what was written, and they look as RINEX 3.05 and 2.11 want.

Layout facts are those of RINEX 3.05 tables A2, A3 and 2.11 tables A1, A2.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cors.gnss.observations import Observations, empty_observations, from_rows, sort_order, take
from cors.gnss.satellites import parse_satellite
from cors.gnss.signals import carrier_frequency, parse_signal, signal_name
from cors.gnss.time import NS, parse_time
from cors.rinex.errors import UnwritableError
from cors.rinex.labels import HeaderRecord
from cors.rinex.observation.file import ObservationFile
from cors.rinex.observation.header import ObservationHeader
from cors.rinex.observation.reading import read_observations
from cors.rinex.observation.records import epoch_records
from cors.rinex.observation.writing.header_text import date_text
from cors.rinex.observation.writing.rewriting import Rewriter
from cors.rinex.observation.writing.writer import ObservationWriter
from cors.rinex.timescale import TimeSystem
from tests.cors.rinex.texts import EPOCHS_2, EVENTS_3, HEADER_2, OBSERVATIONS_2, OBSERVATIONS_3, header

START = parse_time("2026-03-09T00:00:00")
HEADER = ObservationHeader(
    marker_name="VRSX00CHN", receiver_type="CORSNET", antenna_type="TRM59800.00", radome="SCIS", run_by="TEST",
    date=date_text(START), position=(-2186934.121, 5181666.654, 3000010.987), interval_s=1.0,
    glonass_channels={5: 1, 7: -7},
)  # fmt: skip
SIGNALS = {
    "G": ("G1C", "G2W", "G5Q"), "R": ("R1C", "R2P", "R3I"), "E": ("E1C", "E5Q"), "C": ("C2I", "C5P"),
    "J": ("J1C",), "S": ("S1C",), "I": ("I5A",),
}  # fmt: skip


@st.composite
def epochs(draw: st.DrawFn) -> Observations:
    """An epoch whose values have the decimals RINEX prints."""
    rows = []
    for letter in draw(st.sets(st.sampled_from("GRECJSI"), min_size=1)):
        number = {"R": draw(st.sampled_from([5, 7])), "S": 20}.get(letter, draw(st.integers(1, 36)))
        for signal in draw(st.sets(st.sampled_from(SIGNALS[letter]), min_size=1)):
            packed = parse_signal(signal)
            wavelength = 299_792_458.0 / carrier_frequency(packed, HEADER.glonass_channels.get(number, 0))
            rows.append((
                parse_satellite(f"{letter}{number:02d}"), packed, draw(st.integers(1, 10**11)) / 1000,
                draw(st.integers(-(10**12) + 1, 10**13 - 1).filter(bool)) / 1000 * wavelength,
                -draw(st.integers(-(10**7), 10**7)) / 1000 * wavelength, draw(st.integers(1, 60_000)) / 1000, np.nan,
                draw(st.integers(0, 3)),
            ))  # fmt: skip
    observations = from_rows(rows)
    return take(observations, sort_order(observations))


def assert_same(ours: Observations, theirs: Observations, phase_m: float = 2e-6) -> None:
    assert ours.satellite.tolist() == theirs.satellite.tolist() and ours.signal.tolist() == theirs.signal.tolist()
    np.testing.assert_array_equal(ours.pseudorange, theirs.pseudorange)
    np.testing.assert_allclose(ours.phaserange, theirs.phaserange, rtol=0, atol=phase_m)
    np.testing.assert_allclose(ours.phaserange_rate, theirs.phaserange_rate, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours.cn0, theirs.cn0, rtol=1e-6)
    assert ours.flags.tolist() == theirs.flags.tolist()


@pytest.mark.kernel
@settings(max_examples=40)
@given(
    st.lists(epochs(), min_size=1, max_size=3), st.sampled_from([3.05, 4.0, 4.02]), st.sampled_from(list(TimeSystem))
)
def test_what_is_written_reads_back(written: list[Observations], version: float, system: TimeSystem) -> None:
    writer = ObservationWriter(replace(HEADER, time_system=system), version)
    bodies = [writer.epoch(START + n * NS, rows, clock_offset_s=n * 1e-9) for n, rows in enumerate(written)]
    file = read_observations(writer.header(complete=True) + b"".join(bodies))
    assert file.diagnostics == () and not writer.left_out and file.header.version == version
    assert file.epochs.tags.tolist() == [START + n * NS for n in range(len(written))]
    assert file.epochs.clock_offsets_s.tolist() == [n * 1e-9 for n in range(len(written))]
    for n, rows in enumerate(written):
        assert_same(file.epoch(n), rows)


def one(signal: str = "G1C", satellite: str = "G05", **values: float) -> Observations:
    defaults = {"pseudorange": 2.1e7, "phaserange": 2.1e7, "rate": 0.0, "cn0": 45.0, "flags": 0} | values
    row = (parse_satellite(satellite), parse_signal(signal), defaults["pseudorange"], defaults["phaserange"],
           defaults["rate"], defaults["cn0"], np.nan, int(defaults["flags"]))  # fmt: skip
    return from_rows([row])


def read_back(writer: ObservationWriter, *bodies: bytes) -> ObservationFile:
    return read_observations(writer.header(complete=True) + b"".join(bodies))


def test_layout() -> None:
    writer = ObservationWriter(HEADER)
    body = writer.epoch(START, one(flags=1), clock_offset_s=-2e-9) + writer.epoch(START + NS, one("C2I", "C11"))
    lines = (writer.header(complete=True) + body).decode("ascii").splitlines()
    end = next(n for n, line in enumerate(lines) if line[60:].startswith("END OF HEADER"))
    assert all(len(line) == 80 for line in lines[: end + 1]) and not any("\t" in line for line in lines)
    labels = [line[60:].rstrip() for line in lines[:end]]
    mandatory = [
        "RINEX VERSION / TYPE", "PGM / RUN BY / DATE", "MARKER NAME", "MARKER TYPE", "OBSERVER / AGENCY",
        "REC # / TYPE / VERS", "ANT # / TYPE", "APPROX POSITION XYZ", "ANTENNA: DELTA H/E/N", "SYS / # / OBS TYPES",
        "TIME OF FIRST OBS", "SYS / PHASE SHIFT",
    ]  # fmt: skip
    assert [label for label in dict.fromkeys(labels) if label in mandatory] == mandatory
    assert lines[0] == "     3.05           OBSERVATION DATA    M                   RINEX VERSION / TYPE"
    assert lines[labels.index("ANT # / TYPE")][20:40] == "TRM59800.00     SCIS"
    assert "G    4 C1C L1C D1C S1C" in lines[labels.index("SYS / # / OBS TYPES")]
    assert lines[end + 1] == "> 2026 03 09 00 00  0.0000000  0  1      -0.000000002000"
    assert lines[end + 2] == "G05  21000000.000 7 110355744.84017         0.000          45.000"
    assert not any("-0.000 " in line or line != line.rstrip() for line in lines[end + 1 :])


def test_the_header_tells_only_what_was_written() -> None:
    writer = ObservationWriter(HEADER)
    writer.epoch(START + 7 * NS, one(cn0=np.nan))
    early, late = writer.header().decode(), writer.epoch(START + 8 * NS, one("G2W"))
    assert "TIME OF LAST OBS" not in early and "G    3 C1C L1C D1C" in early
    assert "  2026     3     9     0     0    7.0000000     GPS" in early
    assert late == b"" and writer.left_out == {
        "code G C2W": 1, "code G L2W": 1, "code G D2W": 1, "code G S2W": 1, "epochs without values": 1,
    }  # fmt: skip


def test_time_goes_on_and_what_is_too_large_is_left_out() -> None:
    writer = ObservationWriter(HEADER)
    bodies = [
        writer.epoch(START + NS, one(pseudorange=1e10)),
        writer.epoch(START + NS, one()),
        writer.epoch(START, one()),
    ]
    assert bodies[1:] == [b"", b""]
    assert writer.left_out == {"values too large for F14.3": 1, "epochs not later than the last": 2}
    assert np.isnan(read_back(writer, *bodies).observations.pseudorange[0])


def test_a_phase_beyond_its_field_moves_by_1e9_cycles_and_says_so_once() -> None:
    """RINEX 3.05 section 5.3: reset by 10^9 cycles with the loss-of-lock indicator set."""
    wavelength = 299_792_458.0 / 1575.42e6
    writer = ObservationWriter(HEADER)
    cycles = [9_999_999_000.0, 10_000_000_500.0, 10_000_001_500.0]
    bodies = [writer.epoch(START + n * NS, one(phaserange=c * wavelength)) for n, c in enumerate(cycles)]
    values = [record.values["G05"]["L1C"] for record in epoch_records(read_back(writer, *bodies))]
    assert [(round(v, 3) % 1e9, lli) for v, lli, _ in values] == [(999_999_000.0, None), (500.0, 1), (1500.0, None)]


def test_phases_without_a_channel_and_nameless_signals_are_counted() -> None:
    writer = ObservationWriter(HEADER)
    nameless = one()._replace(signal=np.array([12], np.uint16))
    assert signal_name(12) == "G#13"
    body = writer.epoch(START, one("R1C", "R09")) + writer.epoch(START + NS, nameless)
    assert writer.left_out["phases without a GLONASS channel"] == 1 and writer.left_out["code G C#13"] == 1
    assert np.isnan(read_back(writer, body).observations.phaserange[0])
    assert writer.epoch(START + 2 * NS, empty_observations()) == b""
    writer.add_channels({9: -2})
    later = read_back(writer, writer.epoch(START + 3 * NS, one("R1C", "R09")))
    assert later.header.glonass_channels[9] == -2 and later.observations.phaserange[0] == pytest.approx(2.1e7, abs=1e-4)


def test_below_100_ns_only_4_02_keeps_time() -> None:
    for version, expected in ((3.05, 0), (4.02, 89_012)):
        writer = ObservationWriter(HEADER, version)
        body = writer.epoch(START + 123_456_789, one(), remainder_s=12e-12)
        file = read_back(writer, body)
        assert max(int(file.epochs.picoseconds[0]), 0) == expected
        assert file.epochs.tags[0] == START + 123_456_700 + expected // 1000
        assert file.epochs.remainders_s[0] == pytest.approx(expected % 1000 * 1e-12)


def test_events_in_the_stream() -> None:
    writer = ObservationWriter(HEADER)
    record = HeaderRecord("ANTENNA: DELTA H/E/N", "        0.5000        0.0000        0.0000", 0)
    bodies = [writer.epoch(START, one()), writer.event(4, [record]), writer.event(5, [], START + NS // 2),
              writer.epoch(START + NS, one())]  # fmt: skip
    file = read_back(writer, *bodies)
    assert file.diagnostics == () and file.epochs.tags.size == 2
    assert [(e.flag, e.after_epoch, e.calendar) for e in file.events] == [(4, 0, None), (5, 0, START + NS // 2)]
    assert file.headers[-1].antenna_delta_hen == (0.5, 0.0, 0.0)


@pytest.mark.parametrize("version", [2.11, 3.0, 3.04, 5.0])
def test_other_versions_are_not_written_from_rows(version: float) -> None:
    with pytest.raises(UnwritableError, match=r"expected one of 3\.05"):
        ObservationWriter(HEADER, version)


# --- what was read, written back --------------------------------------------------------------------------------


def records_of(file: ObservationFile) -> list[object]:
    return [(r.calendar, r.flag, r.clock_offset_s, r.picoseconds, r.values) for r in epoch_records(file)]


@pytest.mark.parametrize("version", [3.05, 4.0, 4.02])
def test_values_indicators_events_comments_and_unknown_lines_survive(version: float) -> None:
    text = OBSERVATIONS_3 + EVENTS_3.replace(
        "> 2026 03 09 00 01 12", f"{'between the epochs':<60}COMMENT\n> 2026 03 09 00 01 12"
    )
    text = text.replace("MARKER NUMBER       ", "SITE CLASS          ")
    file = read_observations(text.encode())
    again = read_observations(Rewriter(file, version).text())
    assert records_of(again) == records_of(file)
    for ours, theirs in zip(again.observations, file.observations, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [e.flag for e in again.events] == [4, 4, 5]
    assert [r.content.rstrip() for e in again.events for r in e.records if r.label == "COMMENT"] == [
        "receiver rebooted", "between the epochs",
    ]  # fmt: skip
    assert "made for a test" in again.header.comments
    assert [r.content.rstrip() for r in again.header.records if r.label == "SITE CLASS"] == ["00000M000"]
    assert (again.header.marker_name, again.header.radome, again.header.glonass_channels) == (
        "TEST00CHN",
        "SCIS",
        {1: 1, 2: -4},
    )


def test_to_rinex_2_and_back() -> None:
    """Table A23 both ways: the rows are the same, codes 2.11 has no place for are counted."""
    file = read_observations(OBSERVATIONS_2.encode())
    for version in (2.11, 3.05, 4.02):
        again = read_observations(Rewriter(file, version).text())
        for ours, theirs in zip(again.observations, file.observations, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    modern = read_observations(OBSERVATIONS_3.encode())
    writer = Rewriter(modern, 2.11)
    old = read_observations(writer.text())
    assert old.header.codes("G") == ("C1", "L1", "D1", "S1", "P2", "L2", "D2", "S2")
    assert writer.left_out["satellites of C"] > 0 and old.diagnostics == ()
    g05 = next(iter(epoch_records(old))).values["G05"]
    assert g05["P2"] == (21223008.113, None, 6) and g05["L2"] == (86905321.802, None, 6)


def test_epochs_and_constellations_are_chosen() -> None:
    file = read_observations(OBSERVATIONS_3.encode())
    again = read_observations(Rewriter(file, 3.05, epochs=np.array([False, True]), systems="G").text())
    assert records_of(again) == [
        (start, flag, clock, ps, {"G05": values["G05"]}) for start, flag, clock, ps, values in records_of(file)[1:]
    ]  # type: ignore[misc]
    assert again.header.types.keys() == {"G"} and again.header.first_obs == START + 30 * NS


def test_epochs_out_of_order_are_sorted_and_copies_go() -> None:
    first, second = EPOCHS_2[: EPOCHS_2.index(" 26  3  9  0  0 30")], EPOCHS_2[EPOCHS_2.index(" 26  3  9  0  0 30") :]
    file = read_observations((header(HEADER_2) + second + "\n" + first + first).encode())
    assert file.diagnostic_counts == {"obs.epoch.order": 1, "obs.epoch.duplicate": 1}
    assert np.diff(file.in_time_order().epochs.tags).tolist() == [30 * NS]
    again = read_observations(Rewriter(file, 2.11).text())
    assert again.diagnostics == () and again.epochs.tags.tolist() == [START, START + 30 * NS]
