"""Broadcast ephemerides 1019 1020 1041 1042 1044 1045 1046, to and from the vocabulary's values.

Weeks are counted modulo 1024, 4096 or 8192 and get their place from `now`; a set whose toe is within half a week of
`now` only in the week beside it belongs there (an upload near a week's end may carry the week before toe). 1020 has a
time of day only: its date is told by N4 and NT where the satellite sends them, else it is the day nearest to `now`.
Group delays, health words and what only a writer needs carry their RINEX names. Source: RTCM 10403.x DF009-DF137,
DF252-DF317, DF429-DF457, DF488-DF545; IS-GPS-200 20.3.3.4.3.1 and table 20-XII (fit interval), 20.3.3.3.1.3 (URA);
Galileo OS SIS ICD 5.1.12 (SISA); GLONASS ICD table 4.4 (F_T).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from cors.gnss.constants import GPS_PI
from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, NavigationMessage, StateEphemeris
from cors.gnss.satellites import Constellation, is_beidou_geo, pack_satellite, satellite_id, satellite_name
from cors.gnss.signals import UNKNOWN_CHANNEL
from cors.gnss.time import (
    BDT_OFFSET_S,
    BDT_WEEK_OFFSET,
    DAY_NS,
    GLONASS_DAY_OFFSET_S,
    GST_WEEK_OFFSET,
    HALF_WEEK_NS,
    NS,
    WEEK_NS,
    WEEK_S,
    gpst_from_calendar,
    gpst_from_glonass,
    gpst_from_utc_ns,
    gpst_from_week,
    nearest_week,
    unroll_week,
    utc_ns,
)
from cors.rtcm.errors import DamagedMessageError, UnencodableError, UnknownMessageError
from cors.rtcm.field_values import Values, decode_values, encode_values
from cors.rtcm.tables import fields

URA_M = (2.4, 3.4, 4.85, 6.85, 9.65, 13.65, 24.0, 48.0, 96.0, 192.0, 384.0, 768.0, 1536.0, 3072.0, 6144.0, 8192.0)
"""Metres by URA index; 15, no prediction, as RINEX writes it."""
SISA_M = tuple(
    round(v, 2)
    for v in (
        *(0.01 * k for k in range(50)), *(0.5 + 0.02 * k for k in range(25)), *(1.0 + 0.04 * k for k in range(25)),
        *(2.0 + 0.16 * k for k in range(26)),
    )
)  # fmt: skip
NO_SISA = 255
GLONASS_ACCURACY_M = (1.0, 2.0, 2.5, 4.0, 5.0, 7.0, 10.0, 12.0, 14.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
_HOUR = 3600.0
_ANGLES = ("m0", "omega0", "omega")
_SEMICIRCLES = (*_ANGLES, "i0", "delta_n", "omega_dot", "idot")
_ORBIT = (
    "idot", "af2", "af1", "af0", "crs", "delta_n", "m0", "cuc", "eccentricity", "cus", "sqrt_a", "cic", "omega0",
    "cis", "i0", "crc", "omega", "omega_dot",
)  # fmt: skip


class _Layout(NamedTuple):
    """Where a Keplerian message keeps things."""

    system: Constellation
    satellite: str
    week: str
    modulus: int
    week_offset: int
    """GPS week of the system's week 0."""
    toe: str
    toc: str
    accuracy: str
    orbit: tuple[str, ...]
    """Fields of `_ORBIT`."""
    group_delays: Mapping[str, str]
    iode: str
    iodc: str | None


def _names(first: str, numbers: str) -> tuple[str, ...]:
    return tuple(f"{first}{int(n):03d}" for n in numbers.split())


