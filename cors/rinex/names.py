"""RINEX and product file names: read and built. A name is a hint; header and data decide.

Short names (RINEX 2, `ssssdddf.yyt`), long names (RINEX 3 and 4), long product names and the IGS's old weekly ones.
Source: RINEX 3.05 / 4.02 section 4 and appendix A1, IGS long product file names.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from cors.gnss.time import NS, calendar, day_of_year, gpst_from_calendar, gpst_from_week


class FileKind(StrEnum):
    """What a file holds."""

    OBSERVATION = "obs"
    NAVIGATION = "nav"
    METEOROLOGICAL = "met"
    ORBIT = "sp3"
    CLOCK = "clk"
    IONEX = "ionex"
    SUMMARY = "sum"
    SBAS_BROADCAST = "sbs"
    EARTH_ROTATION = "erp"
    SINEX = "snx"
    BIAS = "bia"
    ATTITUDE = "obx"


@dataclass(frozen=True, slots=True)
class FileName:
    """What a name says; None where it does not."""

    kind: FileKind
    start: int
    """Nominal start, gpst ns."""
    station: str | None = None
    """Four or nine characters, upper case."""
    source: str | None = None
    """R receiver, S stream, U unknown."""
    period_s: float | None = None
    rate_s: float | None = None
    systems: str | None = None
    """System letter, M mixed."""
    hatanaka: bool = False
    compression: str | None = None
    """gzip, lzw, bzip2 or zip."""
    centre: str | None = None
    campaign: str | None = None
    solution: str | None = None
    """FIN, RAP, ULT, ... of a product."""


_COMPRESSION = {"gz": "gzip", "z": "lzw", "bz2": "bzip2", "zip": "zip"}
_SHORT_TYPES = {
    "o": (FileKind.OBSERVATION, None), "d": (FileKind.OBSERVATION, None), "n": (FileKind.NAVIGATION, "G"),
    "g": (FileKind.NAVIGATION, "R"), "l": (FileKind.NAVIGATION, "E"), "h": (FileKind.NAVIGATION, "S"),
    "p": (FileKind.NAVIGATION, "M"), "f": (FileKind.NAVIGATION, "C"), "q": (FileKind.NAVIGATION, "J"),
    "m": (FileKind.METEOROLOGICAL, None), "c": (FileKind.CLOCK, None), "s": (FileKind.SUMMARY, None),
    "i": (FileKind.IONEX, None), "b": (FileKind.SBAS_BROADCAST, None),
}  # fmt: skip
_PRODUCTS = {
    "SP3": FileKind.ORBIT, "CLK": FileKind.CLOCK, "SNX": FileKind.SINEX, "ERP": FileKind.EARTH_ROTATION,
    "INX": FileKind.IONEX, "BIA": FileKind.BIAS, "OBX": FileKind.ATTITUDE,
}  # fmt: skip
_UNIT_S = {"S": 1.0, "M": 60.0, "H": 3600.0, "D": 86_400.0, "Y": 365 * 86_400.0}

_SHORT = re.compile(r"(\w{4})(\d{3})([0a-x])(00|15|30|45)?\.(\d\d)([a-z])", re.I)
_LONG = re.compile(
    r"([A-Z0-9]{4}[0-9][0-9][A-Z]{3})_([RSU])_(\d{11})_(\d\d[MHDYU])(?:_(\d\d[CZSMHDU]))?_([GREJCISM])([ONM])\.(rnx|crx)",
    re.I,
)
_PRODUCT = re.compile(
    r"(\w{3})(\d)(\w{3})(\w{3})_(\d{11})_(\d\d[MHDYU])_(\d\d[CZSMHDU])(?:_\w+)?_(\w{3})\.(\w{3})", re.I
)
_WEEKLY = re.compile(r"([a-z]{3})(\d{4})(\d)(?:_\d\d)?\.(sp3|clk|erp|snx|sum)", re.I)
_LOOKS = re.compile(r"\.(rnx|crx|obs|nav|\d\d[odnglphmfq])(\.(gz|z|bz2))?$", re.I)


def looks_like_rinex(name: str) -> bool:
    """True where the ending is one of RINEX's."""
    return _LOOKS.search(name) is not None


def parse_name(name: str) -> FileName:
    """What a file name says. Raises ValueError where it says nothing certain (never a reason to refuse the file)."""
    stem, compression = _without_compression(name.replace("\\", "/").rsplit("/", 1)[-1])
    for pattern, reader in ((_LONG, _from_long), (_PRODUCT, _from_product), (_SHORT, _from_short), (_WEEKLY, _weekly)):
        if match := pattern.fullmatch(stem):
            return reader(match, compression)
    raise ValueError(f"not a standard name: {name!r} (expected for example HNCS00CHN_R_20260680000_01D_30S_MO.crx.gz)")


def long_name(
    station: str, start: int, period_s: float | None, rate_s: float | None, systems: str, *,
    kind: FileKind = FileKind.OBSERVATION, source: str = "R", hatanaka: bool = False, gzip: bool = False,
) -> str:  # fmt: skip
    """RINEX 3 and 4 name of a nominal start (gpst ns). Raises ValueError for what has no place in a name."""
    if not re.fullmatch(r"[A-Z0-9]{9}", station) or source not in "RSU" or systems not in "GREJCISM":
        raise ValueError(f"no long name for station {station!r}, source {source!r}, systems {systems!r}")
    letter = {FileKind.OBSERVATION: "O", FileKind.NAVIGATION: "N", FileKind.METEOROLOGICAL: "M"}[kind]
    year, _, _, hour, minute, _ = calendar(start)
    stamp = f"{year:04d}{day_of_year(start):03d}{hour:02d}{minute:02d}"
    parts = [station, source, stamp, _period(period_s)]
    if kind is not FileKind.NAVIGATION:
        parts.append(_rate(rate_s))
    return "_".join([*parts, systems + letter]) + (".crx" if hatanaka else ".rnx") + (".gz" if gzip else "")


