"""From navigation records to the vocabulary's ephemerides: SI units, absolute times, health and accuracy as they are.

Group delays keep their RINEX names; what has no place in an ephemeris goes to `extra` under its RINEX name, so that a
writer can put it back. Source: RINEX 3.05 tables A6-A16, 4.02 tables A8-A33, IS-GPS-200 20.3.3.4.3.1 (fit interval),
IS-QZSS-PNT 4.1.2.4 (fit flag), IS-GPS-705 20.3.3.1.1.4 (URA of CNAV), GLONASS ICD table 4.4 (F_T).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, NavigationMessage, StateEphemeris
from cors.gnss.satellites import Constellation
from cors.gnss.signals import UNKNOWN_CHANNEL
from cors.gnss.time import DAY_S, GLONASS_DAY_OFFSET_S, NS
from cors.rinex.navigation.kinds import KINDS, Kind

NO_TIME = -(2**63)
"""Stands for a time that is not known."""
UNKNOWN = 9.0e8
"""Numbers this large stand for "unknown" (0.999999999999E+09, 9.999e8)."""

ORBIT = {
    "sqrtA": "sqrt_a", "e": "eccentricity", "M0": "m0", "DeltaN": "delta_n", "DeltaN0": "delta_n", "OMEGA0": "omega0",
    "i0": "i0", "omega": "omega", "OMEGADOT": "omega_dot", "IDOT": "idot", "Cuc": "cuc", "Cus": "cus", "Crc": "crc",
    "Crs": "crs", "Cic": "cic", "Cis": "cis", "af0": "af0", "af1": "af1", "af2": "af2", "A_DOT": "a_dot",
    "DeltaN0_dot": "delta_n_dot",
}  # fmt: skip
"""Fields of the vocabulary by RINEX name."""
GROUP_DELAYS = frozenset(
    ("TGD", "ISC_L1CA", "ISC_L2C", "ISC_L5I5", "ISC_L5Q5", "ISC_L1CD", "ISC_L1CP", "BGD_E1E5a", "BGD_E1E5b", "TGD1",
     "TGD2", "TGD_B1Cp", "TGD_B2ap", "ISC_B1Cd", "ISC_B2ad", "TGD_B2bI")
)  # fmt: skip
_ISSUES = ("IODE", "IODnav", "AODE", "IODEC")
_OWN_FIELDS = {"IODC", "AODC", "toe", "week", "t_tm", "health", "URA", "SISA", "URAI_ED", "fit"}
_PLACED = {*ORBIT, *GROUP_DELAYS, *_ISSUES, *_OWN_FIELDS}
_GLONASS_ACCURACY = (1.0, 2.0, 2.5, 4.0, 5.0, 7.0, 10.0, 12.0, 14.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
_CHANNELS = range(-7, 14)

Values = Mapping[str, float]


def ephemeris_of(
    satellite: int, kind: Kind, values: Sequence[float], times: Sequence[int], calendar: int, version: float
) -> Ephemeris:
    """Ephemeris of a usable record; times are toe, toc and transmission (gpst ns or NO_TIME)."""
    named = {name: value for name, value in zip(kind.names, values, strict=True) if name and value == value}
    if "sqrtA" in kind.names:
        return _kepler(satellite, kind, named, times, version)
    if satellite >> 6 == Constellation.GLONASS:
        return _glonass(satellite, kind, named, times, calendar)
    return _sbas(satellite, named, times)


def _kepler(satellite: int, kind: Kind, v: Values, times: Sequence[int], version: float) -> KeplerEphemeris:
    orbit = {field: v[name] for name, field in ORBIT.items() if name in v}
    orbit.setdefault("af2", 0.0)
    issue = next((v[name] for name in _ISSUES if name in v), None)
    return KeplerEphemeris(
        satellite=satellite, message=NavigationMessage(kind.message), toe=times[0], toc=times[1],
        transmission=None if times[2] == NO_TIME else times[2], iode=_integer(issue),
        iodc=_issue_of_clock(satellite, v), health=_integer(v.get("health")) or 0,
        accuracy_m=_accuracy(kind, v), fit_interval_s=_fit_interval(satellite, kind, v, version),
        group_delays={name: value for name, value in v.items() if name in GROUP_DELAYS and value < UNKNOWN},
        extra={name: value for name, value in v.items() if name not in _PLACED}, **orbit,
    )  # fmt: skip


def _issue_of_clock(satellite: int, v: Values) -> int | None:
    """IODC or AODC; what has no room in GPS's and QZSS's ten bits is no issue (files of 2003 have it shifted)."""
    issue = v.get("IODC", v.get("AODC"))
    if satellite >> 6 in (Constellation.GPS, Constellation.QZSS) and not (0 <= (issue or 0.0) < 1024):
        return None
    return _integer(issue) if issue is not None and issue == round(issue) else None


def _integer(value: float | None) -> int | None:
    return None if value is None or abs(value) > 1e15 else round(value)


def _fit_interval(satellite: int, kind: Kind, v: Values, version: float) -> float:
    """Whole fit interval, s: GPS in hours, 0 and blank 4 h; QZSS a flag (2 h, more), hours in 3.02."""
    if "fit" not in kind.names:
        return math.nan
    fit = v.get("fit", 0.0)
    if satellite >> 6 == Constellation.GPS:
        return 4 * 3600.0 if not 0.0 < fit < 1000.0 else max(fit, 4.0) * 3600.0
    if abs(version - 3.02) < 0.005 and 1.0 < fit < 1000.0:
        return fit * 3600.0
    return 2 * 3600.0 if fit == 0.0 else 4 * 3600.0


def _accuracy(kind: Kind, v: Values) -> float:
    """URA or SISA in m; CNAV's index by its nominal value; NaN where there is no prediction."""
    if "SISA" in kind.names:
        return v["SISA"] if v.get("SISA", -1.0) >= 0.0 else math.nan
    if "URAI_ED" in kind.names:
        return _cnav_accuracy(v.get("URAI_ED", math.nan))
    return v.get("URA", math.nan)


