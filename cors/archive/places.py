"""Where raw hours live: raw/NAME/YYYY/DDD/NAME_YYYYDDDHH.rtcm3, by reception in GPS time, as RINEX hours are."""

from __future__ import annotations

import re
from pathlib import Path

from cors.gnss.time import NS, calendar, day_of_year, gpst_from_calendar

HOUR_NS = 3600 * NS
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
_FILE = re.compile(r"(?P<name>.+)_(?P<year>\d{4})(?P<day>\d{3})(?P<hour>\d{2})\.rtcm3$")


def check_station(name: str) -> str:
    """The name, where it can be a folder's. Raises ValueError."""
    if not _NAME.match(name):
        raise ValueError(f"not a station name for the archive: {name[:80]!r} (letters, digits, - and _)")
    return name


def hour_path(root: Path, station: str, gpst: int) -> Path:
    """File of a station's hour that holds `gpst` (ns)."""
    year, _, _, hour, _, _ = calendar(gpst)
    day = day_of_year(gpst)
    return root / "raw" / station / f"{year:04d}" / f"{day:03d}" / f"{station}_{year:04d}{day:03d}{hour:02d}.rtcm3"


def hour_start(path: Path) -> int | None:
    """Start (gpst ns) of the hour a file's name tells, None where it tells none."""
    match = _FILE.match(path.name)
    if match is None or int(match["hour"]) > 23 or not 1 <= int(match["day"]) <= 366:
        return None
    return gpst_from_calendar(int(match["year"]), 1, 1) + ((int(match["day"]) - 1) * 24 + int(match["hour"])) * HOUR_NS


def archived_stations(root: Path) -> list[str]:
    """Names of the stations that have a folder."""
    folder = root / "raw"
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and _NAME.match(p.name)) if folder.is_dir() else []
