"""NMEA 0183 GGA: where a rover says it is. Parsed as receivers send it, built as casters want it.

`$ttGGA,hhmmss.ss,llll.ll,a,yyyyy.yy,a,q,nn,h.h,alt,M,sep,M,age,id*hh`: any two-letter talker, any letter case, 10 to 15
fields after the name (the last ones may be missing). A checksum, where present, must be right. Refused: minutes from
60, degrees out of range, a position without hemisphere, a quality that is no number. Quality 0 or an empty position
is a rover that is alive and knows no place. Time, satellites and HDOP never decide: RTKLIB sends `00` satellites and
its computer's time. Sources: NMEA 0183; ntrip 5.3, 6; rinex 17.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from cors.ntrip.errors import GgaError

MAX_FIELDS = 15
MIN_FIELDS = 10

_SENTENCE = re.compile(r"\$([A-Za-z]{2})GGA,([^*$]*)(?:\*([0-9A-Fa-f]{2})?)?\Z", re.IGNORECASE)
_LATITUDE = re.compile(r"(\d{2})(\d{2}(?:\.\d*)?)\Z", re.ASCII)
_LONGITUDE = re.compile(r"(\d{3})(\d{2}(?:\.\d*)?)\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})\Z", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d(?:\.\d{0,9})?|60(?:\.\d{0,9})?)\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Gga:
    """One sentence; what was blank is NaN, None or empty."""

    latitude: float
    """Degrees, north positive."""
    longitude: float
    """Degrees, east positive."""
    quality: int
    """0 none, 1 single, 2 differential, 4 fixed, 5 float, 9 SBAS in NovAtel; RTKLIB always says 1."""
    altitude: float = math.nan
    """m above the receiver's own geoid; NaN unless its unit is M."""
    separation: float = math.nan
    """m, geoid above ellipsoid."""
    time_of_day_s: float = math.nan
    """UTC, s; not to be trusted."""
    satellites: int | None = None
    hdop: float = math.nan
    age_s: float = math.nan
    station: str = ""
    talker: str = "GP"
    has_checksum: bool = True

    @property
    def has_position(self) -> bool:
        """False before a fix: the rover is alive, no more."""
        return self.quality > 0 and not math.isnan(self.latitude)

    @property
    def height(self) -> float:
        """Ellipsoidal height, m; NaN where altitude or separation is blank."""
        return self.altitude + self.separation


def checksum(body: str) -> int:
    """XOR of the characters between `$` and `*`."""
    value = 0
    for byte in body.encode("latin-1", "replace"):
        value ^= byte
    return value


def parse_gga(line: str | bytes) -> Gga:
    """The sentence in a line (line ends and blanks around it ignored). Raises GgaError."""
    text = (line.decode("latin-1") if isinstance(line, bytes) else line).strip(" \t\r\n\0")
    match = _SENTENCE.match(text)
    if match is None:
        raise GgaError("gga_malformed", text)
    talker, body, expected = match.groups()
    if "*" in text and (expected is None or checksum(text[1 : text.index("*")]) != int(expected, 16)):
        raise GgaError("gga_checksum", text)
    fields = [field.strip() for field in body.split(",")]
    if not MIN_FIELDS <= len(fields) <= MAX_FIELDS:
        raise GgaError("gga_fields", text)
    return _from_fields(fields + [""] * (MAX_FIELDS - len(fields)), talker.upper(), "*" in text, text)


def _from_fields(fields: list[str], talker: str, has_checksum: bool, text: str) -> Gga:
    if fields[5] and not (fields[5].isascii() and fields[5].isdigit() and len(fields[5]) == 1):
        raise GgaError("gga_quality", text)
    latitude = _angle(fields[1], fields[2], _LATITUDE, "NS", 90.0, text)
    longitude = _angle(fields[3], fields[4], _LONGITUDE, "EW", 180.0, text)
    if math.isnan(latitude) != math.isnan(longitude):
        raise GgaError("gga_half_position", text)
    return Gga(
        latitude,
        longitude,
        quality=int(fields[5] or 0),
        altitude=_number(fields[8]) if fields[9].upper() == "M" else math.nan,
        separation=_number(fields[10]) if fields[11].upper() == "M" else math.nan,
        time_of_day_s=_time_of_day(fields[0]),
        satellites=int(fields[6]) if fields[6].isascii() and fields[6].isdigit() and len(fields[6]) < 4 else None,
        hdop=_number(fields[7]),
        age_s=_number(fields[12]),
        station=fields[13],
        talker=talker,
        has_checksum=has_checksum,
    )


def _angle(value: str, hemisphere: str, form: re.Pattern[str], letters: str, most: float, text: str) -> float:
    """Degrees of `dddmm.mm` and its hemisphere; NaN when blank."""
    if not value:
        return math.nan
    match = form.match(value)
    if match is None or hemisphere.upper() not in tuple(letters):
        raise GgaError("gga_position", text)
    minutes = float(match.group(2))
    degrees = int(match.group(1)) + minutes / 60.0
    if minutes >= 60.0 or degrees > most:
        raise GgaError("gga_position", text)
    return -degrees if hemisphere.upper() == letters[1] else degrees


def _number(text: str) -> float:
    return float(text) if _NUMBER.match(text) else math.nan


def _time_of_day(text: str) -> float:
    match = _TIME.match(text)
    if match is None:
        return math.nan
    return int(match.group(1)) * 3600.0 + int(match.group(2)) * 60.0 + float(match.group(3))


def build_gga(
    latitude: float,
    longitude: float,
    height: float,
    time_of_day_s: float,
    *,
    separation: float = 0.0,
    quality: int = 1,
    satellites: int = 10,
    talker: str = "GP",
) -> str:
    """A sentence without line end; degrees, ellipsoidal metres (written as altitude = height - separation), UTC s.

    Minutes have 7 decimals (0.2 mm). Casters were met that take only `GP`, and that dislike 0 satellites.
    """
    hundredths = round(time_of_day_s * 100.0) % 8_640_000
    seconds, fraction = divmod(hundredths, 100)
    time = f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}.{fraction:02d}"
    body = (
        f"{talker}GGA,{time},{_packed(latitude, 2)},{'S' if latitude < 0 else 'N'},"
        f"{_packed(longitude, 3)},{'W' if longitude < 0 else 'E'},{quality},{satellites:02d},1.0,"
        f"{height - separation:.3f},M,{separation:.3f},M,,"
    )
    return f"${body}*{checksum(body):02X}"


def _packed(angle: float, degree_digits: int) -> str:
    """`dddmm.mmmmmmm`, rounded as a whole so that minutes never read 60."""
    total = round(abs(angle) * 60.0e7)
    degrees, minutes = divmod(total, 600_000_000)
    return f"{degrees:0{degree_digits}d}{minutes // 10_000_000:02d}.{minutes % 10_000_000:07d}"
