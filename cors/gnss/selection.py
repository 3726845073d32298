"""Which broadcast set may be used at an instant, and which of several: by health, age, issue and message kind.

Refuses unhealthy sets, sets whose issues contradict each other, and sets older than their kind allows; a satellite
without a usable set has none. Sources: ICD update and fit intervals as listed in `MAX_AGE_S`; RINEX 3.05 table A8
(Galileo health word), IS-GPS-200 20.3.3.3.1.4 (health), 20.3.4.4 (fit interval), GLONASS ICD (B_n, l_n).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, NavigationMessage
from cors.gnss.satellites import Constellation
from cors.gnss.time import NS

MAX_AGE_S = {
    Constellation.GPS: 7200.0,
    Constellation.GLONASS: 1800.0,
    Constellation.GALILEO: 14_400.0,
    Constellation.SBAS: 240.0,
    Constellation.QZSS: 3600.0,
    Constellation.BEIDOU: 7200.0,
    Constellation.NAVIC: 7200.0,
}
"""|t - toe| up to which a set is used when it names no longer fit interval, s."""

UNUSABLE_ACCURACY_M = 6144.0
"""URA index 15 and beyond: no prediction (IS-GPS-200 20.3.3.3.1.3)."""

PREFERRED = (
    NavigationMessage.LNAV, NavigationMessage.INAV, NavigationMessage.D1, NavigationMessage.D2, NavigationMessage.FDMA,
    NavigationMessage.SBAS, NavigationMessage.FNAV, NavigationMessage.CNV1, NavigationMessage.CNV2,
    NavigationMessage.CNAV, NavigationMessage.CNV3, NavigationMessage.L1NV, NavigationMessage.L1OC,
    NavigationMessage.L3OC,
)  # fmt: skip
"""Kinds a network uses, first choice first: those that RTCM can carry to its rovers."""


def healthy(ephemeris: Ephemeris) -> bool:
    """True when the set says its satellite (Galileo: the signals its clock refers to) may be used."""
    if Constellation(ephemeris.satellite >> 6) is Constellation.GALILEO:
        word = ephemeris.health  # HS of E1-B, E5a, E5b; DVS = 1 "without guarantee" is accepted, HS is not
        e1, e5a, e5b = word >> 1 & 3, word >> 4 & 3, word >> 7 & 3
        return (e5a == 0 if ephemeris.message is NavigationMessage.FNAV else e1 == 0 and e5b == 0) and not math.isnan(
            ephemeris.accuracy_m
        )
    if ephemeris.health != 0:
        return False
    accuracy = ephemeris.accuracy_m
    return ephemeris.message is NavigationMessage.FDMA or math.isnan(accuracy) or accuracy < UNUSABLE_ACCURACY_M


def consistent(ephemeris: Ephemeris) -> bool:
    """False where IODE and the low 8 bits of IODC differ (GPS and QZSS LNAV): parts of two uploads."""
    if not isinstance(ephemeris, KeplerEphemeris) or ephemeris.message is not NavigationMessage.LNAV:
        return True
    if Constellation(ephemeris.satellite >> 6) not in (Constellation.GPS, Constellation.QZSS):
        return True
    return ephemeris.iode is None or ephemeris.iodc is None or ephemeris.iode == ephemeris.iodc & 0xFF


def max_age_s(ephemeris: Ephemeris) -> float:
    """|t - toe| up to which the set may be used, s."""
    limit = MAX_AGE_S[Constellation(ephemeris.satellite >> 6)]
    if isinstance(ephemeris, KeplerEphemeris) and ephemeris.fit_interval_s > 0.0:
        return max(limit, ephemeris.fit_interval_s / 2.0)
    return limit


def usable(ephemeris: Ephemeris, gpst: int) -> bool:
    """True when the set is healthy, consistent and young enough at `gpst` (ns)."""
    return abs(gpst - ephemeris.toe) <= max_age_s(ephemeris) * NS and healthy(ephemeris) and consistent(ephemeris)


def _preference(ephemeris: Ephemeris, gpst: int) -> tuple[int, int, int]:
    transmission = ephemeris.transmission if ephemeris.transmission is not None else -1
    return PREFERRED.index(ephemeris.message), abs(gpst - ephemeris.toe), -transmission


def choose(candidates: Iterable[Ephemeris], gpst: int, iode: int | None = None) -> Ephemeris | None:
    """The usable set of one satellite with the nearest toe (tie: newest transmission), of the preferred kind.

    With `iode` only sets of that issue count. None where nothing may be used.
    """
    sets = [e for e in candidates if (iode is None or e.iode == iode) and usable(e, gpst)]
    return min(sets, key=lambda e: _preference(e, gpst), default=None)


def identity(ephemeris: Ephemeris) -> tuple[int, NavigationMessage, int, int | None]:
    """What makes two sets the same: satellite, kind, reference time, issue."""
    return ephemeris.satellite, ephemeris.message, ephemeris.toe, ephemeris.iode
