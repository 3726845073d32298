"""Multipath, noise, antennas, tides: sizes and structure from the literature; switching one off removes it alone."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import fields

import numpy as np
import pytest

from cors.gnss.satellites import is_beidou_geo
from cors.gnss.signals import parse_signal
from cors.gnss.time import NS
from rtk.models.antennas import frequency_code, parse_antex, pattern_for
from rtk.models.tides import solid_tide
from rtk.simulation import _kernels, antennas
from rtk.simulation.receivers import BEIDOU2_CODE, beidou2_group
from rtk.simulation.scenarios import STORM, Effects
from tests.rtk.simulation.worlds import START, C, frequencies, site, world

ALONE = site(1)


def _decorrelation_s(x: np.ndarray, step_s: float) -> float:
    """Lag at which the autocorrelation falls below 1/e."""
    x = x - x.mean()
    correlation = np.correlate(x, x, "full")[x.size - 1 :] / (x @ x)
    below = np.flatnonzero(correlation < math.exp(-1.0))
    return float(below[0]) * step_s if below.size else math.inf


def test_multipath_is_correlated_over_minutes() -> None:
    """60-200 s for satellites that move (algorithms A.4: 95 s; G), much longer for fixed ones; sizes of F.2 and G."""
    effects = Effects(noise=False, slips=False)
    simulation = world(*(site(k) for k in range(4)), effects=effects, interval_s=10.0)
    series: dict[tuple[int, int, int], list[tuple[float, float, float]]] = defaultdict(list)
    for number in range(0, 300):
        epoch = simulation.epoch(number)
        t, o = epoch.truth, epoch.observations
        for k in np.flatnonzero(np.isin(o.signal, [parse_signal("G1C"), parse_signal("E1C"), parse_signal("C2I")])):
            key = int(t.station[k]), int(o.satellite[k]), int(o.signal[k])
            series[key].append((t.code_error[k], t.phase_error[k], t.elevation[t.link[k]]))
    times, fixed, code, phase = [], [], [], []
    for (_, satellite, _), values in series.items():
        v = np.array(values)
        if v.shape[0] < 300 or v[:, 2].min() < math.radians(10.0):
            continue
        lag = _decorrelation_s(v[:, 0], 10.0)
        (fixed if is_beidou_geo(satellite) else times).append(lag)
        code.append(np.mean(v[:, 0] ** 2))
        phase.append(np.mean(v[:, 1] ** 2))
    assert 60.0 < np.median(times) < 200.0
    assert 0.10 < math.sqrt(np.mean(code)) < 0.40
    assert 1e-3 < math.sqrt(np.mean(phase)) < 4e-3


def test_multipath_repeats_with_the_geometry() -> None:
    """GPS: the same satellite over the same antenna a sidereal day (23 h 56 m 04 s) later, but for the node's drift."""
    effects = Effects(noise=False, coloured_noise=False, slips=False)
    simulation = world(ALONE, effects=effects, systems="G")
    a = [simulation.epoch(k) for k in range(0, 600, 30)]
    b = [simulation.epoch(k + 86_154) for k in range(0, 600, 30)]  # aspect repeat of GPS: 246 s early (algorithms G)

    def series(epochs: list) -> dict[int, np.ndarray]:
        found = defaultdict(list)
        for e in epochs:
            for k in np.flatnonzero(e.observations.signal == parse_signal("G1C")):
                found[int(e.observations.satellite[k])].append(e.truth.code_error[k])
        return {s: np.array(v) for s, v in found.items() if len(v) == len(epochs)}

    one, two = series(a), series(b)
    correlation = [np.corrcoef(one[s], two[s])[0, 1] for s in one.keys() & two.keys()]
    assert len(correlation) >= 5 and np.median(correlation) > 0.95


def test_white_noise_is_a_tracking_loops() -> None:
    """Code .16 m for C/A at 45 dB-Hz, and phase lambda / 2 pi sqrt(15 Hz / CN0), both as C/N0 falls (algorithms G)."""
    effects = Effects(coloured_noise=False, multipath=False, slips=False, scintillation=False)
    simulation = world(site(1), effects=effects, systems="G", signals=("G1C",))
    code, phase = [], []
    for number in range(300):
        epoch = simulation.epoch(number)
        weak = 10.0 ** ((45.0 - epoch.observations.cn0) / 20.0)
        code.append(epoch.truth.code_error / weak)
        phase.append(epoch.truth.phase_error / weak)
    c, p = np.concatenate(code), np.concatenate(phase)
    assert c.std() == pytest.approx(0.16, rel=0.06)
    assert p.std() == pytest.approx(C / 1575.42e6 / (2 * math.pi) * math.sqrt(15.0 / 10**4.5), rel=0.06)
    assert abs(np.mean(c)) < 5 * c.std() / math.sqrt(c.size)
    kurtosis = np.mean(c**4) / np.mean(c**2) ** 2
    assert kurtosis == pytest.approx(3.0, abs=0.35)


