"""The bytes of simulated stations, read by foreign programs: pyrtcm decodes the truth, RTKLIB positions and fixes."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyrtcm import RTCMReader, parse_msm

from cors.gnss.coordinates import enu_from_ecef
from cors.gnss.ephemeris import StateEphemeris
from cors.gnss.observations import ObservationFlag
from cors.gnss.satellites import parse_satellite, satellite_name
from cors.gnss.signals import parse_signal
from cors.gnss.time import NS
from cors.rtcm.ephemerides import decode_ephemeris, encode_ephemeris
from cors.rtcm.frames import read_frames
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.station_messages import AntennaDescriptor, GlonassBiases, StationPosition
from cors.rtcm.stream import StreamDecoder
from rtk.simulation.configuration import Configuration, demo
from rtk.simulation.delivery import Latency
from rtk.simulation.faults import Duplicated, Fault, Frozen, Garbled, Killed, Late, Swapped
from rtk.simulation.receivers import MAKES, ReceiverClock
from rtk.simulation.scenarios import DISTURBED, STORM
from rtk.simulation.simulation import Simulation
from rtk.simulation.streams import Arrival, Streams
from tests.programs import program
from tests.rtk.simulation.worlds import START, C, site, world

MS_M = C * 1e-3
_LETTERS = {"107": "G", "108": "R", "109": "E", "111": "J", "112": "C"}


def _numbers(data: bytes) -> Counter[int]:
    return Counter(frame.number for frame in read_frames(data))


def _cells(data: bytes) -> dict[tuple[int, int], tuple[float, float, float, float]]:
    """Pseudorange, phaserange, rate (m, m, m/s) and C/N0 of all MSM cells, from pyrtcm's fields (RTCM 3.5.12)."""
    found = {}
    for frame in read_frames(data):
        if not 1071 <= frame.number <= 1127:
            continue
        _, satellites, cells = parse_msm(RTCMReader.parse(frame.data))
        letter = _LETTERS[str(frame.number)[:3]]
        rough = {s["PRN"]: (s["DF397"] + s["DF398"], s.get("DF399", 0)) for s in satellites}
        for cell in cells:
            ms, rate = rough[cell["CELLPRN"]]
            satellite = parse_satellite(f"{letter}{int(cell['CELLPRN']) % 192:02d}")
            found[satellite, parse_signal(letter + cell["CELLSIG"])] = (
                MS_M * (ms + cell.get("DF405", cell.get("DF400"))),
                MS_M * (ms + cell.get("DF406", cell.get("DF401"))),
                rate + cell.get("DF404", np.nan),
                cell.get("DF408", cell.get("DF403")),
            )
    return found


@pytest.mark.parametrize("make", list(MAKES))
def test_pyrtcm_decodes_what_the_receiver_measured(make: str) -> None:
    """To half a step of the fields: 2^-29 and 2^-31 ms in MSM7, 2^-24 and 2^-29 ms in MSM4 and 5."""
    clock = ReceiverClock.MOVES_TAG if make == "AQUILA A9" else ReceiverClock.RESETS_BOTH
    simulation = Simulation(Configuration(START, 1, stations=(site(1, make=make, clock=clock),), scenario=DISTURBED))
    streams = Streams(simulation)
    fine = MAKES[make].msm == 7
    for number in range(3):
        (arrival,) = streams.arrivals(number)
        o = simulation.epoch(number).station(0)
        cells = _cells(arrival.data)
        assert len(cells) == o.satellite.size
        code_step, phase_step = (2.0**-29, 2.0**-31) if fine else (2.0**-24, 2.0**-29)
        for k in range(o.satellite.size):
            code, phase, rate, cn0 = cells[int(o.satellite[k]), int(o.signal[k])]
            assert code == pytest.approx(o.pseudorange[k], abs=0.51 * code_step * MS_M)
            assert phase == pytest.approx(o.phaserange[k], abs=0.51 * phase_step * MS_M)
            assert MAKES[make].msm == 4 or rate == pytest.approx(o.phaserange_rate[k], abs=0.51e-4)
            assert cn0 == pytest.approx(float(o.cn0[k]), abs=0.04 if fine else 0.51)


