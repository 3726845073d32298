"""Reads sourcetables as casters write them; no line spoils another (ntrip 2.7).

Taken: CR LF, LF and CR CR LF, UTF-8 or Latin-1 line by line, short records (missing fields are empty), long ones (the
rest joins the last field), fields in quotes, decimal commas, longitudes to 360, and records of casters that end their
format details with an unquoted `;` (realigned). Each oddity is a warning. Skipped: what is no CAS, NET or STR record.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from cors.ntrip.errors import shown
from cors.ntrip.sourcetable import END, MOST_FIELDS, CasterRecord, NetworkRecord, Record, StreamRecord

MAX_WARNINGS = 1000
MAX_LINE = 16_384

_LEAST_FIELDS = {"STR": 17, "CAS": 8, "NET": 7}
"""Behind the type; a record with fewer is short."""
_NUMBER = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{0,15})?\Z", re.ASCII)
_CLOSING_QUOTE = re.compile(r'"(?=;|\Z)')


class TableWarning(NamedTuple):
    """Something odd in a table.

    Codes: cr_cr_lf, bare_lf, latin_1, unknown_record, nameless_record, short_record, realigned, line_too_long,
    decimal_comma, longitude_over_180, out_of_range.
    """

    code: str
    line: int
    text: str


class Sourcetable(NamedTuple):
    """What was read, in order, and what was odd about it."""

    streams: tuple[StreamRecord, ...]
    casters: tuple[CasterRecord, ...]
    networks: tuple[NetworkRecord, ...]
    warnings: tuple[TableWarning, ...]
    complete: bool
    """ENDSOURCETABLE was there."""

    def stream(self, mountpoint: str) -> StreamRecord | None:
        """The record of a mountpoint (names are case-sensitive)."""
        return next((record for record in self.streams if record.mountpoint == mountpoint), None)


def parse_sourcetable(data: bytes) -> Sourcetable:
    """Records of a table's body. Raises nothing."""
    reader = _TableReader()
    for number, line in enumerate(data.split(b"\n"), 1):
        if not reader.take(line, number):
            break
    records = reader.records
    return Sourcetable(
        tuple(r for r in records if isinstance(r, StreamRecord)),
        tuple(r for r in records if isinstance(r, CasterRecord)),
        tuple(r for r in records if isinstance(r, NetworkRecord)),
        tuple(reader.warnings),
        reader.complete,
    )


class _TableReader:
    def __init__(self) -> None:
        self.records: list[Record] = []
        self.warnings: list[TableWarning] = []
        self.complete = False
        self._number = 0

    def take(self, raw: bytes, number: int) -> bool:
        """One line without its LF; False at the table's end."""
        self._number = number
        line = raw.rstrip(b"\r")
        if line.strip() == END.encode():
            self.complete = True
            return False
        kind = line[:3].decode("latin-1")
        if len(line) > MAX_LINE:
            self._warn("line_too_long", line)
        elif kind not in MOST_FIELDS or line[3:4] != b";":
            if line.strip() and not line.startswith(b"#"):
                self._warn("unknown_record", line)
        else:
            if not raw.endswith(b"\r") or raw.endswith(b"\r\r"):
                self._warn("cr_cr_lf" if raw.endswith(b"\r") else "bare_lf", line)
            self._take_record(kind, self._decode(line))
        return True

    def _decode(self, line: bytes) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self._warn("latin_1", line)
            return line.decode("latin-1")

    def _take_record(self, kind: str, line: str) -> None:
        values = [value.strip() for value in split_fields(line)[1:]]
        if kind == "STR" and _is_shifted(values):
            self._warn("realigned", line)
            del values[4]
        if len(values) < _LEAST_FIELDS[kind]:
            self._warn("short_record", line)
        if kind == "CAS" and len(values) == 9:  # version 1 has no fallback fields
            values[8:8] = ["0.0.0.0", "0"]
        most = MOST_FIELDS[kind]
        values[most - 1 :] = [";".join(values[most - 1 :])]
        values += [""] * (most - len(values))
        if not values[0]:
            self._warn("nameless_record", line)
        else:
            self.records.append(getattr(self, f"_{kind.lower()}")(values))

    def _str(self, v: list[str]) -> StreamRecord:
        return StreamRecord(
            v[0], v[1], v[2], v[3], _integer(v[4]), v[5], v[6], v[7], self._degrees(v[8], 90.0),
            self._degrees(v[9], 180.0), _flag(v[10]), _flag(v[11]), v[12], v[13], v[14], _flag(v[15]), _integer(v[16]),
            v[17],
        )  # fmt: skip

    def _cas(self, v: list[str]) -> CasterRecord:
        place = (self._degrees(v[6], 90.0), self._degrees(v[7], 180.0))
        return CasterRecord(v[0], _integer(v[1]), v[2], v[3], _flag(v[4]), v[5], *place, v[8], _integer(v[9]), v[10])

    def _net(self, v: list[str]) -> NetworkRecord:
        return NetworkRecord(v[0], v[1], v[2], _flag(v[3]), v[4], v[5], v[6], v[7])

    def _degrees(self, text: str, most: float) -> float:
        value = _float(text)
        if "," in text and not math.isnan(value):
            self._warn("decimal_comma", text)
        if most == 180.0 and 180.0 < value <= 360.0:
            self._warn("longitude_over_180", text)
            value -= 360.0
        if abs(value) > most:
            self._warn("out_of_range", text)
            return math.nan
        return value

    def _warn(self, code: str, text: str | bytes) -> None:
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(TableWarning(code, self._number, shown(text)))


def _float(text: str) -> float:
    return float(text.replace(",", ".")) if _NUMBER.match(text) else math.nan


def _integer(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _flag(text: str) -> bool:
    return text.upper() in ("1", "Y")


def _is_shifted(values: list[str]) -> bool:
    """Trimble 4.3's unquoted `;` behind the details: field 6 empty, 7 a carrier code, 10 no number."""
    return len(values) > 8 and values[4] == "" and values[5] in ("0", "1", "2") and math.isnan(_float(values[8]))


def split_fields(line: str) -> list[str]:
    """Fields of a record; one in double quotes may hold semicolons."""
    found: list[str] = []
    position = 0
    while position <= len(line):
        closing = _CLOSING_QUOTE.search(line, position + 1) if line[position : position + 1] == '"' else None
        if closing:
            found.append(line[position + 1 : closing.start()])
            position = closing.end() + 1
        else:
            end = line.find(";", position)
            end = end if end >= 0 else len(line)
            found.append(line[position:end])
            position = end + 1
    return found