@pytest.mark.kernel
def test_random_numbers_are_uniform_normal_and_independent() -> None:
    values = np.array([_kernels.normals(key, t) for key in range(40) for t in range(60)])
    assert abs(values.mean()) < 0.07 and values.std() == pytest.approx(1.0, abs=0.04)
    assert abs(np.corrcoef(values[:, 0], values[:, 1])[0, 1]) < 0.07
    grid = values[:, 0].reshape(40, 60)
    assert abs(np.corrcoef(grid[:-1].ravel(), grid[1:].ravel())[0, 1]) < 0.07
    assert abs(np.corrcoef(grid[:, :-1].ravel(), grid[:, 1:].ravel())[0, 1]) < 0.07
    flat = np.array([_kernels.uniform(7, t) for t in range(2000)])
    assert np.histogram(flat, 10, (0.0, 1.0))[0].min() > 150
    assert _kernels.mix(0) == 0 and 0 <= _kernels.mix(2**32 - 1) < 2**32 and 0 <= _kernels.key2(2**40, -3) < 2**32


@pytest.mark.kernel
def test_coloured_noise_has_unit_variance_everywhere_between_its_knots() -> None:
    for part in (0.0, 0.3, 0.5):
        values = np.array([_kernels.coloured(key, 10.0 * (k + part), 10.0) for key in range(5) for k in range(100)])
        assert values.std() == pytest.approx(1.0, abs=0.08)
    assert _kernels.coloured(3, 9.9999999, 10.0)[0] == pytest.approx(_kernels.coloured(3, 10.0, 10.0)[0], abs=1e-5)


def test_scintillation_raises_phase_noise_and_breaks_locks() -> None:
    calm, storm = (
        world(ALONE, scenario=STORM, effects=Effects(scintillation=on, multipath=False)) for on in (False, True)
    )
    noise = [np.concatenate([s.epoch(k).truth.phase_error for k in range(0, 1200, 60)]) for s in (calm, storm)]
    assert np.abs(noise[1]).max() > 3.0 * np.abs(noise[0]).max()
    assert np.median(np.abs(noise[1])) < 2.0 * np.median(np.abs(noise[0]))  # patches, not everywhere


def test_antex_of_the_invented_types_is_what_the_kernel_adds() -> None:
    """The engine's reader on the simulator's file: correction = PCO . e - PCV undoes the antenna to .1 mm."""
    table = parse_antex(antennas.antex())
    tables = antennas.antenna_tables(True)
    for row, kind in enumerate(antennas.ANTENNA_TYPES):
        calibration = table.receiver(kind.name, kind.radome)
        assert calibration.antenna is not None and calibration.match == "type+radome"
        for name in ("G1C", "G2W", "G5Q", "R1C", "R2C", "E1C", "E5Q", "E7Q", "C2I", "C6I", "C7I", "C1P", "C5P", "J1C"):
            signal = parse_signal(name)
            pattern, borrowed = pattern_for(calibration.antenna, frequency_code(signal))
            assert pattern is not None and borrowed is None and pattern.grid is not None
            band = antennas.band_row(signal >> 6, signal)
            for azimuth, zenith in ((0.0, 0.0), (35.0, 60.0), (200.0, 30.0), (355.0, 80.0)):
                a, z = math.radians(azimuth), math.radians(zenith)
                e = np.array([math.sin(z) * math.cos(a), math.sin(z) * math.sin(a), math.cos(z)])
                pcv = pattern.grid[round(azimuth / 5.0), round(zenith / 5.0)]
                added = _kernels.antenna_delay(tables.offset[row, band], tables.pattern[row, band], a, math.cos(z))
                assert added == pytest.approx(-(float(pattern.pco @ e) - float(pcv)), abs=1e-5)


def test_antennas_shift_heights_by_their_offsets_and_null_antennas_do_not() -> None:
    for antenna, up in (("ADVNULLANTENNA", 0.0), ("SIMCHOKE3D", 0.0913), ("SIMGEOD2", 0.0632)):
        on, off = (world(site(1, antenna=antenna), effects=Effects(antennas=a)) for a in (True, False))
        difference = on.epoch(0).observations.phaserange - off.epoch(0).observations.phaserange
        t, o = on.epoch(0).truth, on.epoch(0).observations
        mine = (o.signal == parse_signal("G1C")) & (t.elevation[t.link] > 1.0)
        sine = np.sin(t.elevation[t.link][mine])
        assert difference[mine] == pytest.approx(-up * sine, abs=4e-3)