_GALILEO_ORBIT = _names("DF", "292 294 295 296 297 298 299 300 301 302 303 305 306 307 308 309 310 311")
_LAYOUTS = {
    1019: _Layout(
        Constellation.GPS, "DF009", "DF076", 1024, 0, "DF093", "DF081", "DF077",
        _names("DF", "79 82 83 84 86 87 88 89 90 91 92 94 95 96 97 98 99 100"), {"TGD": "DF101"}, "DF071", "DF085",
    ),
    1041: _Layout(
        Constellation.NAVIC, "DF516", "DF517", 1024, GST_WEEK_OFFSET, "DF537", "DF522", "DF521",
        _names("DF", "535 520 519 518 534 524 536 529 538 530 539 531 540 532 543 533 541 542"), {"TGD": "DF523"},
        "DF525", None,
    ),
    1042: _Layout(
        Constellation.BEIDOU, "DF488", "DF489", 8192, BDT_WEEK_OFFSET, "DF505", "DF493", "DF490",
        _names("DF", "491 494 495 496 498 499 500 501 502 503 504 506 507 508 509 510 511 512"),
        {"TGD1": "DF513", "TGD2": "DF514"}, "DF492", "DF497",
    ),
    1044: _Layout(
        Constellation.QZSS, "DF429", "DF452", 1024, 0, "DF442", "DF430", "DF453",
        _names("DF", "450 431 432 433 435 436 437 438 439 440 441 443 444 445 446 447 448 449"), {"TGD": "DF455"},
        "DF434", "DF456",
    ),
    1045: _Layout(
        Constellation.GALILEO, "DF252", "DF289", 4096, GST_WEEK_OFFSET, "DF304", "DF293", "DF291", _GALILEO_ORBIT,
        {"BGD_E1E5a": "DF312"}, "DF290", None,
    ),
    1046: _Layout(
        Constellation.GALILEO, "DF252", "DF289", 4096, GST_WEEK_OFFSET, "DF304", "DF293", "DF286", _GALILEO_ORBIT,
        {"BGD_E1E5a": "DF312", "BGD_E1E5b": "DF313"}, "DF290", None,
    ),
}  # fmt: skip
EPHEMERIS_MESSAGES = frozenset({*_LAYOUTS, 1020})
"""Message numbers this module reads."""
_MESSAGES = {1045: NavigationMessage.FNAV, 1046: NavigationMessage.INAV}


def _number(v: Values, name: str) -> float:
    value = v[name]
    return value if isinstance(value, int | float) else math.nan


def _int(v: Values, name: str) -> int:
    return int(_number(v, name))


def _satellite(system: Constellation, number: int) -> int:
    top = {Constellation.GPS: 32, Constellation.GLONASS: 39, Constellation.QZSS: 10}.get(system, 63)
    if not 1 <= number <= top:
        raise DamagedMessageError(f"an ephemeris of {system.name} satellite {number}")
    return pack_satellite(system, number)


def decode_ephemeris(payload: bytes, now: int) -> Ephemeris:
    """The set a payload holds; `now` (gpst ns) within half a week. Raises UnknownMessageError, DamagedMessageError."""
    number = int.from_bytes(payload[:2].ljust(2, b"\0"), "big") >> 4
    if number == 1020:
        return _decode_glonass(decode_values(payload), now)
    if number not in _LAYOUTS:
        raise UnknownMessageError(f"message {number} is no ephemeris")
    return _decode_kepler(number, decode_values(payload), now)


def _decode_kepler(number: int, v: Values, now: int) -> KeplerEphemeris:
    layout = _LAYOUTS[number]
    satellite = _satellite(layout.system, _int(v, layout.satellite))
    shift = BDT_OFFSET_S * NS if layout.system is Constellation.BEIDOU else 0
    week = unroll_week(_int(v, layout.week) + layout.week_offset, layout.modulus, now)
    toe_s, toc_s = _int(v, layout.toe), _int(v, layout.toc)
    if max(toe_s, toc_s) >= WEEK_S:
        raise DamagedMessageError(f"toe {toe_s} s, toc {toc_s} s of {satellite_name(satellite)} lie beyond the week")
    toe = gpst_from_week(week, toe_s) + shift
    beside = toe + (WEEK_NS if toe < now else -WEEK_NS)
    if abs(beside - now) <= HALF_WEEK_NS:
        toe = beside
    orbit = {name: _number(v, field) for name, field in zip(_ORBIT, layout.orbit, strict=True)}
    for name in _SEMICIRCLES:
        orbit[name] *= GPS_PI
    message = _MESSAGES.get(number, NavigationMessage.LNAV)
    if layout.system is Constellation.BEIDOU:
        message = NavigationMessage.D2 if is_beidou_geo(satellite) else NavigationMessage.D1
    return KeplerEphemeris(
        satellite=satellite, message=message, toe=toe,
        toc=nearest_week(toc_s * NS + shift, toe), transmission=None, iode=_int(v, layout.iode),
        iodc=_int(v, layout.iodc) if layout.iodc else None, health=_health(number, v),
        accuracy_m=_accuracy(number, _int(v, layout.accuracy)), fit_interval_s=_fit_interval(number, v),
        group_delays={name: _number(v, f) for name, f in layout.group_delays.items() if v[f] is not None},
        extra=_extra(number, v), **orbit,
    )  # fmt: skip