def short_name(station: str, start: int, period_s: float, letter: str) -> str:
    """RINEX 2 name: daily, hourly or quarter-hourly by the period; `letter` is the type (o, d, n, g, ...)."""
    year, _, _, hour, minute, _ = calendar(start)
    session = "0" if period_s > 3600 else "abcdefghijklmnopqrstuvwx"[hour]
    quarter = f"{minute // 15 * 15:02d}" if period_s < 3600 else ""
    return f"{station[:4].lower()}{day_of_year(start):03d}{session}{quarter}.{year % 100:02d}{letter}"


def _without_compression(name: str) -> tuple[str, str | None]:
    stem, _, suffix = name.rpartition(".")
    compression = _COMPRESSION.get(suffix.lower())
    return (stem, compression) if compression and stem else (name, None)


def _start(stamp: str) -> int:
    """gpst ns of YYYYDDD or YYYYDDDHHMM."""
    year, day = int(stamp[:4]), int(stamp[4:7])
    hour, minute = (int(stamp[7:9]), int(stamp[9:11])) if len(stamp) > 7 else (0, 0)
    if not 1 <= day <= (dt.date(year, 12, 31) - dt.date(year, 1, 1)).days + 1:
        raise ValueError(f"no day of year {day} in {year}")
    if hour > 23 or minute > 59:
        raise ValueError(f"no time {hour:02d}:{minute:02d}")
    return gpst_from_calendar(year, 1, 1, hour, minute) + (day - 1) * 86_400 * NS


def _length(text: str | None) -> float | None:
    """Seconds of a two-digit number and unit; a rate in C is hundreds of hertz, in Z hertz."""
    if text is None or text[2].upper() == "U" or text[:2] == "00":
        return None
    number, unit = int(text[:2]), text[2].upper()
    return 1.0 / (number * {"C": 100.0, "Z": 1.0}[unit]) if unit in "CZ" else number * _UNIT_S[unit]


def _period(seconds: float | None) -> str:
    for unit in "DHM":
        number = round((seconds or 0) / _UNIT_S[unit])
        if seconds and 1 <= number <= 99 and abs(number * _UNIT_S[unit] - seconds) < 1e-6:
            return f"{number:02d}{unit}"
    return "00U"


def _rate(seconds: float | None) -> str:
    if not seconds:
        return "00U"
    if seconds < 1.0:
        hertz = round(1.0 / seconds)
        return f"{hertz:02d}Z" if hertz <= 99 else f"{round(hertz / 100):02d}C"
    for unit in "SMHD":
        number = round(seconds / _UNIT_S[unit])
        if number <= 99 and abs(number * _UNIT_S[unit] - seconds) < 1e-6:
            return f"{number:02d}{unit}"
    return "00U"


def _from_long(match: re.Match[str], compression: str | None) -> FileName:
    station, source, stamp, period, rate, system, letter, suffix = match.groups()
    kind = {"O": FileKind.OBSERVATION, "N": FileKind.NAVIGATION, "M": FileKind.METEOROLOGICAL}[letter.upper()]
    return FileName(
        kind, _start(stamp), station.upper(), source.upper(), _length(period), _length(rate),
        None if kind is FileKind.METEOROLOGICAL else system.upper(), suffix.lower() == "crx", compression,
    )  # fmt: skip


def _from_product(match: re.Match[str], compression: str | None) -> FileName:
    centre, _, campaign, solution, stamp, period, rate, _, suffix = match.groups()
    kind = _PRODUCTS.get(suffix.upper())
    if kind is None:
        raise ValueError(f"not a product format: {suffix!r} (expected one of {', '.join(_PRODUCTS)})")
    return FileName(
        kind, _start(stamp), period_s=_length(period), rate_s=_length(rate), compression=compression,
        centre=centre.upper(), campaign=campaign.upper(), solution=solution.upper(),
    )  # fmt: skip


def _from_short(match: re.Match[str], compression: str | None) -> FileName:
    station, day, session, quarter, year, letter = match.groups()
    if letter.lower() not in _SHORT_TYPES:
        raise ValueError(f"not a file type: {letter!r} (expected one of {', '.join(_SHORT_TYPES)})")
    kind, systems = _SHORT_TYPES[letter.lower()]
    century = 1900 if int(year) >= 80 else 2000
    hour = 0 if session == "0" else ord(session.lower()) - ord("a")
    start = _start(f"{century + int(year)}{day}{hour:02d}{quarter or '00'}")
    period = 86_400.0 if session == "0" else 900.0 if quarter else 3600.0
    return FileName(
        kind, start, station.upper(), period_s=period, systems=systems, hatanaka=letter.lower() == "d",
        compression=compression,
    )  # fmt: skip


def _weekly(match: re.Match[str], compression: str | None) -> FileName:
    centre, week, day, suffix = match.groups()
    kinds = {"sp3": FileKind.ORBIT, "clk": FileKind.CLOCK, "erp": FileKind.EARTH_ROTATION, "snx": FileKind.SINEX}
    weekday = int(day)
    if weekday > 7:
        raise ValueError(f"no day {weekday} of a week")
    start = gpst_from_week(int(week), 0 if weekday == 7 else weekday * 86_400)
    kind = kinds.get(suffix.lower(), FileKind.SUMMARY)
    return FileName(kind, start, period_s=604_800.0 if weekday == 7 else 86_400.0, compression=compression,
                    centre=centre.upper())  # fmt: skip
