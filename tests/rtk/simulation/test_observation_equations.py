"""Identities that follow from the observation equations alone: what cancels in which combination, and what remains."""

from __future__ import annotations

import numpy as np
import pytest

from cors.gnss.constants import REFERENCE_FREQUENCY
from cors.gnss.ephemeris import KeplerEphemeris, NavigationMessage
from cors.gnss.group_delays import group_delay
from cors.gnss.satellites import Constellation, is_beidou_2, is_beidou_geo
from cors.gnss.signals import parse_signal, signal_code
from rtk.simulation.epoch import SimulatedEpoch
from rtk.simulation.receivers import MAKES, ReceiverClock
from rtk.simulation.scenarios import DISTURBED, STORM, Effects
from tests.rtk.simulation.worlds import START, C, frequencies, single, site, world

QUIET = Effects(noise=False, coloured_noise=False, multipath=False, slips=False, half_cycles=False)
GEOMETRY_ONLY = {f: False for f in Effects.__dataclass_fields__}


def _double(epoch: SimulatedEpoch, values: np.ndarray, first: str, second: str) -> dict[int, float]:
    """Signal of the second station minus signal of the first, relative to the lowest satellite."""
    a, b = (single(epoch, s, values) for s in epoch.stations[:2])
    one, two = parse_signal(first), parse_signal(second)
    singles = {sat: b[sat, two] - a[sat, one] for sat, sig in a if sig == one and (sat, two) in b}
    reference = singles[min(singles)]
    return {sat: value - reference for sat, value in singles.items()}


def test_ionosphere_stands_in_code_and_phase_with_opposite_signs_and_falls_with_f_squared() -> None:
    simulation = world(effects=Effects(**GEOMETRY_ONLY | {"ionosphere": True, "ionosphere_field": True}))
    epoch = simulation.epoch(60)
    o, mu = epoch.observations, (REFERENCE_FREQUENCY / frequencies(simulation, epoch)) ** 2
    slant = epoch.truth.ionosphere[epoch.truth.link]
    assert np.allclose(o.pseudorange - o.phaserange, 2.0 * mu * slant, atol=1e-6)
    assert slant.min() > 0.5
    # the iono-free code of two carriers is the range and clocks, the same for every pair
    for station in epoch.stations:
        codes, factor = single(epoch, station, o.pseudorange), single(epoch, station, mu)
        for sat in {s for s, _ in codes}:
            signals = [sig for s, sig in codes if s == sat]
            m = np.array([factor[sat, g] for g in signals])
            p = np.array([codes[sat, g] for g in signals])
            different = np.abs(m - m[0]) > 0.1
            free = (m[different] * p[0] - m[0] * p[different]) / (m[different] - m[0])
            assert np.ptp(free) < 1e-5 if free.size > 1 else True


def test_double_differences_of_phases_are_wavelengths_times_the_true_integers() -> None:
    """Without atmosphere, noise and antennas, DD(L) - DD(rho) = lambda DD(N), hardware and clocks and all."""
    off = {"hydrostatic", "wet", "ionosphere", "antennas", "ionosphere_front", "beidou2_code", "tides"}
    effects = Effects(**{f: f not in off and getattr(QUIET, f) for f in GEOMETRY_ONLY})
    simulation = world(effects=effects, scenario=DISTURBED)
    epoch = simulation.epoch(33)
    o, t = epoch.observations, epoch.truth
    wavelength = C / frequencies(simulation, epoch)
    moved = t.range[t.link] + t.phase_clock[t.station] * C
    pairs = (
        ("G1C", "G1C"),
        ("G2W", "G2W"),
        ("G5Q", "G5X"),
        ("E1C", "E1X"),
        ("E5Q", "E5X"),
        ("C2I", "C2I"),
        ("C6I", "C6I"),
    )
    for first, second in (*pairs, ("C1P", "C1X"), ("J1C", "J1C"), ("R1C", "R1C"), ("R2C", "R2C")):
        phases = _double(epoch, o.phaserange - moved, first, second)
        integers = _double(epoch, wavelength * t.integer, first, second)
        assert len(phases) >= 3
        for satellite, value in phases.items():  # Shapiro's delay differs by .1 mm over 53 km
            assert value - integers[satellite] == pytest.approx(0.0, abs=2e-4)


@pytest.mark.parametrize("systems", [pytest.param("J", marks=pytest.mark.kernel), "GRECJ"])
def test_every_term_is_in_the_truth(systems: str) -> None:
    """Range, clocks, atmosphere, biases and errors of `Truth` add up to the observations, antennas aside."""
    simulation = world(scenario=STORM, effects=Effects(antennas=False, shapiro=False), systems=systems)
    epoch = simulation.epoch(500)
    o, t = epoch.observations, epoch.truth
    f = frequencies(simulation, epoch)
    mu = (REFERENCE_FREQUENCY / f) ** 2
    rows = np.searchsorted(simulation.sky.satellites, o.satellite)
    emission = np.round((500.0 + t.emission[t.link]) * 1e9).astype(np.int64)
    clock = np.array([simulation.sky.states(emission[k : k + 1]).clock[rows[k], 0] for k in range(0, rows.size, 9)])
    part = slice(0, rows.size, 9)
    code = t.range[t.link] + C * t.clock[t.station] + t.troposphere[t.link] + mu * t.ionosphere[t.link]
    code += t.code_bias + t.code_error
    phase = t.range[t.link] + C * t.phase_clock[t.station] + t.troposphere[t.link] - mu * t.ionosphere[t.link]
    phase += C / f * t.integer + t.phase_bias + t.phase_error
    assert np.allclose(o.pseudorange[part] - code[part] + C * clock, 0.0, atol=2e-4)
    assert np.allclose(o.phaserange[part] - phase[part] + C * clock, 0.0, atol=2e-4)


