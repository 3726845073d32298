"""From ephemerides back to navigation records: the inverse of `ephemerides`, for writers.

Times go back to weeks and seconds of the constellation's own system, the transmission time to seconds of the week of
toe (negative or beyond the week's end where it was). What is not known is blank, or the number that stands for it.
Source: RINEX 3.05 tables A6-A16, 4.02 tables A8-A33.
"""

from __future__ import annotations

import math

from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, StateEphemeris
from cors.gnss.satellites import LETTERS, Constellation, satellite_name
from cors.gnss.signals import UNKNOWN_CHANNEL
from cors.gnss.time import BDT_OFFSET_S, BDT_WEEK_OFFSET, NS, WEEK_NS, utc_ns
from cors.rinex.navigation._kernels import FIELDS
from cors.rinex.navigation.ephemerides import _GLONASS_ACCURACY, GROUP_DELAYS, ORBIT, _cnav_accuracy
from cors.rinex.navigation.file import NavigationRecord
from cors.rinex.navigation.kinds import KINDS, Kind, kind_index

UNKNOWN_TRANSMISSION = 0.9999e9
UNKNOWN_DELAY = 0.999999999999e9
_HOUR_S = 3600.0


def record_of(ephemeris: Ephemeris) -> NavigationRecord:
    """The record of an ephemeris. Raises ValueError for a message its constellation does not have."""
    system = LETTERS[ephemeris.satellite >> 6]
    index = kind_index("EPH", system, ephemeris.message.value)
    if index is None:
        raise ValueError(f"no record for message {ephemeris.message.value} of {satellite_name(ephemeris.satellite)}")
    kind = KINDS[index]
    named = _kepler(kind, ephemeris) if isinstance(ephemeris, KeplerEphemeris) else _state(kind, ephemeris)
    values = [math.nan] * FIELDS
    for name, value in named.items():
        if name in kind.names:
            values[kind.names.index(name)] = value
    reference = ephemeris.toc if isinstance(ephemeris, KeplerEphemeris) else ephemeris.toe
    return NavigationRecord(
        kind, satellite_name(ephemeris.satellite), "", _own_time(ephemeris.satellite, reference), tuple(values), 0,
        kind.lines,
    )  # fmt: skip


def _own_time(satellite: int, gpst: int) -> int:
    """Calendar ns in the constellation's own system."""
    system = Constellation(satellite >> 6)
    if system is Constellation.GLONASS:
        return utc_ns(gpst)
    return gpst - BDT_OFFSET_S * NS if system is Constellation.BEIDOU else gpst


def _kepler(kind: Kind, e: KeplerEphemeris) -> dict[str, float]:
    named: dict[str, float] = dict(e.extra) | {n: v for n, v in e.group_delays.items() if n in GROUP_DELAYS}
    named |= {name: getattr(e, field) for name, field in ORBIT.items()}
    own = _own_time(e.satellite, e.toe)
    week = own // WEEK_NS
    named["toe"] = (own - week * WEEK_NS) / NS
    named["week"] = float(week - (BDT_WEEK_OFFSET if e.satellite >> 6 == Constellation.BEIDOU else 0))
    sent = None if e.transmission is None else _own_time(e.satellite, e.transmission)
    named["t_tm"] = UNKNOWN_TRANSMISSION if sent is None else (sent - week * WEEK_NS) / NS
    named["health"] = float(e.health)
    for names, issue in ((("IODE", "IODnav", "AODE", "IODEC"), e.iode), (("IODC", "AODC"), e.iodc)):
        named |= dict.fromkeys(names, math.nan if issue is None else float(issue))
    return named | _accuracy_fields(kind, e.accuracy_m) | {"fit": _fit(e)}


def _accuracy_fields(kind: Kind, accuracy_m: float) -> dict[str, float]:
    if "URAI_ED" in kind.names:
        index = next((n for n in range(-15, 15) if _cnav_accuracy(float(n)) >= accuracy_m - 1e-6), 15)
        return {"URAI_ED": 15.0 if math.isnan(accuracy_m) else float(index)}
    return {"URA": accuracy_m, "SISA": -1.0 if math.isnan(accuracy_m) else accuracy_m}


def _fit(e: KeplerEphemeris) -> float:
    """Hours for GPS, a flag for QZSS."""
    if e.satellite >> 6 == Constellation.QZSS:
        return math.nan if math.isnan(e.fit_interval_s) else float(e.fit_interval_s > 2 * _HOUR_S)
    return e.fit_interval_s / _HOUR_S


def _state(kind: Kind, e: StateEphemeris) -> dict[str, float]:
    named: dict[str, float] = dict(e.extra)
    for axis, n in (("X", 0), ("Y", 1), ("Z", 2)):
        named |= {axis: e.position[n] / 1000.0, "V" + axis: e.velocity[n] / 1000.0}
        named["A" + axis] = e.acceleration[n] / 1000.0
    if e.satellite >> 6 == Constellation.GLONASS:
        return named | _glonass(e)
    sent = UNKNOWN_TRANSMISSION if e.transmission is None else (e.transmission - e.toe // WEEK_NS * WEEK_NS) / NS
    named |= {"aGf0": e.clock_bias, "aGf1": e.clock_rate, "t_tm": sent, "health": float(e.health)}
    named["URA"] = 32767.0 if math.isnan(e.accuracy_m) else e.accuracy_m
    named["IODN"] = math.nan if e.iode is None else float(e.iode)
    return named


def _glonass(e: StateEphemeris) -> dict[str, float]:
    """Frame time: that of toe where none was told."""
    sent = utc_ns(e.toe if e.transmission is None else e.transmission)
    named = {"minus_tau_n": e.clock_bias, "gamma_n": e.clock_rate, "t_k": sent % WEEK_NS / NS, "age": e.age_days}
    named["health"] = float(e.health & ~4)
    named["channel"] = math.nan if e.channel == UNKNOWN_CHANNEL else float(e.channel)
    named["delta_tau"] = UNKNOWN_DELAY if math.isnan(e.delta_tau) else e.delta_tau
    if "URAI" not in e.extra and not math.isnan(e.accuracy_m):
        named["URAI"] = float(next((n for n, a in enumerate(_GLONASS_ACCURACY) if a >= e.accuracy_m), 15))
    if "health_flags" not in e.extra and e.health & 4:
        named["health_flags"] = 4.0
    return named
