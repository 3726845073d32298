"""Group delays: what must be taken from a satellite's clock for the signal that is used.

`dt_signal = dt - group_delay(ephemeris, signal)`. Which delays a message has, and against which signal its clock
stands, follows the ICDs: IS-GPS-200 20.3.3.3.3 and 30.3.3.3.1, Galileo OS SIS ICD 5.1.5, BDS-SIS-ICD B1I 5.2.4.10,
GB/T 39414.1 (B1C, B2a) equations 22, 23. The signs of five of them are proven on one real file in tests/real.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, NavigationMessage
from cors.gnss.satellites import Constellation
from cors.gnss.signals import signal_code

_L1_L2 = (77.0 / 60.0) ** 2
_E1_E5A = (1575.42 / 1176.45) ** 2
_E1_E5B = (1575.42 / 1207.14) ** 2


def _gps_lnav(band: str, attribute: str, d: Mapping[str, float]) -> float:
    tgd = d.get("TGD", math.nan)
    if band == "1":
        return tgd
    return _L1_L2 * tgd if band == "2" else math.nan


def _gps_cnav(band: str, attribute: str, d: Mapping[str, float]) -> float:
    tgd = d.get("TGD", math.nan)
    if band == "1":
        name = {"S": "ISC_L1CD", "L": "ISC_L1CP", "X": "ISC_L1CP"}.get(attribute, "ISC_L1CA")
        return tgd if attribute in "PWY" else tgd - d.get(name, math.nan)
    if band == "2":
        return _L1_L2 * tgd if attribute in "PWY" else tgd - d.get("ISC_L2C", math.nan)
    return tgd - d.get("ISC_L5I5" if attribute == "I" else "ISC_L5Q5", math.nan)


def _galileo(band: str, message: NavigationMessage, d: Mapping[str, float]) -> float:
    name, ratio, second = (
        ("BGD_E1E5a", _E1_E5A, "5") if message is NavigationMessage.FNAV else ("BGD_E1E5b", _E1_E5B, "7")
    )
    delay = d.get(name, math.nan)
    if band == "1":
        return delay
    return ratio * delay if band == second else math.nan


def _beidou(band: str, attribute: str, message: NavigationMessage, d: Mapping[str, float]) -> float:
    if band == "6":
        return 0.0
    if message in (NavigationMessage.D1, NavigationMessage.D2):
        name = {"2": "TGD1", "7": "TGD2"}.get(band) if attribute in "IQX" else None
        return d.get(name, math.nan) if name else math.nan
    if band == "1":
        pilot = d.get("TGD_B1Cp", math.nan)
        return pilot + d.get("ISC_B1Cd", math.nan) if attribute == "D" else pilot
    if band == "5":
        pilot = d.get("TGD_B2ap", math.nan)
        return pilot + d.get("ISC_B2ad", math.nan) if attribute == "D" else pilot
    return d.get("TGD_B2bI", math.nan) if band == "7" and attribute == "D" else math.nan


def group_delay(ephemeris: Ephemeris, signal: int) -> float:
    """Seconds to take from the clock of this set for this packed signal; NaN where the message does not tell.

    GLONASS: the clock is taken as L1's (unverified which it is; a few ns either way).
    """
    band, attribute = signal_code(signal)[0], signal_code(signal)[1]
    if not isinstance(ephemeris, KeplerEphemeris):
        if ephemeris.message is NavigationMessage.SBAS:
            return 0.0
        return {"1": 0.0, "2": ephemeris.delta_tau}.get(band, math.nan)
    system, delays = Constellation(ephemeris.satellite >> 6), ephemeris.group_delays
    if system is Constellation.GALILEO:
        return _galileo(band, ephemeris.message, delays)
    if system is Constellation.BEIDOU:
        return _beidou(band, attribute, ephemeris.message, delays)
    if system is Constellation.NAVIC:
        return delays.get("TGD", math.nan) if band == "5" else math.nan
    if ephemeris.message is NavigationMessage.LNAV:
        return _gps_lnav(band, attribute, delays)
    return _gps_cnav(band, attribute, delays)