def _cnav_accuracy(index: float) -> float:
    if not -16.0 < index < 15.0:
        return math.nan
    if index in (1.0, 3.0, 5.0):
        return {1.0: 2.8, 3.0: 5.7, 5.0: 11.3}[index]
    return float(2.0 ** (1.0 + index / 2.0) if index <= 6.0 else 2.0 ** (index - 2.0))


def _vectors(v: Values) -> tuple[tuple[float, float, float], ...]:
    """Position, velocity and acceleration in m."""
    x, vel, acc = (
        tuple(1000.0 * v[name] for name in names) for names in (("X", "Y", "Z"), ("VX", "VY", "VZ"), ("AX", "AY", "AZ"))
    )
    return (x[0], x[1], x[2]), (vel[0], vel[1], vel[2]), (acc[0], acc[1], acc[2])


_STATE_PLACED = frozenset(
    (
        "X",
        "Y",
        "Z",
        "VX",
        "VY",
        "VZ",
        "AX",
        "AY",
        "AZ",
        "minus_tau_n",
        "gamma_n",
        "channel",
        "age",
        "aGf0",
        "aGf1",
        "t_tm",
        "t_k",
        "health",
        "delta_tau",
        "IODN",
    )
)


def _glonass(satellite: int, kind: Kind, v: Values, times: Sequence[int], calendar: int) -> StateEphemeris:
    position, velocity, acceleration = _vectors(v)
    moscow = (calendar // NS + GLONASS_DAY_OFFSET_S) % DAY_S
    health = _integer(v.get("health")) or 0
    if int(v.get("health_flags", 0.0)) & 4:  # l_n of the third string
        health |= 4
    urai = v.get("URAI", math.nan)
    delay = v.get("delta_tau", math.nan)
    return StateEphemeris(
        satellite=satellite, message=NavigationMessage(kind.message), toe=times[0],
        transmission=None if times[2] == NO_TIME else times[2], iode=moscow // 900, health=health,
        accuracy_m=_GLONASS_ACCURACY[int(urai)] if 0.0 <= urai < 15.0 else math.nan,
        position=position, velocity=velocity, acceleration=acceleration, clock_bias=v["minus_tau_n"],
        clock_rate=v["gamma_n"], channel=glonass_channel(v.get("channel", math.nan)), age_days=v.get("age", math.nan),
        delta_tau=delay if abs(delay) < UNKNOWN else math.nan,
        extra={name: value for name, value in v.items() if name not in _STATE_PLACED},
    )  # fmt: skip


def glonass_channel(printed: float) -> int:
    """Channel as printed; above 128 it is an unsigned byte; what no satellite has is unknown."""
    if math.isnan(printed) or abs(printed) > 256.0:
        return UNKNOWN_CHANNEL
    channel = round(printed) - 256 if printed > 128.0 else round(printed)
    return channel if channel in _CHANNELS else UNKNOWN_CHANNEL


def _sbas(satellite: int, v: Values, times: Sequence[int]) -> StateEphemeris:
    position, velocity, acceleration = _vectors(v)
    accuracy = v.get("URA", math.nan)
    return StateEphemeris(
        satellite=satellite, message=NavigationMessage.SBAS, toe=times[0],
        transmission=None if times[2] == NO_TIME else times[2], iode=_integer(v.get("IODN")),
        health=_integer(v.get("health")) or 0, accuracy_m=accuracy if accuracy < 32767.0 else math.nan,
        position=position, velocity=velocity, acceleration=acceleration, clock_bias=v["aGf0"], clock_rate=v["aGf1"],
        extra={name: value for name, value in v.items() if name not in _STATE_PLACED},
    )  # fmt: skip


def deduplicated(ephemerides: Iterable[Ephemeris]) -> list[Ephemeris]:
    """Without sets received again: same satellite, message, times, issue and content; the first received stays.

    Sets of one toe with other content all stay: `cors.gnss.selection.choose` takes the one sent last.
    """
    unique: dict[object, Ephemeris] = {}
    for e in ephemerides:
        if isinstance(e, KeplerEphemeris):
            content = (e.toc, e.iodc, e.health, *(getattr(e, field) for field in ORBIT.values()))
        else:
            content = (e.health, *e.position, *e.velocity, *e.acceleration, e.clock_bias, e.clock_rate)
        unique.setdefault((e.satellite, e.message, e.toe, e.iode, content), e)
    return list(unique.values())


__all__ = ["KINDS", "deduplicated", "ephemeris_of"]
