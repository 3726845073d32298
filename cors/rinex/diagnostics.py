"""What a reader noticed: one value a finding, kept with the data and never printed.

Damage is local, so a broken file of a hundred megabytes could report millions of findings: each code keeps the first
`KEPT_PER_CODE`, the rest is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

KEPT_PER_CODE = 500
"""Findings of one code that are kept with their text; all are counted."""
_TEXT_LIMIT = 200


class Severity(StrEnum):
    """How much was lost."""

    WARNING = "warning"
    """Read in spite of it, or one item lost."""
    ERROR = "error"
    """A stretch of the file is lost."""


class Code(StrEnum):
    """Codes of findings, by place in the file."""

    NUL = "text.nul"
    NOT_ASCII = "text.not_ascii"
    COMPRESSION_TRUNCATED = "compress.truncated"
    COMPACT_TRUNCATED = "crinex.truncated"
    LABEL_COLUMN = "header.label.column"
    LABEL_CUT = "header.label.cut"
    LABEL_UNKNOWN = "header.label.unknown"
    HEADER_VALUE = "header.value.bad"
    HEADER_TAB = "header.tab"
    HEADER_END = "header.end_missing"
    HEADER_VERSION = "header.version"
    TYPES_COUNT = "obs.header.types_count"
    ANTENNA_COLUMNS = "obs.header.antenna_columns"
    POSITION_UNKNOWN = "obs.header.position_unknown"
    TIME_SYSTEM_MISSING = "obs.header.time_system_missing"
    TYPE_UNKNOWN = "obs.header.type_unknown"
    BEIDOU_RENAMED = "obs.header.beidou_renamed"
    EPOCH_LAYOUT = "obs.epoch.layout"
    EPOCH_YEAR = "obs.epoch.year"
    EPOCH_SIXTY = "obs.epoch.sixty"
    EPOCH_COUNT = "obs.epoch.count"
    EPOCH_TRUNCATED = "obs.epoch.truncated"
    EPOCH_DUPLICATE = "obs.epoch.duplicate"
    EPOCH_ORDER = "obs.epoch.order"
    EPOCH_UNREADABLE = "obs.epoch.unreadable"
    COMMENT_OUTSIDE = "obs.comment.outside_event"
    SATELLITE_MISALIGNED = "obs.satellite.misaligned"
    SATELLITE_UNREADABLE = "obs.satellite.unreadable"
    SATELLITE_UNDECLARED = "obs.satellite.undeclared"
    SATELLITE_DUPLICATE = "obs.satellite.duplicate"
    LINE_LONG = "obs.line.long"
    VALUE_OVERFLOW = "obs.value.overflow"
    VALUE_BAD = "obs.value.bad"
    INDICATOR_UNKNOWN = "obs.lli.unknown"
    GLONASS_CHANNEL = "obs.glonass.unknown_channel"
    GLONASS_CHANNEL_CONFLICT = "obs.glonass.channel_conflict"
    NAV_WEEK = "nav.week.repaired"
    NAV_GLONASS_LINE = "nav.glonass.extra_line"
    NAV_GALILEO_SOURCES = "nav.gal.sources"
    NAV_BEIDOU_SATTYPE = "nav.bds.sattype_conflict"
    NAV_IODE = "nav.iode_mismatch"
    NAV_RECORD = "nav.record.unreadable"
    NAV_RECORD_SHORT = "nav.record.short"
    NAV_RECORD_UNKNOWN = "nav.record.unknown"
    NAV_VALUE = "nav.value.bad"
    NAV_LINE = "nav.line.unexpected"
    SP3_UNLISTED = "sp3.unlisted_satellite"
    SP3_NO_EOF = "sp3.no_eof"
    SP3_LINE = "sp3.line.bad"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding."""

    code: Code
    line: int | None
    """1-based line of the (decompressed) text; None where it belongs to the whole file."""
    text: str
    """The offending text."""
    expected: str
    severity: Severity = Severity.WARNING
    column: int | None = None
    """1-based."""
    offset: int | None = None
    """Bytes from the start of the (decompressed) text."""


class DiagnosticLog:
    """Collects findings while a file is read."""

    def __init__(self) -> None:
        """Empty."""
        self._kept: list[Diagnostic] = []
        self._counts: Counter[str] = Counter()

    def add(self, diagnostic: Diagnostic) -> None:
        """Count a finding and keep it while its code has room."""
        self._counts[diagnostic.code] += 1
        if self._counts[diagnostic.code] <= KEPT_PER_CODE:
            self._kept.append(diagnostic)

    def note(
        self, code: Code, line: int | None, text: str, expected: str, *,
        severity: Severity = Severity.WARNING, column: int | None = None, offset: int | None = None,
    ) -> None:  # fmt: skip
        """`add` from its parts; the text is cut to a readable length."""
        self.add(Diagnostic(code, line, text.rstrip()[:_TEXT_LIMIT], expected, severity, column, offset))

    def count_more(self, code: Code, more: int) -> None:
        """Count findings whose text nobody kept."""
        if more > 0:
            self._counts[code] += more

    def full(self, code: Code) -> bool:
        """True when further findings of this code are only counted."""
        return self._counts[code] >= KEPT_PER_CODE

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The kept findings by line, those of the whole file first."""
        return tuple(sorted(self._kept, key=lambda d: d.line or 0))

    @property
    def counts(self) -> Mapping[str, int]:
        """All findings by code."""
        return dict(self._counts)