def test_code_minus_phase_is_constant_but_for_twice_the_ionosphere() -> None:
    simulation = world(effects=QUIET, scenario=DISTURBED)
    first, last = simulation.epoch(0), simulation.epoch(240)
    mu = (REFERENCE_FREQUENCY / frequencies(simulation, first)) ** 2
    moving = [s for s in simulation.sky.satellites if not is_beidou_2(int(s))]
    for station in first.stations:
        gap = [single(e, station, e.observations.pseudorange - e.observations.phaserange) for e in (first, last)]
        slant = [single(e, station, e.truth.ionosphere[e.truth.link]) for e in (first, last)]
        factor, since = single(first, station, mu), single(last, station, last.truth.lock_from)
        for key in gap[0].keys() & gap[1].keys():
            if key[0] in moving and since[key] < 0.0:
                expected = 2.0 * factor[key] * (slant[1][key] - slant[0][key])
                assert gap[1][key] - gap[0][key] == pytest.approx(expected, abs=2e-4)


def test_group_delays_of_the_messages_are_in_the_codes() -> None:
    """`dt - delay` of C.4 makes single codes of one satellite agree, for the signals a message speaks of."""
    effects = Effects(**GEOMETRY_ONLY | {"group_delays": True})
    simulation = world(site(1, make="FORNAX F1"), effects=effects)
    epoch = simulation.epoch(0)
    o = epoch.observations
    sets = {e.satellite: e for e in simulation.ephemerides(START) if e.message is not NavigationMessage.FNAV}
    spread: dict[str, list[float]] = {}
    for satellite in dict.fromkeys(o.satellite.tolist()):
        rows = np.flatnonzero(o.satellite == satellite)
        delays = np.array([C * group_delay(sets[satellite], int(o.signal[k])) for k in rows])
        known = np.isfinite(delays)
        corrected = o.pseudorange[rows][known] - delays[known]
        raw = o.pseudorange[rows][known]
        spread.setdefault("GRESJCI"[satellite >> 6], []).append(float(np.ptp(corrected)))
        if np.ptp(raw) > 3.0:  # TGD and BGD of metres, gone to the decimetres a message leaves out
            assert np.ptp(corrected) < 0.4 * np.ptp(raw)
    assert all(np.median(spread[c]) < 0.6 for c in "GREJC")


def test_galileo_clocks_differ_by_the_difference_of_group_delays() -> None:
    """dt_FNAV - dt_INAV = BGD_E1E5a - BGD_E1E5b (algorithms C.4, real messages: slope 1.02 over 2,897 pairs)."""
    simulation = world(effects=Effects())
    pairs: dict[tuple[int, int], dict[str, KeplerEphemeris]] = {}
    for e in simulation.ephemerides(START):
        if e.satellite >> 6 == Constellation.GALILEO and isinstance(e, KeplerEphemeris):
            pairs.setdefault((e.satellite, e.toe), {})[e.message] = e
    assert len(pairs) == 54
    for pair in pairs.values():
        i, f = pair[NavigationMessage.INAV], pair[NavigationMessage.FNAV]
        d = i.group_delays
        assert f.af0 - i.af0 == pytest.approx(d["BGD_E1E5a"] - d["BGD_E1E5b"], abs=1e-10)
        assert (f.iode, f.sqrt_a, f.m0) == (i.iode, i.sqrt_a, i.m0)


def test_glonass_phase_plus_the_bias_of_1230_is_aligned_to_the_code() -> None:
    """Aligned phase = phase + bias in metres; left out, integers near the code's leave 3.511e-4 B a channel (K.5)."""
    effects = Effects(**GEOMETRY_ONLY | {"glonass_biases": True})
    makes = ("AQUILA A9", "BOREAS B10", "CORVUS C5")
    simulation = world(*(site(k, make=m) for k, m in enumerate(makes)), effects=effects)
    epoch = simulation.epoch(0)
    o, t = epoch.observations, epoch.truth
    bias = np.array([MAKES[m].glonass_bias_m for m in makes])[t.station]
    rows = o.satellite >> 6 == Constellation.GLONASS
    wavelength = C / frequencies(simulation, epoch)
    aligned = o.phaserange + bias
    code = o.pseudorange - t.code_bias
    assert np.allclose((aligned - code - wavelength * t.integer)[rows], 0.0, atol=1e-6)
    channel = dict(zip(simulation.sky.satellites.tolist(), simulation.sky.channels.tolist(), strict=True))
    for station, make in enumerate(makes):
        for band, step in (("1C", 0.5625 / 1602.0), ("2C", 0.4375 / 1246.0)):
            mine = rows & (t.station == station) & (o.signal == parse_signal("R" + band))
            k = np.array([channel[int(s)] for s in o.satellite[mine]])
            whole = np.round((o.phaserange - code)[mine][k == k[0]][0] / wavelength[mine][k == k[0]][0])
            left = (o.phaserange - code)[mine] - wavelength[mine] * whole
            slope = np.polyfit(k, left, 1)[0]
            assert slope == pytest.approx(-MAKES[make].glonass_bias_m * step, abs=2e-4)