def test_tide_moves_the_receivers_and_not_their_coordinates() -> None:
    on, off = (world(ALONE, effects=Effects(tides=t)) for t in (True, False))
    for number in (0, 45, 90):
        moved = on.epoch(number).truth.position_ecef - off.epoch(number).truth.position_ecef
        expected = solid_tide(on.places.position, START + number * NS)
        assert np.allclose(moved, expected, atol=2e-5)
    assert np.linalg.norm(expected) > 0.005
    assert on.described(START) == off.described(START)


def test_bds2_codes_lean_with_elevation_as_in_wanninger_and_beer() -> None:
    """Their table is added to a code; what is in the code is its negative, 1.5 m from horizon to zenith for MEO B1I."""
    on, off = (world(ALONE, effects=Effects(beidou2_code=b)) for b in (True, False))
    a, b = on.epoch(0), off.epoch(0)
    change = a.observations.pseudorange - b.observations.pseudorange
    assert np.allclose(a.observations.phaserange, b.observations.phaserange, atol=1e-9)
    seen = 0
    for k, satellite in enumerate(a.observations.satellite.tolist()):
        group = beidou2_group(satellite)
        if group < 0:
            assert change[k] == 0.0
        elif a.observations.signal[k] == parse_signal("C2I"):
            elevation = math.degrees(a.truth.elevation[a.truth.link[k]])
            table = np.interp(elevation, np.arange(0.0, 91.0, 10.0), BEIDOU2_CODE[group, 0])
            assert change[k] == pytest.approx(-table, abs=1e-6)
            seen += 1
    assert seen >= 3


# What each switch moves: code, phase or neither (orbits and clocks of messages; locks are tested by themselves).
_IN_CODE = {"satellite_clocks", "group_delays", "receiver_clocks", "hardware", "glonass_biases", "beidou2_code",
            "ionosphere", "ionosphere_field", "ionosphere_waves", "ionosphere_front", "hydrostatic", "wet", "wet_field",
            "wet_gradient", "wet_front", "multipath", "coloured_noise", "noise", "tides", "antennas", "shapiro",
            "scintillation"}  # fmt: skip
_IN_PHASE = _IN_CODE - {"group_delays", "beidou2_code"} | {"quarter_cycles", "ambiguities"}


@pytest.mark.parametrize("effect", sorted(_IN_CODE | _IN_PHASE))
def test_switching_one_effect_off_removes_it_alone(effect: str) -> None:
    """Ablation: the difference of both worlds is that effect, wherever all other draws stay as they were."""
    still = {"slips": False, "half_cycles": False, "scintillation": effect == "scintillation"}
    sites = site(1, make="CORVUS C5", antenna="SIMGEOD2"), site(2, 28.2, 112.6, 300.0, make="ERIDANUS E8")
    full = Effects(**still)
    less = Effects(**still | {effect: False})
    on, off = (world(*sites, effects=e, scenario=STORM).epoch(2400) for e in (full, less))
    assert np.array_equal(on.observations.satellite, off.observations.satellite)
    assert np.array_equal(on.observations.signal, off.observations.signal)
    code = np.abs(on.observations.pseudorange - off.observations.pseudorange).max()
    phase = np.abs(on.observations.phaserange - off.observations.phaserange).max()
    assert (code > 1e-5) == (effect in _IN_CODE)
    assert (phase > 1e-5) == (effect in _IN_PHASE)
    if effect in ("noise", "coloured_noise", "multipath"):
        alone = (
            on.observations.pseudorange - on.truth.code_error - (off.observations.pseudorange - off.truth.code_error)
        )
        assert np.abs(alone).max() < 1e-6


def test_with_everything_off_there_is_geometry_alone() -> None:
    assert not any(getattr(Effects.none(), f.name) for f in fields(Effects))
    simulation = world(ALONE, effects=Effects.none())
    epoch = simulation.epoch(10)
    o = epoch.observations
    assert np.allclose(o.pseudorange, o.phaserange, atol=1e-6)
    per_link = defaultdict(list)
    for link, p in zip(epoch.truth.link, o.pseudorange, strict=True):
        per_link[int(link)].append(p)
    assert max(np.ptp(v) for v in per_link.values()) < 1e-6
    assert frequencies(simulation, epoch).min() > 1.1e9