def _health(number: int, v: Values) -> int:
    """Health words as RINEX has them: Galileo E1-B 0-2, E5a 3-5, E5b 6-8; NavIC L5 0, S 1."""
    match number:
        case 1045:
            return _int(v, "DF315") << 3 | _int(v, "DF314") << 4
        case 1046:
            e5b = _int(v, "DF317") << 6 | _int(v, "DF316") << 7
            return e5b | _int(v, "DF288") | _int(v, "DF287") << 1
        case 1041:
            return _int(v, "DF527") | _int(v, "DF528") << 1
    return _int(v, {1019: "DF102", 1042: "DF515", 1044: "DF454"}[number])


def _accuracy(number: int, raw: int) -> float:
    if number in (1045, 1046):
        return SISA_M[raw] if raw < len(SISA_M) else math.nan
    return URA_M[raw]


def _fit_interval(number: int, v: Values) -> float:
    """GPS by flag and IODC (IS-GPS-200 table 20-XII); QZSS 2 h, or 4 where the flag says more (unverified)."""
    if number == 1044:
        return 4 * _HOUR if v["DF457"] else 2 * _HOUR
    if number != 1019:
        return math.nan
    if not v["DF137"]:
        return 4 * _HOUR
    iodc = _int(v, "DF085")
    for issues, hours in (
        (range(240, 248), 8), ((*range(248, 256), 496), 14), (range(497, 504), 26), (range(504, 511), 50),
        ((511, *range(752, 757)), 74), ((757,), 98),
    ):  # fmt: skip
        if iodc in issues:
            return hours * _HOUR
    return 6 * _HOUR


def _extra(number: int, v: Values) -> dict[str, float]:
    match number:
        case 1019:
            return {"L2_codes": _number(v, "DF078"), "L2P_flag": _number(v, "DF103")}
        case 1044:
            return {"L2_codes": _number(v, "DF451")}
        case 1045:
            return {"data_sources": 258.0}
        case 1046:
            return {"data_sources": 517.0}
    return {}


def _decode_glonass(v: Values, now: int) -> StateEphemeris:
    satellite = _satellite(Constellation.GLONASS, _int(v, "DF038"))
    channel, tb_ns = _int(v, "DF040"), _int(v, "DF110") * 60 * NS
    toe = gpst_from_glonass(tb_ns, now)
    dated = _glonass_date(v)
    if dated is not None and abs(dated + tb_ns - now) <= HALF_WEEK_NS:
        toe = gpst_from_utc_ns(dated + tb_ns - GLONASS_DAY_OFFSET_S * NS)
    tk = _int(v, "DF107")
    frame = ((tk >> 7) * 3600 + (tk >> 1 & 63) * 60 + (tk & 1) * 30) * NS
    urai = _int(v, "DF128")
    sick = v["DF108"] or (v["DF105"] and not v["DF104"])
    x, y, z = (
        [1000.0 * _number(v, f"DF{n}") for n in numbers]
        for numbers in ((112, 111, 113), (115, 114, 116), (118, 117, 119))
    )
    return StateEphemeris(
        satellite=satellite, message=NavigationMessage.FDMA, toe=toe,
        transmission=gpst_from_glonass(frame, toe), iode=tb_ns // (900 * NS),
        health=(1 if sick else 0) | (4 if v["DF123"] or (v["DF131"] and v["DF136"]) else 0),
        accuracy_m=GLONASS_ACCURACY_M[urai] if urai < 15 else math.nan,
        position=(x[0], y[0], z[0]), velocity=(x[1], y[1], z[1]), acceleration=(x[2], y[2], z[2]),
        clock_bias=-_number(v, "DF124") + 0.0, clock_rate=_number(v, "DF121"),
        channel=channel if channel <= 13 else UNKNOWN_CHANNEL, age_days=_number(v, "DF126"),
        delta_tau=_number(v, "DF125"), extra=_glonass_extra(v),
    )  # fmt: skip


