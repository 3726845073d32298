"""Slips, clock jumps and multipath in real recordings: the storm of October 2003, 1 Hz stations, orbits or none.

Truth of slips: the receiver's own loss-of-lock flags, and slips put into the real phases by hand. Rates printed in
docs/ingest.md are these tests'.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from cors.gnss.observations import ObservationFlag, Observations
from cors.gnss.signals import parse_signal
from cors.gnss.time import parse_time
from cors.quality.judgement import SLIPS, Cause, ClockJump, Judgement, ModelledRanges
from cors.quality.tracker import StationTracker
from cors.rinex.navigation.reading import read_navigation
from cors.rinex.observation.reading import read_observations
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.stream import StreamDecoder
from tests.real.conftest import data_path
from tests.real.ranges import StationRanges

C = 299_792_458.0
L1, L2 = C / 1575.42e6, C / 1227.60e6
Epoch = tuple[int, Observations, ModelledRanges | None]


class Recording(NamedTuple):
    """Epochs with ranges where orbits are at hand."""

    epochs: tuple[Epoch, ...]
    rows: int


@cache
def recording(folder: str, name: str, orbits: str | None = None) -> Recording:
    file = read_observations(data_path("gnss", folder, name))
    model = None
    if orbits is not None:
        header = file.header
        assert header.position is not None
        sets = read_navigation(data_path("gnss", folder, orbits)).ephemerides
        model = StationRanges(header.position, sets, int(file.epochs.tags[0]))
    epochs = []
    for k, tag in enumerate(file.epochs.tags.tolist()):
        rows = file.epoch(k)
        epochs.append((tag, rows, model(tag, rows) if model is not None else None))
    return Recording(tuple(epochs), len(file.observations.satellite))


STORM = "stations/storm_2003303", "brdc3030.03n.gz"


def storm(name: str) -> Recording:
    return recording(STORM[0], name, STORM[1])


def judge(epochs: tuple[Epoch, ...], ranges: bool = True) -> tuple[StationTracker, list[Judgement]]:
    tracker = StationTracker()
    return tracker, [tracker.step(tag, rows, modelled if ranges else None) for tag, rows, modelled in epochs]


def on_two_bands(rows: Observations) -> set[int]:
    """Satellites with phases on two bands."""
    there = np.isfinite(rows.phaserange)
    first = set(rows.satellite[there & (rows.signal & 63 < 8)].tolist())
    return first & set(rows.satellite[there & (rows.signal & 63 >= 8)].tolist())


def with_slips(epochs: tuple[Epoch, ...], cycles: tuple[float, float], every: int):
    """Each `every` epochs one satellite slips on L1 and L2 for good; yields epochs and that satellite, or None."""
    rng = np.random.default_rng(5)
    offset: dict[int, int] = {}
    for k, (tag, rows, modelled) in enumerate(epochs):
        slips = None
        if k > every and k % every == 0:
            recent = [epochs[j][1] for j in range(k - 12, k + 1)]
            flagged = {int(s) for r in recent for s in r.satellite[r.flags & 1 > 0]}
            old = sorted(set.intersection(*(on_two_bands(r) for r in recent)) - flagged)
            if old:
                slips = int(rng.choice(old))
                offset[slips] = offset.get(slips, 0) + 1
        phase = rows.phaserange.copy()
        for satellite, times in offset.items():
            mine = rows.satellite == satellite
            first = mine & (rows.signal & 63 < 8)
            phase[first] += times * cycles[0] * L1
            phase[mine & ~first] += times * cycles[1] * L2
        yield tag, rows._replace(phaserange=phase), modelled, slips


def found_share(epochs: tuple[Epoch, ...], cycles: tuple[float, float], every: int, ranges: bool = True) -> float:
    """Share of the slips put in that are found on every band they are on, in their own epoch."""
    tracker, found, sent = StationTracker(), 0, 0
    for tag, rows, modelled, slips in with_slips(epochs, cycles, every):
        judged = tracker.step(tag, rows, modelled if ranges else None)
        if slips is not None:
            mine = judged.observations.satellite == slips
            first = mine & (judged.observations.signal & 63 < 8)
            hit = judged.cause & int(SLIPS) != 0
            sent += 1
            found += (not cycles[0] or hit[first].any()) and (not cycles[1] or hit[mine & ~first].any())
    assert sent > 30
    return found / sent


@pytest.mark.parametrize("name", ["amc23030.03d.gz", "garl3030.03d.gz"])
def test_the_storm_is_not_taken_for_slips(name: str) -> None:
    station = storm(name)
    tracker, judged = judge(station.epochs)
    told = [j.cause & int(Cause.RECEIVER) != 0 for j in judged]
    alone = []  # flagged by us and not by the receiver, on satellites with both bands
    for j, receiver in zip(judged, told, strict=True):
        pair = np.isin(j.observations.satellite, list(on_two_bands(j.observations)))
        alone.append(int(((j.cause & int(SLIPS) != 0) & ~receiver & pair).sum()))
    assert tracker.statistics().slips_by_cause["RECEIVER"] > 50
    # up to 0.4 m of ionosphere moves between two epochs of 30 s here
    assert sum(alone) < 0.005 * station.rows


@pytest.mark.parametrize(
    ("cycles", "share"),
    [((1, 0), 0.97), ((0, 1), 0.97), ((1, -1), 0.99), ((9, 7), 0.95), ((77, 60), 0.97), ((4, 5), 0.9)],
)
def test_in_the_storm_at_30_s_slips_are_found(cycles: tuple[float, float], share: float) -> None:
    assert found_share(storm("amc23030.03d.gz").epochs[1400:], cycles, 30) >= share


@pytest.mark.parametrize("cycles", [(1, 0), (0, 1), (1, 1), (9, 7), (0.5, 0), (0, 0.5)])
def test_at_1_hz_every_slip_is_found(cycles: tuple[float, float]) -> None:
    station = recording("network/catalonia_2010077", "UPC1077f.10d.gz", "brdc0770.10n.gz")
    assert found_share(station.epochs[:800], cycles, 12) == 1.0


def test_at_1_hz_a_quiet_hour_has_no_slips_to_speak_of() -> None:
    station = recording("network/catalonia_2010077", "UPC1077f.10d.gz", "brdc0770.10n.gz")
    _, judged = judge(station.epochs)
    flagged = sum(int((j.cause & int(SLIPS) != 0).sum()) for j in judged)
    assert flagged < 5e-4 * station.rows


@pytest.mark.parametrize("name", ["tibb100u.20d.gz", "mhdl100u.20d.gz"])
def test_an_hour_at_1_hz_without_orbits(name: str) -> None:
    station = recording("baselines/tibb_mhdl_2020100", name)
    tracker, judged = judge(station.epochs[:1800])
    rows = sum(len(j.cause) for j in judged)
    flagged = sum(int((j.cause & int(SLIPS) != 0).sum()) for j in judged)
    assert flagged < 1e-3 * rows
    multipath = {s.signal: s for s in tracker.statistics().signals}
    assert 0.1 < multipath["G1C"].multipath_rms[9] < 0.5 and 0.1 < multipath["G2W"].multipath_rms[9] < 0.5
    for cycles in ((1, 0), (0, 1), (1, -1), (0.5, 0)):
        assert found_share(station.epochs[:600], cycles, 15, ranges=False) == 1.0


def test_the_clock_resets_of_a_receiver_are_told_from_slips() -> None:
    # GARL's Ashtech resets its clock by a millisecond each time it has drifted that far
    _, judged = judge(storm("garl3030.03d.gz").epochs)
    jumps = [(k, j) for k, j in enumerate(judged) if j.clock_jump is not ClockJump.NONE]
    assert len(jumps) == 39 and {j.clock_jump for _, j in jumps} == {ClockJump.CODE_AND_PHASE}
    assert {abs(j.clock_jump_ms) for _, j in jumps} == {1}
    flagged = [int((j.cause & int(SLIPS) != 0).sum()) for _, j in jumps]
    assert sum(flagged) < 0.1 * sum(len(j.cause) for _, j in jumps)


def test_a_half_cycle_is_no_slip_and_a_falling_lock_time_is_one() -> None:
    """The case `rtcm-half-cycle` of the data collection.

    Half cycle in the second epoch, lock time falls in the fourth. In the fifth it has grown to 272..288 ms in a second:
    by RTCM's rule over the elapsed time that lock began after the fourth, so there was another slip.
    """
    data = data_path("rinex", "half_cycle.rtcm3").read_bytes()
    decoder, tracker = StreamDecoder(parse_time("2026-03-12T00:00:00")), StationTracker()
    epochs = [e for e in decoder.feed(data) + decoder.close() if isinstance(e, StationEpoch)]
    judged = [tracker.step(epoch.gpst, epoch.observations) for epoch in epochs]
    slip, half = int(ObservationFlag.SLIP), int(ObservationFlag.HALF_CYCLE)
    flags = [(j.observations.flags & (slip | half)).tolist() for j in judged]
    assert flags == [[slip, slip], [half, 0], [0, 0], [slip, 0], [slip, 0]]  # G1C, G2L
    assert [Cause(int(c)) for c in judged[3].cause] == [Cause.LOCK_TIME, Cause(0)]


def test_multipath_falls_with_elevation() -> None:
    tracker, _ = judge(storm("amc23030.03d.gz").epochs)
    signal = next(s for s in tracker.statistics().signals if parse_signal(s.signal) == parse_signal("G1C"))
    low, high = signal.multipath_rms[1], signal.multipath_rms[7]
    assert low > 2.0 * high and 0.05 < high < 0.3