def test_time_tags_are_those_of_the_receiver() -> None:
    """Ms of week of GPS; BeiDou's week begins 14 s earlier in its own count."""
    simulation = world(site(3, clock=ReceiverClock.MOVES_TAG), interval_s=60.0)
    streams, seen = Streams(simulation), set()
    for number in range(60):
        (arrival,) = streams.arrivals(number)
        epoch = simulation.epoch(number)
        seen.add(int(epoch.tags[0] - epoch.gpst))
        stamps = {f.number: RTCMReader.parse(f.data) for f in read_frames(arrival.data) if f.number in (1077, 1127)}
        ms = int(epoch.tags[0]) // 1_000_000 % 604_800_000
        assert ms == stamps[1077].DF004 and (ms - 14_000) % 604_800_000 == stamps[1127].DF427
    assert len(seen) > 1 and seen <= {-1_000_000, 0, 1_000_000}


def test_what_a_station_sends_and_when() -> None:
    simulation = Simulation(demo(START, 1))
    streams = Streams(simulation)
    epochs = [{a.station: a for a in streams.arrivals(k)} for k in range(41)]
    tracked = {n: set(simulation.epoch(40).station(i).satellite.tolist()) for i, n in enumerate(simulation.names)}
    for name, row in (("YUEL00CHN", 0), ("LOUD00CHN", 3), ("ROVE00CHN", 8)):
        sent = sum((_numbers(e[name].data) for e in epochs), Counter())
        assert all(4 <= sent[n] <= 6 for n in (1006, 1008, 1033, 1230))
        assert {1019, 1020, 1042, 1044, 1045, 1046} <= sent.keys()
        kind = MAKES[simulation.sites[row].make].msm
        assert sent[1070 + kind] == 41 and sent[1080 + kind] == 41
        told = set()
        for e in epochs:
            for f in read_frames(e[name].data):
                if f.number == 1042:
                    told.add(parse_satellite(f"C{RTCMReader.parse(f.data).DF488:02d}"))
        assert told >= {s for s in tracked[name] if satellite_name(s)[0] == "C"}
    preamble = _numbers(streams.preamble("ROVE00CHN", simulation.epoch(40)))
    assert preamble[1006] == 1 and preamble[1230] == 1
    assert sum(preamble[n] for n in (1019, 1020, 1042, 1044, 1046)) == len(tracked["ROVE00CHN"])


def test_an_issue_that_changes_is_sent_at_once() -> None:
    late = START - START % 600_000_000_000 + 600_000_000_000  # Galileo's sets change every 10 minutes
    simulation = world(site(1), systems="E", seed=2)
    first = round((late - START) / 1e9)
    streams = Streams(simulation)
    issues: list[set[int]] = []
    for number in range(first - 40, first + 3):
        (arrival,) = streams.arrivals(number)
        new = {int(RTCMReader.parse(f.data).DF290) for f in read_frames(arrival.data) if f.number == 1046}
        issues.append(new)
    assert len(set.union(*issues[:40])) == 1 and set.union(*issues[40:]) - set.union(*issues[:40])


@pytest.mark.parametrize("seconds", [0, 4000, 90_000])
def test_every_set_comes_back_from_its_message_unchanged(seconds: int) -> None:
    """What the simulator calls broadcast is already as coarse as the message."""
    simulation = world()
    gpst = START + seconds * NS
    kinds = Counter()
    for e in simulation.ephemerides(gpst):
        back = decode_ephemeris(encode_ephemeris(e), gpst)
        kinds[e.message] += 1
        told: dict[str, Any] = {"transmission": e.transmission, "extra": e.extra}
        if isinstance(e, StateEphemeris):
            told["age_days"] = e.age_days
        assert repr(replace(back, **told)) == repr(e)  # where NaN is NaN
    assert set(kinds) == {"LNAV", "FDMA", "INAV", "FNAV", "D1", "D2"}


