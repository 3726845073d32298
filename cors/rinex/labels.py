"""Header labels of observation and navigation files, and the lines that carry them.

A label stands in columns 61-80. One column beside is accepted when the label is known, one cut short when it can only
be one label; both are reported. Unknown labels are kept verbatim. Source: RINEX 2.11, 3.05, 4.02 tables A1, A2, A5.
"""

from __future__ import annotations

from typing import NamedTuple

from cors.rinex.diagnostics import Code, DiagnosticLog

VERSION = "RINEX VERSION / TYPE"
END = "END OF HEADER"
COMMENT = "COMMENT"

_SHARED = (
    VERSION, "PGM / RUN BY / DATE", COMMENT, END, "LEAP SECONDS", "REC # / TYPE / VERS", "DOI", "LICENSE OF USE",
    "STATION INFORMATION", "MERGED FILE",
)  # fmt: skip
_OBSERVATION = (
    "MARKER NAME", "MARKER NUMBER", "MARKER TYPE", "OBSERVER / AGENCY", "ANT # / TYPE", "APPROX POSITION XYZ",
    "ANTENNA: DELTA H/E/N", "ANTENNA: DELTA X/Y/Z", "ANTENNA: PHASECENTER", "ANTENNA: B.SIGHT XYZ",
    "ANTENNA: ZERODIR AZI", "ANTENNA: ZERODIR XYZ", "CENTER OF MASS: XYZ", "WAVELENGTH FACT L1/2",
    "# / TYPES OF OBSERV", "SYS / # / OBS TYPES", "SIGNAL STRENGTH UNIT", "INTERVAL", "TIME OF FIRST OBS",
    "TIME OF LAST OBS", "RCV CLOCK OFFS APPL", "SYS / DCBS APPLIED", "SYS / PCVS APPLIED", "SYS / SCALE FACTOR",
    "SYS / PHASE SHIFT", "GLONASS SLOT / FRQ #", "GLONASS COD/PHS/BIS", "# OF SATELLITES", "PRN / # OF OBS",
)  # fmt: skip
_NAVIGATION = (
    "ION ALPHA", "ION BETA", "DELTA-UTC: A0,A1,T,W", "CORR TO SYSTEM TIME", "D-UTC A0,A1,T,W,S,U",
    "IONOSPHERIC CORR", "TIME SYSTEM CORR",
)  # fmt: skip
KNOWN = frozenset((*_SHARED, *_OBSERVATION, *_NAVIGATION))
_SPELLINGS = {"SYS / PHASE SHIFTS": "SYS / PHASE SHIFT", "GLONASS COD/PHS/BIS#": "GLONASS COD/PHS/BIS"}
_SHORTEST_CUT = 6


class HeaderRecord(NamedTuple):
    """One header line."""

    label: str
    """Blanks at its end stripped, runs of blanks made one; as printed where it is unknown."""
    content: str
    """Columns 1-60, padded."""
    line: int
    """1-based line of the text; 0 for one that was made, not read."""


def known_label(text: str) -> str | None:
    """The label a field means exactly, if it is one."""
    label = " ".join(text.split())
    label = _SPELLINGS.get(label, label)
    return label if label in KNOWN else None


def parse_line(line: str, number: int, log: DiagnosticLog) -> HeaderRecord | None:
    """The record of a header line; None for a blank one. Columns that are not as they should be are reported."""
    if label := _in_place(line):
        return HeaderRecord(label, line[:60].ljust(60), number)
    if "\t" in line:
        log.note(Code.HEADER_TAB, number, line, "blanks", column=line.index("\t") + 1)
        line = line.expandtabs(8)
        if label := _in_place(line):
            return HeaderRecord(label, line[:60].ljust(60), number)
    if not line.strip():
        return None
    return _beside(line, number, log) or _cut(line, number, log) or _unknown(line, number, log)


def _in_place(line: str) -> str | None:
    return None if line[60:61] == " " else known_label(line[60:])


def _beside(line: str, number: int, log: DiagnosticLog) -> HeaderRecord | None:
    for start in (59, 61):
        if label := known_label(line[start:]):
            log.note(Code.LABEL_COLUMN, number, line, "the label in column 61", column=start + 1)
            return HeaderRecord(label, line[: min(start, 60)].ljust(60), number)
    return None


def _cut(line: str, number: int, log: DiagnosticLog) -> HeaderRecord | None:
    text = " ".join(line[60:].split())
    candidates = [label for label in KNOWN if label.startswith(text)] if len(text) >= _SHORTEST_CUT else []
    if len(candidates) != 1:
        return None
    log.note(Code.LABEL_CUT, number, line, candidates[0], column=61)
    return HeaderRecord(candidates[0], line[:60].ljust(60), number)


def _unknown(line: str, number: int, log: DiagnosticLog) -> HeaderRecord:
    log.note(Code.LABEL_UNKNOWN, number, line, "a label of RINEX in columns 61-80", column=61)
    return HeaderRecord(line[60:].strip(), line[:60].ljust(60), number)