def _glonass_date(v: Values) -> int | None:
    """Start of the Moscow day that N4 and NT name, as `gpst_from_calendar` counts; None where they are not sent."""
    day, interval = _int(v, "DF129"), _int(v, "DF134")
    if not (v["DF131"] and _int(v, "DF130") and 1 <= day <= 1461 and interval):
        return None
    return gpst_from_calendar(1996 + 4 * (interval - 1), 1, 1) + (day - 1) * DAY_NS


# What 1020 has and an ephemeris has no place for: RINEX 3.05 flags, and fields by their names in the ICD.
_GLONASS_EXTRA = {
    "B_n": "DF108", "l_n": "DF123", "N_T": "DF129", "additional_data": "DF131", "N_A": "DF132", "tau_c": "DF133",
    "N_4": "DF134", "tau_GPS": "DF135", "l_n_fifth": "DF136",
}  # fmt: skip


def _glonass_extra(v: Values) -> dict[str, float]:
    flags = (("DF122", 0), ("DF106", 2), ("DF109", 4), ("DF120", 5), ("DF127", 6), ("DF130", 7))
    return {
        "status_flags": float(sum(_int(v, name) << bit for name, bit in flags)),
        "health_flags": float(_int(v, "DF104") | _int(v, "DF105") << 1 | _int(v, "DF123") << 2),
        "URAI": _number(v, "DF128"),
    } | {name: _number(v, field) for name, field in _GLONASS_EXTRA.items()}


def encode_ephemeris(ephemeris: Ephemeris) -> bytes:
    """Payload of a set RTCM has a message for: LNAV, D1, D2, INAV, FNAV, FDMA. Raises UnencodableError."""
    if isinstance(ephemeris, StateEphemeris):
        if ephemeris.message is not NavigationMessage.FDMA:
            raise UnencodableError(f"no RTCM message for {ephemeris.message} of {satellite_name(ephemeris.satellite)}")
        return encode_values(_glonass_values(ephemeris))
    return encode_values(_kepler_values(ephemeris))


def message_number(ephemeris: Ephemeris) -> int | None:
    """Number of the RTCM message for a set, None where there is none."""
    system, message = Constellation(ephemeris.satellite >> 6), ephemeris.message
    if message in (NavigationMessage.FNAV, NavigationMessage.INAV):
        return 1045 if message is NavigationMessage.FNAV else 1046
    if message is NavigationMessage.LNAV:
        numbers = {Constellation.GPS: 1019, Constellation.QZSS: 1044, Constellation.NAVIC: 1041}
        return numbers.get(system)
    return {NavigationMessage.D1: 1042, NavigationMessage.D2: 1042, NavigationMessage.FDMA: 1020}.get(message)


def _semicircles(radians: float, wrap: bool) -> float:
    value = radians / GPS_PI
    return value - 2.0 * math.floor((value + 1.0) / 2.0) if wrap and not -1.0 <= value < 1.0 else value


def _accuracy_raw(number: int, accuracy_m: float) -> int:
    if number in (1045, 1046):
        if not accuracy_m <= SISA_M[-1]:
            return NO_SISA
        return min(range(len(SISA_M)), key=lambda k: abs(SISA_M[k] - accuracy_m))
    return next((k for k, limit in enumerate(URA_M) if accuracy_m <= limit), 15)


def _kepler_values(e: KeplerEphemeris) -> dict[str, object]:
    number = message_number(e)
    if number is None or number not in _LAYOUTS:
        raise UnencodableError(f"no RTCM message for {e.message} of {satellite_name(e.satellite)}")
    layout = _LAYOUTS[number]
    shift = BDT_OFFSET_S * NS if layout.system is Constellation.BEIDOU else 0
    week, toe = divmod(e.toe - shift, WEEK_NS)
    values: dict[str, object] = {
        "DF002": number, layout.satellite: satellite_id(e.satellite),
        layout.week: (week - layout.week_offset) % layout.modulus,
        layout.toe: _time_of_week(layout.toe, toe),
        layout.toc: _time_of_week(layout.toc, (e.toc - shift) % WEEK_NS),
        layout.accuracy: _accuracy_raw(number, e.accuracy_m), layout.iode: e.iode,
    }  # fmt: skip
    if layout.iodc:
        values[layout.iodc] = e.iodc if e.iodc is not None else e.iode
    for name, field in zip(_ORBIT, layout.orbit, strict=True):
        value = getattr(e, name)
        values[field] = _semicircles(value, name in _ANGLES) if name in _SEMICIRCLES else value
    for name, field in layout.group_delays.items():
        values[field] = e.group_delays.get(name, None if number == 1044 else 0.0)
    return values | _rest(number, e)


