"""Signs of the broadcast group delays, proven on one station's real data without any product.

Ionosphere-free combinations need the delays of the ICDs (algorithms: sign, none, reversed); the figures are those
published with the data set and in the project's reference.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from cors.gnss.coordinates import azimuth_elevation
from cors.gnss.ephemeris import Ephemeris, NavigationMessage
from cors.gnss.group_delays import group_delay
from cors.gnss.orbits import ephemeris_table, satellite_states
from cors.gnss.satellites import parse_satellite
from cors.gnss.selection import choose
from cors.gnss.signals import FREQUENCY, parse_signal
from cors.gnss.time import gpst_from_bdt
from cors.rinex.navigation.reading import read_navigation
from cors.rinex.observation.file import ObservationFile
from cors.rinex.observation.reading import read_observations
from tests.real.conftest import data_path

C = 299_792_458.0
EARTH_RATE = 7.2921151467e-5
STATION = np.array([3582105.291, 532589.731, 5232754.805])
ESBC = data_path("gnss", "stations", "esbc_2020177")
BIAS = data_path("algorithms", "code_bias")
M = NavigationMessage


@cache
def observations() -> ObservationFile:
    return read_observations(ESBC / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz")


def by_satellite(sets: tuple[Ephemeris, ...], messages: tuple[NavigationMessage, ...]) -> dict[int, list[Ephemeris]]:
    found: dict[int, list[Ephemeris]] = defaultdict(list)
    for e in sets:
        if e.message in messages:
            found[e.satellite].append(e)
    return found


@cache
def ephemerides() -> tuple[Ephemeris, ...]:
    return read_navigation(ESBC / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz").ephemerides


class Pairs(NamedTuple):
    tags: NDArray[np.int64]
    satellites: NDArray[np.int16]
    first_m: NDArray[np.float64]
    second_m: NDArray[np.float64]


def pairs(first: int, second: int, hours: float) -> Pairs:
    """Pseudoranges of two signals wherever a satellite has both, every five minutes."""
    file = observations()
    rows, epoch = file.observations, np.repeat(np.arange(file.epochs.tags.size), np.diff(file.offsets))
    wanted = (epoch % 10 == 0) & (epoch < hours * 120) & ~np.isnan(rows.pseudorange)
    key = epoch * 512 + rows.satellite
    one, two = (np.flatnonzero(wanted & (rows.signal == signal)) for signal in (first, second))
    _, at_one, at_two = np.intersect1d(key[one], key[two], return_indices=True)
    one, two = one[at_one], two[at_two]
    return Pairs(file.epochs.tags[epoch[one]], rows.satellite[one], rows.pseudorange[one], rows.pseudorange[two])


@pytest.mark.parametrize(
    ("first", "second", "messages", "hours", "published"),
    [
        ("G1C", "G2W", (M.LNAV,), 3, (0.54, 1.72, 3.42)),
        ("E1C", "E5Q", (M.FNAV,), 3, (0.30, 5.0, 10.0)),
        ("E1C", "E7Q", (M.INAV,), 3, (0.28, 5.6, 11.2)),
        ("C2I", "C6I", (M.D1, M.D2), 24, (1.9, 8.6, 16.5)),
        ("C2I", "C7I", (M.D1, M.D2), 24, (0.88, 3.7, 7.0)),
    ],
)  # fmt: skip
def test_geometry_free_codes_fit_an_ionosphere_only_with_the_right_sign(
    first: str, second: str, messages: tuple[NavigationMessage, ...], hours: float, published: tuple[float, ...]
) -> None:
    """RMS of (P2 - P1 - c (d2 - d1)) / (mu2 - mu1) about VTEC x mapping + constant, above 20 degrees."""
    one, two = parse_signal(first), parse_signal(second)
    tags, satellites, p1, p2 = pairs(one, two, hours)
    sets = by_satellite(ephemerides(), messages)
    chosen = [choose(sets[int(s)], int(t)) for s, t in zip(satellites, tags, strict=True)]
    there = np.array([e is not None for e in chosen])
    used = [e for e in chosen if e is not None]
    states = satellite_states(ephemeris_table(used), np.arange(len(used)), tags[there] - 75_000_000)
    _, elevation = azimuth_elevation(states.position, STATION)
    spread = (1575.42e6 / FREQUENCY[two]) ** 2 - (1575.42e6 / FREQUENCY[one]) ** 2
    difference = (p2 - p1)[there] / spread
    delay = C * np.array([group_delay(e, two) - group_delay(e, one) for e in used]) / spread
    good = (elevation > np.radians(20.0)) & np.isfinite(delay)
    shell = 6371.0 * np.cos(elevation) / (6371.0 + 450.0)
    design = np.column_stack((1.0 / np.sqrt(1.0 - shell**2), np.ones(shell.size)))[good]
    rms = []
    for sign in (1.0, 0.0, -1.0):
        y = (difference - sign * delay)[good]
        fit = np.linalg.lstsq(design, y, rcond=None)[0]
        rms.append(float(np.sqrt(np.mean((y - design @ fit) ** 2))))
    assert good.sum() > 150
    assert rms == pytest.approx(published, rel=0.1)


def residual(e: Ephemeris, tag: int, p1: float, p3: float, elevation: float, sign: float) -> float:
    """Ionosphere-free B1I/B3I code minus range, satellite clock and a plain troposphere, m."""
    b1, b3 = parse_signal("C2I"), parse_signal("C6I")
    k = float((FREQUENCY[b1] / FREQUENCY[b3]) ** 2)
    table = ephemeris_table([e])
    clock = satellite_states(table, [0], tag - round(p1 / C * 1e9)).clock[0]
    state = satellite_states(table, [0], tag - round((p1 / C + clock) * 1e9))
    x, y, z = state.position[0]
    angle = EARTH_RATE * float(np.linalg.norm(state.position[0] - STATION)) / C
    rotated = np.array([np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x, z])
    code = (p3 - k * p1) / (1.0 - k) - sign * C * (group_delay(e, b3) - k * group_delay(e, b1)) / (1.0 - k)
    troposphere = 2.4 / np.sin(np.radians(elevation))
    return float(code - np.linalg.norm(rotated - STATION) + C * state.clock[0] - troposphere)


def test_beidou_2_residuals_by_sign_of_tgd1() -> None:
    """2.0 m RMS with TGD1 as the signal specification has it, 10.0 m without, 19.6 m reversed (one clock an epoch)."""
    sets = by_satellite(read_navigation(BIAS / "esbc_20200625_bds_nav.rnx").ephemerides, (M.D1, M.D2))
    found: dict[float, dict[str, list[float]]] = {sign: defaultdict(list) for sign in (1.0, 0.0, -1.0)}
    for row in csv.DictReader((BIAS / "esbc_20200625_bds_obs.csv").open()):
        elevation = float(row["elevation_deg"])
        if not row["C2I_m"] or not row["C6I_m"] or elevation < 15.0 or float(row["bdt_tow_s"]) % 600 != 586:
            continue
        tag = gpst_from_bdt(755, float(row["bdt_tow_s"]))
        e = choose(sets[parse_satellite(row["sv"])], tag)
        if e is not None:
            for sign, epochs in found.items():
                epochs[row["bdt_tow_s"]].append(
                    residual(e, tag, float(row["C2I_m"]), float(row["C6I_m"]), elevation, sign)
                )
    rms = []
    for epochs in found.values():
        centred = [np.array(values) - np.median(values) for values in epochs.values() if len(values) >= 6]
        rms.append(float(np.sqrt(np.mean(np.concatenate(centred) ** 2))))
    assert sum(len(values) >= 6 for values in found[1.0].values()) > 20
    assert rms == pytest.approx((2.0, 10.0, 19.6), rel=0.15)


def test_difference_of_galileo_clocks_is_that_of_their_delays() -> None:
    """dt_FNAV - dt_INAV = BGD_E1E5a - BGD_E1E5b: one slope over all pairs of a day."""
    sets = defaultdict(dict)
    for e in read_navigation(data_path("gnss", "products", "nav", "BRD400DLR_S_20230710000_01D_MN.rnx.gz")).ephemerides:
        if e.message in (M.INAV, M.FNAV):
            sets[e.satellite, e.toe, e.iode][e.message] = e
    both = [pair for pair in sets.values() if len(pair) == 2]
    clocks = np.array([pair[M.FNAV].af0 - pair[M.INAV].af0 for pair in both])  # type: ignore[union-attr]
    delays = np.array(
        [pair[M.FNAV].group_delays["BGD_E1E5a"] - pair[M.INAV].group_delays["BGD_E1E5b"] for pair in both]  # type: ignore[union-attr]
    )
    assert len(both) == 2897
    assert float(delays @ clocks / (delays @ delays)) == pytest.approx(1.02, abs=0.02)
