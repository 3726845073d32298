"""Reading observation files: RINEX 2, 3 and 4, plain or compressed, regular or not.

`read_observations` lets the kernel run over the regular stretches and deals here with every line it stops at: events,
comments, damaged epochs. A file is refused only when it is no observation file at all; all else is a finding.
Source: RINEX 2.11, 3.05, 4.02 (sections 5 and tables A2, A3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from cors.gnss.observations import Observations
from cors.gnss.satellites import LETTERS, satellite_name
from cors.gnss.time import NS, leap_seconds_at_utc
from cors.rinex.diagnostics import Code, DiagnosticLog, Severity
from cors.rinex.errors import NotRinexError
from cors.rinex.header_lines import FileVersion, read_records, read_version
from cors.rinex.labels import COMMENT, HeaderRecord, known_label, parse_line
from cors.rinex.observation import _kernels as k
from cors.rinex.observation.epoch_lines import EPOCH_2, EPOCH_3, EpochLine, parse_epoch_2, parse_epoch_3
from cors.rinex.observation.events import event_lines, slips_2, slips_3
from cors.rinex.observation.file import EpochTimes, Event, ObservationFile, PlacedComment, reordered
from cors.rinex.observation.header import ALL_SYSTEMS, ObservationHeader
from cors.rinex.observation.header_reading import changed_header, read_header
from cors.rinex.observation.layout import build_layout, code_plans
from cors.rinex.observation.tables import Layout, empty_rows, empty_table, resize
from cors.rinex.timescale import TimeSystem, tags_from_printed
from cors.rinex.transport import Loaded, Source, load

_NOTES = {
    k.N_COUNT: (Code.EPOCH_COUNT, "as many satellites as the epoch line says"),
    k.N_TRUNCATED: (Code.EPOCH_TRUNCATED, "a complete last epoch"),
    k.N_BAD: (Code.VALUE_BAD, "F14.3"),
    k.N_OVERFLOW: (Code.VALUE_OVERFLOW, "a value that fits F14.3"),
    k.N_MISALIGNED: (Code.SATELLITE_MISALIGNED, "decimal points 16 columns apart"),
    k.N_LINE: (Code.SATELLITE_UNREADABLE, "a satellite"),
    k.N_UNDECLARED: (Code.SATELLITE_UNDECLARED, "a satellite of a system with observation types"),
    k.N_SATELLITE_TWICE: (Code.SATELLITE_DUPLICATE, "each satellite once an epoch"),
    k.N_INDICATOR: (Code.INDICATOR_UNKNOWN, "0..7 or blank"),
    k.N_NUL: (Code.NUL, "text without NUL bytes"),
    k.N_LONG: (Code.LINE_LONG, "blanks behind the last field"),
}
MAX_UNREADABLE = 20_000
"""Epoch lines that may be unreadable before the rest of a file is given up."""
_NOTE_ROOM = 4096
_BYTES_A_ROW, _BYTES_AN_EPOCH = 48, 200


def read_observations(source: Source, *, glonass_channels: Mapping[int, int] | None = None) -> ObservationFile:
    """Read an observation file from a path or bytes.

    `glonass_channels`: frequency channel k by slot number, as ephemerides tell them; they go before the header's.
    Raises OSError, NotRinexError, UnreadableArchiveError, CompactRinexError.
    """
    log = DiagnosticLog()
    return observations_of(load(source, log), log, glonass_channels)


def observations_of(
    loaded: Loaded, log: DiagnosticLog, glonass_channels: Mapping[int, int] | None = None
) -> ObservationFile:
    """`read_observations` of a text that is loaded already. Raises NotRinexError."""
    version, offset = read_version(loaded.text, loaded.name)
    if version.file_type != "O":
        kind = version.text[20:40].strip() or "nothing"
        raise NotRinexError(f"{loaded.name or 'bytes'}: file type {kind!r} (expected OBSERVATION DATA)")
    return _Session(loaded, version, offset, log, glonass_channels or {}).run()


class _Session:
    """One file being read."""

    def __init__(
        self, loaded: Loaded, version: FileVersion, offset: int, log: DiagnosticLog, channels: Mapping[int, int]
    ) -> None:
        self.loaded, self.text, self.log = loaded, loaded.text, log
        self.modern = version.version >= 3.0
        self.version = version.version
        self.pattern = EPOCH_3 if self.modern else EPOCH_2
        _, after_first = self.text.line(offset)
        records, body = read_records(self.text, after_first, log, self._begins_data)
        header, lying_count = read_header(records, version.version, version.system, log)
        if lying_count is not None:
            header = self._with_count(header, lying_count, body)
        self.headers = [header]
        self.given_channels = dict(channels)
        self.events: list[Event] = []
        self.comments: list[PlacedComment] = []
        self.unreadable = 0
        self.leaps: dict[int, int] = {}
        """Epochs tagged within an inserted second: index -> gpst."""
        self._allocate(body)
        self._enter_header()

    # --- set-up ---------------------------------------------------------------------------------------------------

    def _begins_data(self, line: str) -> bool:
        raw = line.encode("latin-1", "replace")
        return raw.startswith(b"> ") if self.modern else EPOCH_2.match(raw) is not None

    def _with_count(self, header: ObservationHeader, count: int, body: int) -> ObservationHeader:
        """RINEX 2: the types listed, unless only the count agrees with the lines of the first epochs."""
        listed = header.types[ALL_SYSTEMS]
        by_count = (listed + ("??",) * count)[:count]
        if _lines(len(listed)) == _lines(count) or not count or self._fits(len(listed), body):
            return header
        if not self._fits(count, body):
            return header
        return replace(header, types={ALL_SYSTEMS: by_count})

    def _fits(self, types: int, offset: int) -> bool:
        """True where the second epoch begins where `types` types put it."""
        begin = self.text.search(EPOCH_2, offset)
        found = parse_epoch_2(self.text.line(begin)[0]) if begin < self.text.size else None
        if found is None or found.flag > 1:
            return False
        for _ in range(max(1, math.ceil(found.count / 12)) + found.count * _lines(types)):
            begin = self.text.line_end(begin) + 1
        return begin >= self.text.size or EPOCH_2.match(self.text.raw(begin, begin + 100)) is not None

    def _allocate(self, body: int) -> None:
        size = self.text.size
        self.state = np.zeros(k.STATE_SIZE, np.int64)
        self.state[k.POS] = body
        self.state[k.VERSION] = round(self.version * 100)
        self.forced, self.forced_clock = np.zeros(k.FORCED_SIZE, np.int64), np.full(1, np.nan)
        self.notes, self.note_counts = np.zeros((_NOTE_ROOM, 3), np.int64), np.zeros(k.NOTE_CODES, np.int64)
        self.withheld = np.zeros(len(LETTERS) << 6, np.int64)
        self.rows = empty_rows(size // _BYTES_A_ROW + 64)
        self.table = empty_table(size // _BYTES_AN_EPOCH + 64)

    def _grow(self) -> None:
        """Room for half as much again, and at least for one epoch of any size."""
        if self.state[k.EPOCHS] >= self.table.begin.size:
            resize(self.table, self.table.begin.size * 3 // 2)
        else:
            rows = self.rows.satellite.size
            resize(self.rows, rows * 3 // 2 + k.MAX_SATELLITES * self.layout.table.shape[1])

    def _enter_header(self) -> None:
        """Make the newest header the one that holds."""
        header = self.headers[-1]
        self.layout: Layout = build_layout(header, dict(header.glonass_channels) | self.given_channels)
        self.lines = 0 if self.modern else _lines(len(header.codes("G")))
        self._report_codes(header)

    def _report_codes(self, header: ObservationHeader) -> None:
        for letter, plan in zip(LETTERS, code_plans(header), strict=True):
            if header.major > 2:
                unknown = [c for c in plan.unknown if c[:1] not in ("I", "X")]
                if unknown:
                    self.log.note(Code.TYPE_UNKNOWN, None, f"{letter} {' '.join(unknown)}", "codes of RINEX 3 and 4")
                if plan.renamed:
                    self.log.note(Code.BEIDOU_RENAMED, None, f"{letter} {' '.join(plan.renamed)}", "B2a as 5D, 5P, 5X")
        for slot, channel in self.given_channels.items():
            if header.glonass_channels.get(slot, channel) != channel:
                text = f"R{slot:02d}: {header.glonass_channels[slot]} in the header"
                self.log.note(Code.GLONASS_CHANNEL_CONFLICT, None, text, f"{channel} as given")

    # --- the loop -------------------------------------------------------------------------------------------------

    def run(self) -> ObservationFile:
        """Read to the end."""
        while True:
            reason = k.read(
                self.text.buffer, self.text.size, self.state, self.forced, self.forced_clock, self.lines,
                self._blank_system(), self.layout, len(self.headers) - 1, self.rows, self.table, self.notes,
                self.note_counts, self.withheld,
            )  # fmt: skip
            self._drain()
            if reason == k.AT_END:
                return self._result()
            if reason == k.ROWS_FULL:
                self._grow()
            elif reason == k.ODD_LINE:
                self._odd_line(int(self.state[k.POS]))

    def _blank_system(self) -> int:
        letter = self.headers[0].system
        return LETTERS.index(letter) if letter in LETTERS else 0

    def _drain(self) -> None:
        """Turn the kernel's notes into findings and comments."""
        stored = int(self.state[k.NOTES])
        if not stored and not self.note_counts.any():
            return
        for code, offset, column in self.notes[:stored].tolist():
            if code == k.N_COMMENT:
                self._comment(offset)
                continue
            name, expected = _NOTES[code]
            if self.log.full(name):
                self.log.count_more(name, 1)
                continue
            line, _ = self.text.line(offset)
            number = self.text.line_number(offset)
            self.log.note(name, number, line, expected, column=column or None, offset=offset)
        kept = np.bincount(self.notes[:stored, 0], minlength=k.NOTE_CODES)
        for code, (name, _) in _NOTES.items():
            self.log.count_more(name, int(self.note_counts[code] - kept[code]))
        self.note_counts[:] = 0
        self.state[k.NOTES] = 0

    def _comment(self, offset: int) -> None:
        line, _ = self.text.line(offset)
        number = self.text.line_number(offset)
        if not self.comments or self.comments[-1].line != number - 1:
            self.log.note(Code.COMMENT_OUTSIDE, number, line, "comments within an event record (flag 4)", offset=offset)
        epochs = int(self.state[k.EPOCHS])
        after = int(np.searchsorted(self.table.begin[:epochs], offset)) - 1
        self.comments.append(PlacedComment(after, line[:60].rstrip(), number))

    # --- lines the kernel leaves alone ----------------------------------------------------------------------------

    def _odd_line(self, offset: int) -> None:
        line, following = self.text.line(offset)
        if not line.strip("\x1a \t\r"):
            self.state[k.POS] = self.text.skip_blank_lines(offset)
        elif known_label(line[60:]) == COMMENT:
            self._comment(offset)
            self.state[k.POS] = following
        else:
            self._odd_epoch(offset, line, following)

    def _odd_epoch(self, offset: int, line: str, following: int) -> None:
        found = None
        if self.modern and line.startswith(">"):
            found = parse_epoch_3(line, self.version)
        elif not self.modern:
            found = parse_epoch_2(line)
        if found is None:
            self._resume(offset, line, following)
            return
        for code, column, expected in found.findings:
            if self.log.full(code):
                self.log.count_more(code, 1)
            else:
                number = self.text.line_number(offset)
                self.log.note(code, number, line, expected, column=column, offset=offset)
        if found.flag <= 1:
            self._force(offset, found, following)
        elif found.flag == 6:
            self._slips(offset, found, following, self.text.line_number(offset))
        else:
            self._event(found, following, self.text.line_number(offset))

    def _resume(self, offset: int, line: str, following: int) -> None:
        """Pass over what cannot be read to the next line that looks like an epoch."""
        target = self.text.search(self.pattern, following)
        self.unreadable += 1
        if self.unreadable > MAX_UNREADABLE:
            target = self.text.size
        self.state[k.POS] = target
        if self.log.full(Code.EPOCH_UNREADABLE):
            self.log.count_more(Code.EPOCH_UNREADABLE, 1)
            return
        number = self.text.line_number(offset)
        lost = self.text.line_number(target) - number if target < self.text.size else None
        expected = f"an epoch line; {lost or 'all'} lines passed over"
        self.log.note(Code.EPOCH_UNREADABLE, number, line, expected, severity=Severity.ERROR, offset=offset)

    def _force(self, offset: int, found: EpochLine, following: int) -> None:
        """Tell the kernel what the epoch line says and let it read the satellites."""
        assert found.calendar is not None
        if self.forced[k.F_USE] or (not self.modern and self.forced[k.F_BEGIN] == offset and offset):
            self.forced[k.F_USE] = 0  # it has been told already and cannot read the list of satellites
            self._resume(offset, self.text.line(offset)[0], following)
            return
        body = following if self.modern else offset + found.shift
        self.forced[:7] = (1, offset, body, found.calendar, found.flag, found.count, found.picoseconds)
        self.forced_clock[0] = found.clock_offset_s
        if found.leap and self.headers[0].time_system in (TimeSystem.GLONASS, TimeSystem.UTC):
            before = leap_seconds_at_utc(found.calendar - 60 * NS)
            self.leaps[int(self.state[k.EPOCHS])] = found.calendar + before * NS

    def _event(self, found: EpochLine, following: int, number: int) -> None:
        lines, offset = event_lines(self.text, following, found.count, self.pattern)
        self._check_count(len(lines), found.count, number)
        records = [
            record for n, line in enumerate(lines, number + 1) if (record := parse_line(line, n, self.log)) is not None
        ]
        header = self._changed_by(records) if any(r.label != COMMENT for r in records) else None
        self.events.append(Event(found.flag, self._last_epoch(), found.calendar, number, tuple(records), header))
        if found.flag == 3:
            self.state[k.BROKEN] = 1
        self.state[k.POS] = offset

    def _check_count(self, lines: int, count: int, number: int) -> None:
        if lines < count:
            text = f"{lines} of {count} lines"
            self.log.note(Code.EPOCH_COUNT, number, text, "as many lines as the event record says")

    def _changed_by(self, records: list[HeaderRecord]) -> ObservationHeader:
        header = changed_header(self.headers[-1], records, self.log)
        self.headers.append(header)
        self._enter_header()
        return header

    def _last_epoch(self) -> int:
        return int(self.state[k.EPOCHS]) - 1

    def _slips(self, offset: int, found: EpochLine, following: int, number: int) -> None:
        """Flag 6: laid out as observations, but cycles lost; kept apart."""
        count = found.count * max(self.lines, 1)
        lines, behind = event_lines(self.text, following, count, self.pattern)
        self._check_count(len(lines), count, number)
        if self.modern:
            slips = slips_3(lines, self.headers[-1])
        else:
            blank = LETTERS[self._blank_system()]
            slips = slips_2(lines, self.text.line(offset)[0], blank, self.headers[-1], self.lines)
        self.events.append(Event(6, self._last_epoch(), found.calendar, number, slips=slips))
        self.state[k.POS] = behind

    # --- the end --------------------------------------------------------------------------------------------------

    def _result(self) -> ObservationFile:
        epochs, rows = int(self.state[k.EPOCHS]), int(self.state[k.ROWS])
        resize(self.rows, rows)
        resize(self.table, epochs)
        self._report_channels()
        file = ObservationFile(
            self.loaded.name, tuple(self.headers), self._times(), np.append(self.table.row, rows),
            Observations._make(self.rows), tuple(self.events), tuple(self.comments),
            {s: int(n) for s, n in enumerate(self.withheld) if n}, (), {}, self.text,
            np.stack((self.table.begin, self.table.end), axis=1), self.loaded.compact,
        )  # fmt: skip
        file = self._without_copies(file)
        return replace(file, diagnostics=self.log.diagnostics, diagnostic_counts=self.log.counts)

    def _times(self) -> EpochTimes:
        table = self.table
        tags = tags_from_printed(table.calendar, self.headers[0].time_system)
        for epoch, gpst in self.leaps.items():
            if epoch < tags.size:
                tags[epoch] = gpst
        whole, rest = np.divmod(np.maximum(table.picoseconds, 0), 1000)
        return EpochTimes(
            tags + whole, rest * 1e-12, table.calendar, table.flag, table.clock, table.picoseconds, table.satellites,
            table.layout,
        )  # fmt: skip

    def _report_channels(self) -> None:
        if not self.modern:  # RINEX 2 has no place for channels: nothing is missing from the file
            return
        for satellite in np.flatnonzero(self.withheld).tolist():
            text = f"{satellite_name(satellite)}: {self.withheld[satellite]} phases"
            self.log.note(Code.GLONASS_CHANNEL, None, text, "a frequency channel in GLONASS SLOT / FRQ # or given")

    def _without_copies(self, file: ObservationFile) -> ObservationFile:
        """Report epochs out of order; drop an epoch that is a copy of the one before it."""
        steps = np.diff(file.epochs.calendar)
        keep = np.ones(file.epochs.tags.size, np.bool_)
        for n in (np.flatnonzero(steps <= 0) + 1).tolist():
            backwards = bool(steps[n - 1] < 0)
            code = Code.EPOCH_ORDER if backwards else Code.EPOCH_DUPLICATE
            if self.log.full(code):
                self.log.count_more(code, 1)
            else:
                offset = int(file.spans[n, 0])
                line, number = self.text.line(offset)[0], self.text.line_number(offset)
                self.log.note(code, number, line, "epochs in order of time, each once", offset=offset)
            if backwards:
                continue
            before, here = (self.text.raw(int(a), int(b)) for a, b in file.spans[n - 1 : n + 1])
            keep[n] = before.rstrip() != here.rstrip()
        return file if keep.all() else reordered(file, np.flatnonzero(keep))


def _lines(types: int) -> int:
    """Data lines a satellite has in RINEX 2."""
    return max(1, math.ceil(types / 5))
