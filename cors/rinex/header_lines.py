"""The header of a file as records: from the first line to END OF HEADER, or to the first line of data where that is
missing. What the records mean is the business of the observation and navigation headers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from cors.rinex.diagnostics import Code, DiagnosticLog, Severity
from cors.rinex.errors import NotRinexError
from cors.rinex.fields import real
from cors.rinex.labels import END, VERSION, HeaderRecord, parse_line
from cors.rinex.text import Text

MAX_HEADER_LINES = 20_000
"""A header longer than this has lost its end."""


class FileVersion(NamedTuple):
    """What the first line says."""

    version: float
    file_type: str
    """Column 21: O, N, G, H, M, C, ..."""
    system: str
    """Column 41: G R E S J C I M, blank where nothing stands there."""
    text: str
    """Columns 1-60 as read."""


def read_version(text: Text, name: str) -> tuple[FileVersion, int]:
    """The first line with content, and its offset. Raises NotRinexError where it is no RINEX first line."""
    offset = text.first_line_with_content()
    line, _ = text.line(offset)
    content, label = line[:60].ljust(60), " ".join(line[60:].split())
    try:
        version = real(content[:20].replace("\t", " "))
    except ValueError:
        version = math.nan
    if label[:8] not in (VERSION[:8], "RINEX VE") or math.isnan(version):
        shown = line.strip()[:60] or "nothing"
        raise NotRinexError(f"{name or 'bytes'}: not RINEX, begins with {shown!r} (expected {VERSION!r} in column 61)")
    if not 1.0 <= version < 10.0:
        raise NotRinexError(f"{name or 'bytes'}: RINEX version {version} (expected 2, 3 or 4)")
    return FileVersion(version, content[20:21].upper(), content[40:41].upper(), content), offset


def read_records(
    text: Text, offset: int, log: DiagnosticLog, begins_data: Callable[[str], bool]
) -> tuple[list[HeaderRecord], int]:
    """Records from `offset` on, without END OF HEADER, and the offset of the data."""
    records: list[HeaderRecord] = []
    reported = False
    for number in range(text.line_number(offset), text.line_number(offset) + MAX_HEADER_LINES):
        if offset >= text.size:
            break
        line, following = text.line(offset)
        if not line.isascii():
            if not reported:
                log.note(Code.NOT_ASCII, number, line, "ASCII", offset=offset)
            reported = True
            line = _in_byte_columns(line)
        record = None
        if line[60:].startswith(END) or not begins_data(line):
            record = parse_line(line, number, log)
        elif records:
            break
        if record is not None and record.label == END:
            return records, following
        if record is not None:
            records.append(record)
        offset = following
    log.note(Code.HEADER_END, text.line_number(offset), text.line(offset)[0], END, severity=Severity.ERROR)
    return records, offset


def _in_byte_columns(line: str) -> str:
    """A line whose label stands in column 61 counted in bytes, as one in which it does counted in characters."""
    raw = line.encode()
    label = raw[60:80].decode("ascii", "replace")
    if " ".join(line[60:].split()) and line[60:61].isascii() and line[59:60] == " " and len(line) >= 70:
        return line
    return raw[:60].decode("utf-8", "replace").ljust(60)[:60] + label