def test_a_stream_decodes_to_the_epochs_and_descriptions_it_was_made_of() -> None:
    """Rows, tags, half cycles and lock times (minima of their coded spans) through our own decoder, in odd pieces."""
    sites = (site(1, make="BOREAS B10", antenna="SIMGEOD2", clock=ReceiverClock.MOVES_TAG),)
    simulation = Simulation(Configuration(START, 4, stations=sites, scenario=STORM))
    streams, decoder = Streams(simulation), StreamDecoder(START)
    data = b"".join(a.data for k in range(250, 280) for a in streams.arrivals(k))
    events = [e for k in range(0, len(data), 777) for e in decoder.feed(data[k : k + 777])] + decoder.close()
    assert not decoder.diagnostics
    epochs = [e for e in events if isinstance(e, StationEpoch)]
    assert len(epochs) == 30 and all(e.complete and e.station_id == 1 for e in epochs)
    halves = 0
    for number, epoch in zip(range(250, 280), epochs, strict=True):
        truth = simulation.epoch(number)
        sent, got = truth.station(0), epoch.observations
        assert epoch.gpst == truth.tags[0]
        assert np.array_equal(sent.satellite, got.satellite) and np.array_equal(sent.signal, got.signal)
        assert np.allclose(sent.pseudorange, got.pseudorange, atol=0.51 * 2.0**-29 * MS_M, rtol=0.0)
        assert np.allclose(sent.phaserange, got.phaserange, atol=0.51 * 2.0**-31 * MS_M, rtol=0.0)
        assert np.all(got.lock_time <= sent.lock_time) and np.all(got.lock_time >= sent.lock_time * 0.96 - 1.0)
        assert np.array_equal(sent.flags, got.flags)
        halves += int((got.flags & ObservationFlag.HALF_CYCLE > 0).sum())
    assert halves > 0
    said = {type(e): e for e in events if isinstance(e, StationPosition | AntennaDescriptor | GlonassBiases)}
    assert np.allclose(said[StationPosition].position_ecef, sites[0].position_ecef, atol=5.1e-5)
    assert said[AntennaDescriptor].descriptor == f"{'SIMGEOD2':<16}SIMD"
    assert said[GlonassBiases] == GlonassBiases(1, False, 19.06, 19.06, 19.06, 19.06)
    assert (
        decoder.glonass_channels.items()
        <= dict(zip(simulation.sky.satellites, simulation.sky.channels, strict=True)).items()
    )


def _faulty(*faults: Fault) -> tuple[list[dict[str, list[Arrival]]], Simulation]:
    simulation = world(site(1), site(2, 28.3, make="BOREAS B10"), faults=faults, latency=Latency(0.0))
    streams, found = Streams(simulation), []
    for number in range(12):
        by_name: dict[str, list[Arrival]] = {name: [] for name in simulation.names}
        for arrival in streams.arrivals(number):
            by_name[arrival.station].append(arrival)
        found.append(by_name)
    return found, simulation


def test_faults_of_links_are_in_the_bytes() -> None:
    one, two = "S00100CHN", "S00200CHN"
    clean, _ = _faulty()
    silent, _ = _faulty(Killed(station=one, start=5.0, end=8.0))
    assert [len(e[one]) for e in silent] == [1] * 5 + [0] * 3 + [1] * 4
    frozen, _ = _faulty(Frozen(station=one, start=5.0, end=9.0))
    assert all(frozen[k][one][0].data == frozen[4][one][0].data for k in range(5, 9))
    assert frozen[9][one][0].data != frozen[4][one][0].data
    swapped, _ = _faulty(Swapped(station=one, source=two, start=5.0))
    assert swapped[6][one][0].data == swapped[6][two][0].data == clean[6][two][0].data
    late, _ = _faulty(Late(station=one, delay=5.0, start=5.0))
    assert [e[one][0].delay_s for e in late] == [0.0] * 5 + [5.0] * 7
    twice, _ = _faulty(Duplicated(station=one, start=5.0))
    assert [len(e[one]) for e in twice] == [1] * 5 + [2] * 7
    garbled, _ = _faulty(Garbled(station=one, ratio=1.0, start=5.0))
    assert all(g[one][0].data != c[one][0].data for g, c in zip(garbled[5:], clean[5:], strict=True) if g[one])
    assert all(g[two] == c[two] for g, c in zip(garbled, clean, strict=True))


