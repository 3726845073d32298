"""Reading navigation files: RINEX 2 (N, G, H), 3 and 4 with all record classes.

Weeks are repaired by the time of clock, Galileo's I/NAV and F/NAV told apart by their data sources, BeiDou's D1 and D2
by the orbit (both only where the file does not say). A record that cannot be read is dropped and reported, a field that
is no number is lost alone. Source: RINEX 2.11, 3.05 and 4.02, section 10 of which tables as in `kinds`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import LETTERS, Constellation
from cors.gnss.time import BDT_OFFSET_S, BDT_WEEK_OFFSET, DAY_NS, NS, WEEK_NS
from cors.rinex.diagnostics import Code, DiagnosticLog
from cors.rinex.errors import NotRinexError
from cors.rinex.header_lines import read_records, read_version
from cors.rinex.navigation import _kernels as k
from cors.rinex.navigation.ephemerides import NO_TIME, ORBIT, UNKNOWN
from cors.rinex.navigation.file import NavigationFile
from cors.rinex.navigation.header import file_system, read_header
from cors.rinex.navigation.kinds import KINDS, Kind, kind_index, position
from cors.rinex.text import Text
from cors.rinex.timescale import TimeSystem, tags_from_printed
from cors.rinex.transport import Loaded, Source, load

_TYPES = "NGHLECJQ"
_INAV, _FNAV = (kind_index("EPH", "E", name) for name in ("INAV", "FNAV"))
_D1, _D2 = (kind_index("EPH", "C", name) for name in ("D1", "D2"))
_OLD_KINDS = {letter: next(n for n, kind in enumerate(KINDS) if letter in kind.systems) for letter in LETTERS}
_GEO_SQRT_A, _GEO_INCLINATION = 6400.0, 0.4
_MAX_TRANSMISSION_AGE = DAY_NS
_TWO_DAYS = 2 * DAY_NS
_NOTE_ROOM = 4096
_RECORDS_A_TIME = 1 << 16


def read_navigation(source: Source) -> NavigationFile:
    """Read a navigation file from a path or bytes.

    Raises OSError, NotRinexError, UnreadableArchiveError, CompactRinexError.
    """
    log = DiagnosticLog()
    return navigation_of(load(source, log), log)


def navigation_of(loaded: Loaded, log: DiagnosticLog) -> NavigationFile:
    """`read_navigation` of a text that is loaded already. Raises NotRinexError."""
    version, offset = read_version(loaded.text, loaded.name)
    if version.file_type not in _TYPES or not version.file_type:
        kind = version.text[20:40].strip() or "nothing"
        raise NotRinexError(f"{loaded.name or 'bytes'}: file type {kind!r} (expected NAVIGATION DATA)")
    major = min(max(int(version.version), 2), 4)
    _, after = loaded.text.line(offset)
    records, body = read_records(loaded.text, after, log, lambda line: _begins_data(line, major))
    system = file_system(version.version, version.file_type, version.system)
    header = read_header(records, version.version, system, log)
    table = _Table(loaded.text, body, major, system, version.version, log)
    return NavigationFile(
        loaded.name, header, table.heads, table.kinds.astype(np.int16), table.values, table.times, table.usable,
        log.diagnostics, log.counts, loaded.text,
    )  # fmt: skip


def _begins_data(line: str, major: int) -> bool:
    raw = line.encode("latin-1", "replace") + b"\n"
    text = Text.from_bytes(raw)
    return bool(k._begins_record(text.buffer, 0, len(raw) - 1, major)) if len(raw) > 1 else False


class _Table:
    """Records of one file being sorted out; every step keeps only the rows that survive it."""

    def __init__(self, text: Text, body: int, major: int, system: str, version: float, log: DiagnosticLog) -> None:
        self.text, self.major, self.version, self.log = text, major, version, log
        self._index(body)
        self._name_kinds(system)
        self._check_lines()
        self._read_numbers()
        self._tell_messages_apart()
        self._date()
        self._check_issues()
        self.usable = self._usable()

    # --- steps ----------------------------------------------------------------------------------------------------

    def _index(self, body: int) -> None:
        text = self.text
        line, parts = text.line_number(body), []
        notes = np.zeros((_NOTE_ROOM, 3), np.int64)
        while body < text.size:
            heads = np.zeros((_RECORDS_A_TIME, k.HEAD_COLUMNS), np.int64)
            found, noted, body, line = k.index_records(text.buffer, text.size, body, line, self.major, heads, notes)
            parts.append(heads[:found])
            self._report_lines(notes, noted)
        self.heads = np.concatenate(parts) if parts else np.zeros((0, k.HEAD_COLUMNS), np.int64)

    def _report_lines(self, notes: NDArray[np.int64], noted: int) -> None:
        for _, line, offset in notes[: min(noted, 50)].tolist():
            self.log.note(Code.NAV_LINE, line, self.text.line(offset)[0], "the first line of a record", offset=offset)
        self.log.count_more(Code.NAV_LINE, noted - 50)

    def _name_kinds(self, system: str) -> None:
        """Kinds [n] and satellites of all records; records of unknown kinds go."""
        heads = self.heads
        if self.major == 2:
            packed = [_packed_2(system, number) for number in heads[:, k.H_SATELLITE].tolist()]
            heads[:, k.H_SATELLITE] = packed
        satellites = heads[:, k.H_SATELLITE]
        systems = np.where(satellites >= 0, satellites >> 6, k.NO_SATELLITE - 1 - satellites)
        if self.major == 4:
            self.kinds = self._kinds_4(systems)
        else:
            table = np.array([_OLD_KINDS[letter] for letter in LETTERS] + [-1])
            self.kinds = np.where(satellites >= 0, table[systems], -1)
        for row in np.flatnonzero(self.kinds < 0).tolist():
            line = self._line_before(row) if self.major == 4 else self._line(row)
            self.log.note(Code.NAV_RECORD_UNKNOWN, int(heads[row, k.H_LINE]), line, "a record of a known kind")
        self._keep(self.kinds >= 0)

    def _kinds_4(self, systems: NDArray[np.int64]) -> NDArray[np.int64]:
        keys = self.heads[:, k.H_CLASS] | self.heads[:, k.H_MESSAGE] << 24 | (systems & 7) << 56
        unique, inverse = np.unique(keys, return_inverse=True)
        kinds = []
        for key in unique.tolist():
            system, message = key >> 56, key >> 24 & 0xFFFFFFFF
            letter = LETTERS[system] if system < len(LETTERS) else ""
            found = kind_index(_word(key & 0xFFFFFF), letter, _word(message)) if letter else None
            kinds.append(-1 if found is None else found)
        return np.array(kinds, np.int64)[inverse] if kinds else np.zeros(0, np.int64)

    def _check_lines(self) -> None:
        """Records whose lines run out go; lines too many are reported."""
        lines = self.heads[:, k.H_LINES]
        most, fewest = _LINES[self.kinds], _FEWEST[self.kinds]
        for row in np.flatnonzero(lines < fewest).tolist():
            self._note(Code.NAV_RECORD_SHORT, row, 0, f"{fewest[row]} lines, there are {lines[row]}")
        for row in np.flatnonzero(lines > most).tolist():
            self._note(Code.NAV_LINE, row, int(most[row]), f"a new record after {most[row]} lines")
        glonass = (self.kinds == _OLD_KINDS["R"]) & (lines >= fewest) & (self.major == 3)
        for row in np.flatnonzero(glonass & ((lines >= 5) != (self.version > 3.045))).tolist():
            self._note(Code.NAV_GLONASS_LINE, row, 0, f"{5 if self.version > 3.045 else 4} lines")
        self._keep(lines >= fewest)

    def _read_numbers(self) -> None:
        heads, text = self.heads, self.text
        self.values = np.empty((len(heads), k.FIELDS))
        room, sto = _NOTE_ROOM, int.from_bytes(b"STO", "little")
        while True:
            notes = np.zeros((room, 4), np.int64)
            noted = k.record_numbers(text.buffer, text.size, self.major, sto, heads, self.values, notes)
            if noted <= room:
                break
            room = noted
        damaged = np.zeros(len(heads), np.bool_)
        for code, row, field, offset in notes[:noted].tolist():
            self._number(code, row, field, offset, damaged)
        for row in np.flatnonzero(heads[:, k.H_CALENDAR] < 0).tolist():
            self._note(Code.NAV_RECORD, row, 0, "a date and time")
        lines = _LINES[self.kinds]
        self.values[np.arange(k.FIELDS) >= (4 * lines - 1)[:, None]] = np.nan
        self._keep((heads[:, k.H_CALENDAR] >= 0) & ~damaged)

    def _number(self, code: int, row: int, field: int, offset: int, damaged: NDArray[np.bool_]) -> None:
        """A field the kernel could not finish: `float` does the hard ones, NUL drops the record."""
        raw = self.text.raw(offset, min(offset + 19, self.text.line_end(offset)))
        if code == k.N_HARD:
            value = float(raw.translate(_EXPONENT))
            self.values[row, field] = value if math.isfinite(value) else math.nan
            if math.isfinite(value):
                return
        if damaged[row] or (code != k.N_NUL and self.log.full(Code.NAV_VALUE)):
            self.log.count_more(Code.NAV_VALUE, 0 if damaged[row] else 1)
            return
        number = self.text.line_number(offset)
        if code == k.N_NUL:
            damaged[row] = True
            line = self.text.line(offset)[0].replace("\0", "\\0")
            self.log.note(Code.NUL, number, line, "text without NUL bytes", offset=offset)
        else:
            shown = raw.decode("latin-1")
            self.log.note(Code.NAV_VALUE, number, shown, "a number of 19 columns", offset=offset)

    def _tell_messages_apart(self) -> None:
        if _INAV is None or _FNAV is None or _D1 is None or _D2 is None:
            return
        self.rejected = np.zeros(len(self.kinds), np.bool_)
        self._galileo(_INAV, _FNAV)
        sqrt_a, inclination = self._column(KINDS[_D1], "sqrtA"), self._column(KINDS[_D1], "i0")
        if self.major < 4:
            geo = (sqrt_a > _GEO_SQRT_A) & (np.abs(inclination) < _GEO_INCLINATION)
            self.kinds = np.where((self.kinds == _D1) & geo, _D2, self.kinds)
        self._satellite_types(sqrt_a, inclination)

    def _galileo(self, inav: int, fnav: int) -> None:
        """Bits of the data sources: 0, 2 and 9 say I/NAV, 1 and 8 F/NAV."""
        galileo = (self.kinds == inav) | (self.kinds == fnav)
        printed = self._column(KINDS[inav], "data_sources")
        known = galileo & (printed >= 0) & (printed < 1024)
        bits = np.where(known, printed, 0).astype(np.int64)
        clock = bits >> 8 & 3
        pages_i, pages_f = (bits & 5) > 0, (bits & 2) > 0
        says_f = (clock == 1) | ((clock == 0) & pages_f & ~pages_i)
        says_i = (clock == 2) | ((clock == 0) & pages_i & ~pages_f)
        unsure = galileo & ((clock == 3) | ~(pages_i | pages_f) | ~(says_f | says_i))
        if self.major == 4:
            unsure &= known
            wrong = known & ~unsure & (says_f != (self.kinds == fnav))
        else:
            wrong = np.zeros_like(unsure)
            self.kinds = np.where(galileo & says_f, fnav, self.kinds)
        for row in np.flatnonzero(unsure | wrong).tolist():
            self._note(Code.NAV_GALILEO_SOURCES, row, 5, "data sources of I/NAV (513-517) or F/NAV (258)")
        self.rejected |= unsure | wrong

    def _satellite_types(self, sqrt_a: NDArray[np.float64], inclination: NDArray[np.float64]) -> None:
        modern = _HAS_TYPE[self.kinds]
        if not modern.any():
            return
        kind = next(kind for kind in KINDS if "SatType" in kind.names)
        printed = self._column(kind, "SatType")
        high = sqrt_a > _GEO_SQRT_A
        expected = np.where(high, np.where(np.abs(inclination) < _GEO_INCLINATION, 1, 2), 3)
        for row in np.flatnonzero(modern & (printed > 0) & (printed != expected)).tolist():
            self._note(Code.NAV_BEIDOU_SATTYPE, row, 5, f"satellite type {expected[row]} for this orbit")

    def _date(self) -> None:
        """Times [n, 3]: toe, toc and transmission, GPST."""
        calendar = self.heads[:, k.H_CALENDAR]
        systems = np.maximum(self.heads[:, k.H_SATELLITE], 0) >> 6
        beidou, glonass = systems == Constellation.BEIDOU, systems == Constellation.GLONASS
        toe_week_s = self._named("toe")
        toe = np.where(np.isnan(toe_week_s), calendar, calendar + _within_week(toe_week_s, calendar))
        self._check_weeks(calendar, toe, toe_week_s, beidou)
        offset = np.where(beidou, BDT_OFFSET_S * NS, 0)
        toc = np.where(glonass, tags_from_printed(calendar, TimeSystem.UTC), calendar + offset)
        transmission = toe + _within_week(self._named("t_tm"), toe)
        moscow = calendar + _within_day(self._named("t_k"), calendar) + (toc - calendar)
        sent = np.where(glonass, moscow, transmission + offset)
        told = ~np.isnan(np.where(glonass, self._named("t_k"), self._named("t_tm")))
        self.toe_printed = toe
        toe = np.where(glonass, toc, toe + offset)
        sent = np.where(told & (np.abs(sent - toe) <= _MAX_TRANSMISSION_AGE), sent, NO_TIME)
        self.times = np.column_stack((toe, toc, sent))

    def _check_weeks(
        self, calendar: NDArray[np.int64], toe: NDArray[np.int64], toe_week_s: NDArray[np.float64],
        beidou: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        """Report weeks that put toe more than two days from toc; the nearest week is taken in any case."""
        printed = self._named("week")
        week = np.where(np.isnan(printed) | (np.abs(printed) > 1e5), -1, printed).astype(np.int64)
        stated = (week + np.where(beidou, BDT_WEEK_OFFSET, 0)) * WEEK_NS + _nanoseconds(toe_week_s)
        wrong = (week >= 0) & ~np.isnan(toe_week_s) & (np.abs(stated - calendar) > _TWO_DAYS)
        for row in np.flatnonzero(wrong).tolist():
            expected = int(toe[row]) // WEEK_NS - (BDT_WEEK_OFFSET if beidou[row] else 0)
            self._note(Code.NAV_WEEK, row, 5, f"week {expected}")

    def _check_issues(self) -> None:
        lnav = self.kinds == 0
        iode, iodc = self._column(KINDS[0], "IODE"), self._column(KINDS[0], "IODC")
        both = lnav & (iode >= 0) & (iode < 256) & (iodc >= 0) & (iodc < 1024) & (iodc == np.rint(iodc))
        low = np.where(both, iodc, 0).astype(np.int64) & 0xFF
        for row in np.flatnonzero(both & (low != np.where(both, iode, 0))).tolist():
            self._note(Code.NAV_IODE, row, 6, f"IODE {int(iode[row])} equal to the low 8 bits of IODC {int(iodc[row])}")

    def _usable(self) -> NDArray[np.bool_]:
        """Records of a satellite whose orbit and clock are complete."""
        usable = (self.heads[:, k.H_SATELLITE] >= 0) & ~self.rejected
        for index in np.unique(self.kinds).tolist():
            rows = self.kinds == index
            usable[rows] &= KINDS[index].record_class == "EPH"
            usable[rows] &= np.isfinite(self.values[np.ix_(rows, _NEEDED[index])]).all(axis=1)
        return usable

    # --- rows -----------------------------------------------------------------------------------------------------

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        if not rows.all():
            self.heads, self.kinds = self.heads[rows], self.kinds[rows]
            if hasattr(self, "values"):
                self.values = self.values[rows]

    def _column(self, kind: Kind, name: str) -> NDArray[np.float64]:
        """Values of all records at the place a kind has this field."""
        at = position(kind, name)
        assert at is not None
        column: NDArray[np.float64] = self.values[:, at]
        return column

    def _named(self, name: str) -> NDArray[np.float64]:
        """A field wherever its kind has it, NaN elsewhere."""
        places = _PLACES[name][self.kinds]
        values = self.values[np.arange(len(places)), places]
        return np.where((places >= 0) & (np.abs(values) < UNKNOWN), values, np.nan)

    def _offset(self, row: int, line: int) -> int:
        offset = int(self.heads[row, k.H_BEGIN])
        for _ in range(line):
            offset = min(self.text.line_end(offset) + 1, self.text.size)
        return offset

    def _line(self, row: int, line: int = 0) -> str:
        return self.text.line(self._offset(row, line))[0]

    def _line_before(self, row: int) -> str:
        begin = int(self.heads[row, k.H_BEGIN])
        return self.text.raw(max(begin - 81, 0), max(begin - 1, 0)).rsplit(b"\n", 1)[-1].decode("latin-1")

    def _note(self, code: Code, row: int, line: int, expected: str) -> None:
        if self.log.full(code):
            self.log.count_more(code, 1)
            return
        self.log.note(code, int(self.heads[row, k.H_LINE]) + line, self._line(row, line), expected)


_PLACES = {
    name: np.array([kind.names.index(name) if name in kind.names else -1 for kind in KINDS])
    for name in ("toe", "t_tm", "t_k", "week")
}
_LINES = np.array([kind.lines for kind in KINDS])
_FEWEST = np.array([kind.fewest for kind in KINDS])
_HAS_TYPE = np.array([kind.record_class == "EPH" and "SatType" in kind.names for kind in KINDS])
_EXPONENT = bytes.maketrans(b"dD", b"EE")


def _needed(kind: Kind, name: str) -> bool:
    """Fields without which there is no ephemeris."""
    if name in ("X", "Y", "Z", "VX", "VY", "VZ", "AX", "AY", "AZ", "minus_tau_n", "gamma_n", "aGf0", "aGf1", "toe"):
        return True
    return name in ORBIT and name != "af2" and "sqrtA" in kind.names


_NEEDED = [[n for n, name in enumerate(kind.names) if _needed(kind, name)] for kind in KINDS]


def _word(value: int) -> str:
    return value.to_bytes(8, "little").rstrip(b"\0").decode("latin-1")


def _packed_2(system: str, number: int) -> int:
    """Packed satellite of a RINEX 2 record; SBAS numbers are PRN - 100."""
    index = LETTERS.index(system) if system in LETTERS else 0
    number -= 19 if system == "S" else 0
    return (index << 6) + number - 1 if 1 <= number <= 64 else k.NO_SATELLITE - 1 - index


def _nanoseconds(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(np.where(np.isnan(seconds), 0.0, seconds) * 1e9).astype(np.int64)


def _within_week(seconds: NDArray[np.float64], reference: NDArray[np.int64]) -> NDArray[np.int64]:
    """ns from a reference to the time with these seconds of week that lies nearest to it."""
    return (_nanoseconds(seconds) - reference % WEEK_NS + WEEK_NS // 2) % WEEK_NS - WEEK_NS // 2


def _within_day(seconds: NDArray[np.float64], reference: NDArray[np.int64]) -> NDArray[np.int64]:
    return (_nanoseconds(seconds) - reference % DAY_NS + DAY_NS // 2) % DAY_NS - DAY_NS // 2
