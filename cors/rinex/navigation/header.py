"""The header of a navigation file: ionosphere parameters, relations of time systems, leap seconds.

RINEX 2's own records (ION ALPHA, DELTA-UTC, ...) are given under the ids RINEX 3 has for them. All sets are kept: a
file may have one a satellite and hour. Source: RINEX 2.11 tables A3, A8, A10, 3.05 table A5, 4.02 table A5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from cors.rinex.diagnostics import Code, DiagnosticLog
from cors.rinex.fields import integer, real, whole
from cors.rinex.labels import HeaderRecord


@dataclass(frozen=True, slots=True)
class IonosphericCorrection:
    """One IONOSPHERIC CORR record."""

    id: str
    """GAL, GPSA, GPSB, QZSA, QZSB, BDSA, BDSB, IRNA, IRNB."""
    coefficients: tuple[float, float, float, float]
    """NaN blank (GAL has three)."""
    hour: int | None = None
    """Hour of transmission (time mark A = 0)."""
    satellite: int | None = None
    """PRN of the satellite that sent it."""


@dataclass(frozen=True, slots=True)
class TimeSystemCorrection:
    """One TIME SYSTEM CORR record: difference of two time systems a0 + a1 (t - T), s."""

    id: str
    """GPUT, GAUT, GLUT, BDUT, GPGA, ..."""
    a0: float
    a1: float
    reference_s: float
    """T, s of week `week`; NaN blank."""
    week: int | None = None
    source: str = ""
    """Name of the SBAS provider or satellite."""
    utc_id: int | None = None


@dataclass(frozen=True, slots=True)
class LeapSeconds:
    """LEAP SECONDS: now, and a future or past value with the week and day it holds from."""

    current: int
    future: int | None = None
    week: int | None = None
    day: int | None = None
    system: str = "GPS"


@dataclass(frozen=True, slots=True)
class NavigationHeader:
    """Values of a navigation header."""

    version: float = 3.05
    system: str = "M"
    program: str = ""
    run_by: str = ""
    date: str = ""
    ionosphere: tuple[IonosphericCorrection, ...] = ()
    time_corrections: tuple[TimeSystemCorrection, ...] = ()
    leap_seconds: LeapSeconds | None = None
    records: tuple[HeaderRecord, ...] = ()
    """Lines as read."""

    @property
    def comments(self) -> tuple[str, ...]:
        """Texts of COMMENT lines."""
        return tuple(r.content.rstrip() for r in self.records if r.label == "COMMENT")


_OLD_SYSTEMS = {"N": "G", "G": "R", "L": "E", "E": "E", "H": "S", "C": "C", "J": "J", "Q": "J"}


def file_system(version: float, file_type: str, system: str) -> str:
    """Constellation letter of a file, M mixed; RINEX 2 tells it by the file type."""
    if version < 3.0:
        return _OLD_SYSTEMS.get(file_type, "G")
    return system if system in "GREJCIS" and system else "M"


def read_header(records: Iterable[HeaderRecord], version: float, system: str, log: DiagnosticLog) -> NavigationHeader:
    """Header of a file from its records (without the first)."""
    header = NavigationHeader(version=version, system=system, records=tuple(records))
    for record in header.records:
        reader = _READERS.get(record.label)
        if reader is not None:
            try:
                header = reader(header, record.content)
            except ValueError as error:
                log.note(Code.HEADER_VALUE, record.line, record.content + record.label, str(error))
    return header


def _program(header: NavigationHeader, content: str) -> NavigationHeader:
    return replace(
        header, program=content[:20].strip(), run_by=content[20:40].strip(), date=content[40:60].strip()
    )  # fmt: skip


def _add_ionosphere(header: NavigationHeader, correction: IonosphericCorrection) -> NavigationHeader:
    return replace(header, ionosphere=(*header.ionosphere, correction))


def _four(content: str, start: int) -> tuple[float, float, float, float]:
    a, b, c, d = (real(content[start + 12 * n : start + 12 * n + 12]) for n in range(4))
    return a, b, c, d


def _ion_alpha(header: NavigationHeader, content: str) -> NavigationHeader:
    return _add_ionosphere(header, IonosphericCorrection("GPSA", _four(content, 2)))


def _ion_beta(header: NavigationHeader, content: str) -> NavigationHeader:
    return _add_ionosphere(header, IonosphericCorrection("GPSB", _four(content, 2)))


def _ionospheric(header: NavigationHeader, content: str) -> NavigationHeader:
    mark = content[54:55].upper()
    hour = ord(mark) - ord("A") if "A" <= mark <= "X" else None
    correction = IonosphericCorrection(content[:4].strip(), _four(content, 5), hour, integer(content[56:58]))
    return _add_ionosphere(header, correction)


def _add_time(header: NavigationHeader, correction: TimeSystemCorrection) -> NavigationHeader:
    return replace(header, time_corrections=(*header.time_corrections, correction))


def _delta_utc(header: NavigationHeader, content: str) -> NavigationHeader:
    week = whole(content[50:59])
    return _add_time(
        header, TimeSystemCorrection("GPUT", real(content[3:22]), real(content[22:41]), real(content[41:50]), week)
    )


def _glonass_time(header: NavigationHeader, content: str) -> NavigationHeader:
    return _add_time(header, TimeSystemCorrection("GLUT", real(content[21:40]), 0.0, math.nan))


def _sbas_time(header: NavigationHeader, content: str) -> NavigationHeader:
    return _add_time(
        header,
        TimeSystemCorrection(
            "SBUT", real(content[:19]), real(content[19:38]), real(content[38:45]), whole(content[45:50]),
            content[51:56].strip(), integer(content[57:59]),
        ),
    )  # fmt: skip


def _time_system(header: NavigationHeader, content: str) -> NavigationHeader:
    return _add_time(
        header,
        TimeSystemCorrection(
            content[:4].strip(), real(content[5:22]), real(content[22:38]), real(content[38:45]), whole(content[45:50]),
            content[51:56].strip(), integer(content[57:59]),
        ),
    )  # fmt: skip


def _leap(header: NavigationHeader, content: str) -> NavigationHeader:
    current = whole(content[:6])
    if current is None:
        return header
    future, week, day = (whole(content[n : n + 6]) for n in (6, 12, 18))
    return replace(
        header,
        leap_seconds=LeapSeconds(current, future, week, day, content[24:27].strip().replace("BDS", "BDT") or "GPS"),
    )


_READERS: dict[str, Callable[[NavigationHeader, str], NavigationHeader]] = {
    "PGM / RUN BY / DATE": _program,
    "ION ALPHA": _ion_alpha,
    "ION BETA": _ion_beta,
    "IONOSPHERIC CORR": _ionospheric,
    "DELTA-UTC: A0,A1,T,W": _delta_utc,
    "CORR TO SYSTEM TIME": _glonass_time,
    "D-UTC A0,A1,T,W,S,U": _sbas_time,
    "TIME SYSTEM CORR": _time_system,
    "LEAP SECONDS": _leap,
}