def _time_of_week(field: str, ns: int) -> int:
    """Seconds of a reference time; one between the field's steps would move the satellite by kilometres."""
    scale = fields()[field].scale
    assert scale is not None
    if ns % (int(scale) * NS):
        raise UnencodableError(f"{field} counts {scale} s: {ns / NS} s is between")
    return ns // NS


def _rest(number: int, e: KeplerEphemeris) -> dict[str, object]:
    """Health and what else a message has."""
    h, x = e.health, e.extra
    match number:
        case 1019:
            return {"DF102": h, "DF078": int(x.get("L2_codes", 1)), "DF103": int(x.get("L2P_flag", 0)),
                    "DF137": int(e.fit_interval_s > 4 * _HOUR)}  # fmt: skip
        case 1041:
            return {"DF527": h & 1, "DF528": h >> 1 & 1, "DF526": 0, "DF544": 0, "DF545": 0}
        case 1042:
            return {"DF515": int(h != 0)}
        case 1044:
            return {"DF454": h, "DF451": int(x.get("L2_codes", 2)), "DF457": int(e.fit_interval_s > 2 * _HOUR)}
        case 1045:
            return {"DF315": h >> 3 & 1, "DF314": h >> 4 & 3}
    return {"DF317": h >> 6 & 1, "DF316": h >> 7 & 3, "DF288": h & 1, "DF287": h >> 1 & 3}


def _glonass_values(e: StateEphemeris) -> dict[str, object]:
    x = e.extra
    flags, health = int(x.get("status_flags", 0)), int(x.get("health_flags", 0))
    moscow = utc_ns(e.toe) + GLONASS_DAY_OFFSET_S * NS
    if moscow % (900 * NS):
        raise UnencodableError("DF110 counts quarters of an hour: toe is between")
    frame = utc_ns(e.toe if e.transmission is None else e.transmission) // NS + GLONASS_DAY_OFFSET_S
    values: dict[str, object] = {
        "DF002": 1020, "DF038": satellite_id(e.satellite), "DF110": moscow % DAY_NS // (900 * NS) * 15,
        "DF040": e.channel if e.channel != UNKNOWN_CHANNEL else 24,
        "DF104": health & 1, "DF105": health >> 1 & 1, "DF106": flags >> 2 & 3, "DF109": flags >> 4 & 1,
        "DF120": flags >> 5 & 1, "DF122": flags & 3, "DF127": flags >> 6 & 1, "DF130": flags >> 7 & 3,
        "DF107": frame // 3600 % 24 << 7 | frame // 60 % 60 << 1 | int(frame % 60 >= 30),
        "DF121": e.clock_rate, "DF124": -e.clock_bias, "DF125": 0.0 if math.isnan(e.delta_tau) else e.delta_tau,
        "DF126": 0 if math.isnan(e.age_days) else int(e.age_days), "DF128": _glonass_urai(e),
    }  # fmt: skip
    vectors = zip(e.position, e.velocity, e.acceleration, strict=True)
    fields = ((112, 111, 113), (115, 114, 116), (118, 117, 119))
    for numbers, kilometres in zip(fields, vectors, strict=True):
        values |= {f"DF{n}": value / 1000.0 for n, value in zip(numbers, kilometres, strict=True)}
    fallback = {"B_n": e.health & 1, "l_n": e.health >> 2 & 1} | _glonass_day(moscow // DAY_NS)
    for name, field in _GLONASS_EXTRA.items():
        value = x.get(name, fallback.get(name, 0))
        values[field] = value if name.startswith("tau") else int(value)
    return values


def _glonass_urai(e: StateEphemeris) -> int:
    if "URAI" in e.extra:
        return int(e.extra["URAI"])
    return next((k for k, limit in enumerate(GLONASS_ACCURACY_M) if e.accuracy_m <= limit), 15)


def _glonass_day(day: int) -> dict[str, int]:
    """N4 and NT of a Moscow day counted from 1980-01-06."""
    since = day - gpst_from_calendar(1996, 1, 1) // DAY_NS
    return {"N_4": since // 1461 + 1, "N_T": since % 1461 + 1}
