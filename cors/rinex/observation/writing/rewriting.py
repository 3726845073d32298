"""Writing back what was read, in another version, for some epochs or constellations only.

Values keep their printed decimals and indicators, events and comments their place. Types that change within the file
are united at the top, so the data keep one layout. Left out and counted: epochs not later than the one before, codes
the version has no place for. Source: RINEX 2.11, 3.05, 4.02; conversion of codes as in `translation`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import LETTERS, satellite_name
from cors.rinex.errors import UnwritableError
from cors.rinex.labels import COMMENT, HeaderRecord
from cors.rinex.observation.file import Event, ObservationFile, PlacedComment
from cors.rinex.observation.header import ALL_SYSTEMS, ObservationHeader
from cors.rinex.observation.records import ABSENT, EpochPrinter, PrintedEpoch
from cors.rinex.observation.writing.epoch_text import epoch_line_2, epoch_line_3, event_line_2, event_line_3
from cors.rinex.observation.writing.header_text import Written, event_lines, header_lines
from cors.rinex.observation.writing.translation import (
    ORDER_2,
    Cells,
    SystemTranslation,
    code_order,
    to_modern,
    to_old,
    translated,
)
from cors.rinex.observation.writing.writer import VERSIONS, printed_lines

OLD_VERSION = 2.11
_TYPES = ("# / TYPES OF OBSERV", "SYS / # / OBS TYPES")
_MODERN_ONLY = ("SYS / SCALE FACTOR", "SYS / PHASE SHIFT", "SYS / DCBS APPLIED", "SYS / PCVS APPLIED", "MARKER TYPE")
_OLD_SYSTEMS = "GRES"


class Rewriter:
    """One file on its way to another version."""

    def __init__(
        self, file: ObservationFile, version: float = 3.05, *, epochs: NDArray[np.bool_] | None = None,
        systems: str = LETTERS, date: str = "",
    ) -> None:  # fmt: skip
        """`epochs` [n] selects epochs (they are written in order of time), `systems` constellations by letter.

        `date` goes to PGM / RUN BY / DATE, the date that was read where it is empty.

        Raises UnwritableError for a version that is not written.
        """
        self._old = abs(version - OLD_VERSION) < 0.005
        if not self._old and not any(abs(version - known) < 0.005 for known in VERSIONS):
            raise UnwritableError(f"RINEX {version:.2f} (expected 2.11, 3.05 or 4.00 to 4.02)")
        wanted = np.ones(file.epochs.tags.size, np.bool_) if epochs is None else epochs
        wanted = wanted[np.argsort(file.epochs.tags, kind="stable")]
        file = file.in_time_order()
        self._file, self._version, self._date = file, version, date
        self._systems = "".join(s for s in systems if s in (_OLD_SYSTEMS if self._old else LETTERS))
        self._printer = EpochPrinter(file)
        self._translations = [to_modern(header) for header in file.headers]
        self.left_out: Counter[str] = Counter()
        self._chosen = self._strictly_later(wanted)
        self._union = self._united()
        self._used = self._usage()

    def text(self) -> bytes:
        """The whole file."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Header, then epochs and events in order."""
        yield self.header()
        items = self._items()
        for index in self._chosen.tolist():
            while items and items[0].after_epoch < index:
                yield self._item(items.pop(0))
            yield self._epoch(index)
        for item in items:
            yield self._item(item)

    def header(self) -> bytes:
        """Header of the epochs chosen."""
        file, chosen = self._file, self._chosen
        index = int(file.epochs.header_index[chosen[0]]) if chosen.size else 0
        header = replace(file.headers[index], date=self._date or file.header.date, run_by=file.header.run_by)
        if not file.headers[index].records:
            header = replace(header, records=file.header.records)
        first, last = (int(file.epochs.calendar[i]) for i in chosen[[0, -1]]) if chosen.size else (None, None)
        types = {ALL_SYSTEMS: self._used.get(ALL_SYSTEMS, ())} if self._old else self._used
        systems = self._present if self._old else "".join(types)
        written = Written(self._version, types, systems, first, last)
        return "\n".join([*header_lines(header, written), ""]).encode()

    # --- what is written ------------------------------------------------------------------------------------------

    def _strictly_later(self, wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
        indices = np.flatnonzero(wanted)
        tags = self._file.epochs.calendar[indices] // 100
        highest = np.maximum.accumulate(tags) if tags.size else tags
        later = np.r_[True, tags[1:] > highest[:-1]] if tags.size else np.zeros(0, np.bool_)
        if not later.all():
            self.left_out["epochs not later than the last"] += int((~later).sum())
        return indices[later]

    def _united(self) -> dict[str, tuple[str, ...]]:
        """All codes any header has, by system, in order."""
        united: dict[str, dict[str, None]] = {}
        for translations in self._translations:
            for letter, translation in translations.items():
                if letter in self._systems:
                    united.setdefault(letter, {}).update(dict.fromkeys(translation.codes))
        return {s: tuple(sorted(united[s], key=code_order)) for s in "GREJCIS" if s in united}

    def _usage(self) -> dict[str, tuple[str, ...]]:
        """Codes that have a value in the epochs chosen, by system (RINEX 2: one list)."""
        used = {s: np.zeros(len(codes), np.bool_) for s, codes in self._union.items()}
        old = np.zeros(len(ORDER_2), np.bool_)
        present: set[str] = set()
        for index in self._chosen.tolist():
            printed = self._printer.fields(index)
            for system, _, cells in self._cells(index, printed):
                has = (cells[0] != ABSENT) & (cells[0] != 0)
                used[system] |= has.any(axis=0) | ((cells[0] == 0).any(axis=0) & _dopplers(self._union[system]))
                if has.any():
                    present.add(system)
                if self._old:
                    old |= (to_old(system, self._union[system], cells)[0] != ABSENT).any(axis=0)
        self._present = "".join(s for s in "GRES" if s in present)
        if self._old:
            return {ALL_SYSTEMS: tuple(code for code, u in zip(ORDER_2, old, strict=True) if u)}
        self._keep = {s: np.flatnonzero(u) for s, u in used.items()}
        return {s: tuple(self._union[s][n] for n in np.flatnonzero(u)) for s, u in used.items() if u.any()}

    def _cells(self, index: int, printed: PrintedEpoch) -> Iterator[tuple[str, NDArray[np.int64], Cells]]:
        """System, satellites and cells [satellites, united codes] of an epoch, by constellation."""
        header = int(self._file.epochs.header_index[index])
        systems = printed.satellites >> 6
        for system in dict.fromkeys(systems.tolist()):
            letter = LETTERS[system]
            translation = self._translations[header].get(letter)
            if translation is None or letter not in self._union:
                self.left_out[f"satellites of {letter}"] += int((systems == system).sum())
                continue
            rows = np.flatnonzero(systems == system)
            cells = self._spread(letter, header, translation, translated(printed, rows, translation))
            yield letter, printed.satellites[rows], cells

    def _spread(self, system: str, header: int, translation: SystemTranslation, cells: Cells) -> Cells:
        """Cells under the united codes, with the scale factors the output has."""
        milli, lli, ssi = cells
        wanted = np.array([self._factor(system, code) for code in translation.codes], np.int64)
        if (wanted != translation.factors).any():
            scaled = np.rint(milli * (wanted / translation.factors)).astype(np.int64)
            milli = np.where(milli == ABSENT, milli, scaled)
        if translation.codes == self._union[system]:
            return milli, lli, ssi
        at = [self._union[system].index(code) for code in translation.codes]
        shape = (milli.shape[0], len(self._union[system]))
        out = np.full(shape, ABSENT, np.int64), np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        out[0][:, at], out[1][:, at], out[2][:, at] = milli, lli, ssi
        return out

    def _factor(self, system: str, code: str) -> int:
        return 1 if self._old else self._file.header.scale_factors.get((system, code), 1)

    # --- lines ----------------------------------------------------------------------------------------------------

    def _epoch(self, index: int) -> bytes:
        epochs, printed = self._file.epochs, self._printer.fields(index)
        parts: dict[int, tuple[NDArray[np.int64], Cells]] = {}
        for system, satellites, cells in self._cells(index, printed):
            if self._old:
                cells = _columns(to_old(system, self._union[system], cells), self._old_columns())
            else:
                cells = _columns(cells, self._keep[system])
            parts[LETTERS.index(system)] = satellites, cells
        packed, fields, stacked = _in_file_order(printed, parts)
        clock = float(epochs.clock_offsets_s[index])
        instant, flag = int(epochs.calendar[index]), int(epochs.flags[index])
        lines = printed_lines(packed, fields, 5 if self._old else 0, *stacked)
        if self._old:
            names = [satellite_name(s) for s in packed.tolist()]
            return epoch_line_2(instant, flag, names, clock).encode() + b"\n" + lines
        picoseconds = int(epochs.picoseconds[index])
        shown = picoseconds if picoseconds >= 0 and self._version > 4.015 else None
        return epoch_line_3(instant, flag, packed.size, clock, shown).encode() + b"\n" + lines

    def _old_columns(self) -> NDArray[np.intp]:
        return np.array([ORDER_2.index(code) for code in self._used[ALL_SYSTEMS]], np.intp)

    def _items(self) -> list[Event | PlacedComment]:
        """Events and comments between the epochs chosen, in file order."""
        if not self._chosen.size:
            return []
        first, last, end = int(self._chosen[0]), int(self._chosen[-1]), self._file.epochs.tags.size - 1
        items: list[Event | PlacedComment] = [*self._file.events, *self._file.comments]
        within = [i for i in items if first - 1 <= i.after_epoch < last or (i.after_epoch == last == end)]
        return sorted(within, key=lambda item: (item.after_epoch, item.line))

    def _item(self, item: Event | PlacedComment) -> bytes:
        if isinstance(item, PlacedComment):
            return self._event_text(4, None, event_lines((HeaderRecord(COMMENT, item.text, 0),)))
        if item.flag == 6:
            return self._slips(item)
        dropped = _TYPES + (_MODERN_ONLY if self._old else ("WAVELENGTH FACT L1/2",))
        records = tuple(r for r in item.records if r.label not in dropped)
        if item.records and not records and item.flag == 4:
            return b""
        return self._event_text(item.flag, item.calendar, event_lines(records))

    def _event_text(self, flag: int, calendar: int | None, lines: list[str], count: int | None = None) -> bytes:
        head = (event_line_2 if self._old else event_line_3)(flag, len(lines) if count is None else count, calendar)
        return "\n".join([head, *lines, ""]).encode()

    def _slips(self, event: Event) -> bytes:
        """Flag 6 records; codes of RINEX 2 go under their first signal, none go from RINEX 3 to 2."""
        header = self._file.headers[0]
        if event.calendar is None or (self._old and header.major > 2):
            self.left_out["cycle slip records"] += 1
            return b""
        if self._old:
            return self._slips_2(event, event.calendar)
        lines = []
        for name, slips in event.slips.items():
            codes = self._used.get(name[0])
            if codes:
                renamed = {_modern_code(header, name[0], code): cycles for code, cycles in slips.items()}
                fields = (f"{renamed[c]:14.3f}  " if c in renamed else " " * 16 for c in codes)
                lines.append((name + "".join(fields)).rstrip())
        return self._event_text(6, event.calendar, lines) if lines else b""

    def _slips_2(self, event: Event, calendar: int) -> bytes:
        codes, lines = self._used[ALL_SYSTEMS], []
        for slips in event.slips.values():
            fields = [f"{slips[c]:14.3f}  " if c in slips else " " * 16 for c in codes]
            lines += ["".join(fields[n : n + 5]).rstrip() for n in range(0, len(fields), 5)]
        return "\n".join([epoch_line_2(calendar, 6, list(event.slips)), *lines, ""]).encode()


def _modern_code(header: ObservationHeader, system: str, code: str) -> str:
    """RINEX 3 code a printed code is written under."""
    translation = to_modern(header).get(system)
    codes = header.codes(system)
    if translation is None or code not in codes:
        return code
    at = np.flatnonzero(translation.source == codes.index(code))
    return translation.codes[int(at[0])] if at.size else code


def _dopplers(codes: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([code[0] == "D" for code in codes], np.bool_)


def _columns(cells: Cells, columns: NDArray[np.intp]) -> Cells:
    return cells[0][:, columns], cells[1][:, columns], cells[2][:, columns]


def _in_file_order(
    printed: PrintedEpoch, parts: Mapping[int, tuple[NDArray[np.int64], Cells]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Cells]:
    """Satellites, their field counts and cells of all constellations, in the order they were printed."""
    width = max((cells[0].shape[1] for _, cells in parts.values()), default=1)
    order = [s for s in printed.satellites.tolist() if s >> 6 in parts]
    packed, place = np.array(order, np.int64), {s: n for n, s in enumerate(order)}
    fields = np.zeros(packed.size, np.int64)
    shape = (packed.size, max(width, 1))
    out = np.full(shape, ABSENT, np.int64), np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for satellites, cells in parts.values():
        rows = np.array([place[s] for s in satellites.tolist()], np.intp)
        fields[rows] = cells[0].shape[1]
        for part in range(3):
            out[part][rows, : cells[part].shape[1]] = cells[part]
    return packed, fields, out