def test_a_stream_whose_values_freeze_while_time_runs() -> None:
    found, simulation = _faulty(Frozen(station="S00100CHN", start=5.0, time_runs=True))
    then, now = (_cells(found[k]["S00100CHN"][0].data) for k in (4, 9))
    assert {k: v[:3] for k, v in then.items()} == {k: v[:3] for k, v in now.items()}
    stamp = next(f for f in read_frames(found[9]["S00100CHN"][0].data) if f.number == 1077)
    assert (simulation.epoch(9).gpst // 1_000_000) % 604_800_000 == RTCMReader.parse(stamp.data).DF004


# --- RTKLIB: convbin reads the streams, rnx2rtkp positions the rover and fixes it against the base.

BASE = site(1, 28.0, 112.5, 120.0, quality=0.6)
ROVER = site(2, 28.033, 112.535, 122.0, make="FORNAX F1", quality=0.6)


@pytest.fixture(scope="module")
def rinex(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RINEX that RTKLIB made of 15 minutes of both streams, an epoch each 5 s."""
    folder = tmp_path_factory.mktemp("rtklib")
    streams = Streams(Simulation(Configuration(START, 7, interval_s=5.0, stations=(BASE, ROVER))))
    data: dict[str, bytearray] = {"base": bytearray(), "rover": bytearray()}
    for number in range(180):
        for name, arrival in zip(data, streams.arrivals(number), strict=True):
            data[name] += arrival.data
    for name, stream in data.items():
        (folder / f"{name}.rtcm3").write_bytes(stream)
        command = [program("convbin"), "-r", "rtcm3", "-v", "3.04", "-od", "-os", "-tr", "2026/11/25", "05:20:00"]
        files = ["-o", f"{name}.obs", "-n", f"{name}.nav", f"{name}.rtcm3"]
        subprocess.run([*command, *files], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


def _rnx2rtkp(folder: Path, mode: str, system: int, ionosphere: str) -> tuple[np.ndarray, np.ndarray]:
    """Errors east, north, up (m) and quality by epoch."""
    x, y, z = BASE.position_ecef
    options = {
        "pos1-posmode": mode, "pos1-frequency": "l1+l2", "pos1-elmask": 10, "pos1-navsys": system,
        "pos1-ionoopt": ionosphere, "pos1-tropopt": "saas", "pos2-armode": "continuous", "pos2-gloarmode": "off",
        "out-solformat": "xyz", "ant2-postype": "xyz", "ant2-pos1": x, "ant2-pos2": y, "ant2-pos3": z,
    }  # fmt: skip
    (folder / "options.conf").write_text("".join(f"{k} ={v}\n" for k, v in options.items()))
    inputs = ["rover.obs", "base.obs"] if mode != "single" else ["rover.obs"]
    command = [program("rnx2rtkp"), "-k", "options.conf", *inputs, "rover.nav"]
    run = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=60)
    rows = [line.split() for line in run.stdout.splitlines() if line and line[0] != "%"]
    values = np.array([[float(v) for v in row[2:6]] for row in rows])
    return enu_from_ecef(values[:, :3], ROVER.position_ecef), values[:, 3]


def test_rtklib_reads_every_system(rinex: Path) -> None:
    header = (rinex / "rover.obs").read_text().split("END OF HEADER")[0]
    types = {line[0] for line in header.splitlines() if line.rstrip().endswith("SYS / # / OBS TYPES")} - {" "}
    assert types == set("GRECJ")
    epochs = sum(line.startswith(">") for line in (rinex / "rover.obs").read_text().splitlines())
    assert epochs == 180


@pytest.mark.parametrize(("system", "name"), [(1, "GPS"), (8, "Galileo"), (32, "BeiDou"), (63, "all")])
def test_rtklib_positions_a_simulated_station_within_three_metres(rinex: Path, system: int, name: str) -> None:
    errors, _ = _rnx2rtkp(rinex, "single", system, "dual-freq")
    assert errors.shape[0] > 170
    assert np.linalg.norm(errors.mean(axis=0)) < 3.0
    assert np.all(np.sqrt((errors**2).mean(axis=0)) < [2.0, 2.0, 4.0])


@pytest.mark.parametrize(("system", "name"), [(1, "GPS"), (32, "BeiDou")])
def test_rtklib_fixes_a_five_kilometre_baseline_right(rinex: Path, system: int, name: str) -> None:
    """Every fix within 15 mm horizontally and 30 mm in height, though L1 alone bears 1 ppm of ionosphere."""
    errors, quality = _rnx2rtkp(rinex, "kinematic", system, "off")
    fixed = quality == 1
    assert fixed.mean() > 0.85
    assert np.hypot(errors[fixed, 0], errors[fixed, 1]).max() < 0.015
    assert np.abs(errors[fixed, 2]).max() < 0.030