def test_quarter_and_half_cycles_of_makes_that_do_not_align() -> None:
    """K.3: a constant of .25 cycles of a signal on all satellites; K.4: .5 on BDS-2's fixed satellites."""
    effects = Effects(**GEOMETRY_ONLY | {"quarter_cycles": True})
    simulation = world(site(1, make="ERIDANUS E8"), site(2, make="CORVUS C5"), effects=effects)
    epoch = simulation.epoch(0)
    o, t = epoch.observations, epoch.truth
    cycles = t.phase_bias * frequencies(simulation, epoch) / C
    found_by: dict[tuple[int, int], dict[int, float]] = {}
    for k in range(o.satellite.size):
        found_by.setdefault((int(o.satellite[k]), int(o.signal[k])), {})[int(t.station[k])] = float(cycles[k])
    names = set()
    for (satellite, signal), found in found_by.items():
        if len(found) == 2:
            name = "GRESJCI"[satellite >> 6] + signal_code(signal)
            half = 0.5 * (is_beidou_geo(satellite) and is_beidou_2(satellite))
            quarter = {"G2L": 0.25, "G5Q": 0.25, "E5Q": 0.25, "E7Q": 0.25, "J5Q": 0.25}.get(name, 0.0)
            assert found[0] - found[1] == pytest.approx(quarter - half, abs=1e-6), name
            names.add(name)
    assert len(names) > 10


def test_clock_jumps_of_every_kind() -> None:
    """F.5: both jump; the code jumps and the phase runs on; the tag moves with code and phase. 299,792.458 m a ms."""
    kinds = (ReceiverClock.RESETS_BOTH, ReceiverClock.RESETS_CODE, ReceiverClock.MOVES_TAG)
    found = dict.fromkeys(kinds, 0)
    simulation = world(*(site(10 + k, clock=kind) for k, kind in enumerate(kinds * 2)), effects=QUIET, interval_s=30.0)
    previous = simulation.epoch(0)
    for number in range(1, 170):
        epoch = simulation.epoch(number)
        for s, kind in enumerate(kinds * 2):
            change = {
                name: np.array([
                    value - before[key]
                    for before, now in [(single(previous, epoch.stations[s], getattr(previous.observations, name)),
                                         single(epoch, epoch.stations[s], getattr(epoch.observations, name)))]
                    for key, value in now.items() if key in before
                ]) for name in ("pseudorange", "phaserange")
            }  # fmt: skip
            code, phase = (np.median(change[n]) for n in ("pseudorange", "phaserange"))
            tag = int(epoch.tags[s] - epoch.gpst) - int(previous.tags[s] - previous.gpst)
            ms = C * 1e-3
            assert abs(int(epoch.tags[s] - epoch.gpst)) <= 1_000_000
            if abs(code) > ms / 2:
                found[kind] += 1
                assert abs(code) == pytest.approx(ms, rel=0.1)
                assert abs(phase) == pytest.approx(0.0 if kind is ReceiverClock.RESETS_CODE else ms, abs=0.1 * ms)
                assert (tag != 0) == (kind is ReceiverClock.MOVES_TAG)
        previous = epoch
    assert all(found.values()), found


def test_a_tag_is_consistent_with_its_ranges() -> None:
    """Ranges are taken at tag - clock (algorithms A.10), whatever the clock."""
    simulation = world(*(site(20 + k, clock=kind) for k, kind in enumerate(ReceiverClock)), effects=QUIET)
    epoch = simulation.epoch(1000)
    reception = (epoch.tags - epoch.gpst) / 1e9 - epoch.truth.clock
    assert np.abs(reception).max() < 1.6e-3
    # the same satellite from the same place: ranges differ by range rate times the difference of reception
    t = epoch.truth
    ranges = []
    for s in range(len(ReceiverClock)):
        mine = t.link_station == s
        ranges.append(dict(zip(t.link_satellite[mine].tolist(), t.range[mine].tolist(), strict=True)))
    rates = single(epoch, epoch.stations[0], epoch.observations.phaserange_rate)
    for (satellite, _), rate in rates.items():
        if all(satellite in r for r in ranges):
            for s in range(1, len(ReceiverClock)):
                expected = rate * (reception[s] - reception[0])
                assert ranges[s][satellite] - ranges[0][satellite] == pytest.approx(expected, abs=2e-3)
