"""What is printed in an observation file, epoch by epoch: values with their indicators, in the order of the file.

Nothing is kept twice: the records are read from the text when they are asked for. A value printed as zero is absent for
pseudoranges, phases and signal strengths; indicators distinguish blank from 0. Source: RINEX 3.05 table A3, 2.11 A2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import LETTERS, satellite_name
from cors.rinex.observation import _kernels as k
from cors.rinex.observation.file import ObservationFile
from cors.rinex.observation.header import ObservationHeader

ABSENT = k.ABSENT_MILLI
"""Stands for a missing value in `PrintedEpoch.milli`."""


class PrintedEpoch(NamedTuple):
    """Fields of n satellites, in file order; satellites the reader rejected are not here."""

    satellites: NDArray[np.int64]
    """[n] packed."""
    fields: NDArray[np.int64]
    """[n] how many fields each has."""
    milli: NDArray[np.int64]
    """[n, F] printed thousandths, ABSENT where blank or bad."""
    lli: NDArray[np.uint8]
    """[n, F] character, 0 blank."""
    ssi: NDArray[np.uint8]


class EpochRecord(NamedTuple):
    """One epoch as a person reads it."""

    epoch: int
    """Index of the epoch."""
    calendar: int
    """ns in the file's time system."""
    flag: int
    clock_offset_s: float | None
    picoseconds: int | None
    header: ObservationHeader
    values: dict[str, dict[str, tuple[float, int | None, int | None]]]
    """By satellite and code: value, LLI, SSI (None: blank). Absent values are left out; satellites stay."""


class EpochPrinter:
    """Reads printed epochs of one file; holds the scratch arrays."""

    def __init__(self, file: ObservationFile) -> None:
        """For any epochs of `file`."""
        self._file, self._text = file, file.text
        self._modern = file.header.major > 2
        self._blank = LETTERS.index(file.header.system) if file.header.system in LETTERS else 0
        self._counts = [_field_counts(header) for header in file.headers]
        self._keys = np.empty(k.MAX_SATELLITES, np.int64)
        self._notes = (np.empty((0, 3), np.int64), np.zeros(k.NOTE_CODES, np.int64), np.zeros(k.STATE_SIZE, np.int64))

    def fields(self, index: int) -> PrintedEpoch:
        """Fields of one epoch."""
        counts = self._counts[int(self._file.epochs.header_index[index])]
        begin, end = (int(x) for x in self._file.spans[index])
        lines = 1 if self._modern else max(1, -(-int(counts[0]) // 5))
        n, spans = self._spans(begin, end, lines)
        satellites = self._keys[:n].copy()
        fields = counts[np.maximum(satellites, 0) >> 6]
        fields[satellites < 0] = 0
        shape = (n, int(fields.max(initial=1)))
        out = PrintedEpoch(
            satellites, fields, np.empty(shape, np.int64), np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        )
        misplaced = np.empty(n, np.int64)
        k.printed_fields(
            self._text.buffer, spans, lines, 3 if self._modern else 0, fields, out.milli, out.lli, out.ssi, misplaced
        )
        return _kept(out, misplaced)

    def _spans(self, begin: int, end: int, lines: int) -> tuple[int, NDArray[np.int64]]:
        spans = np.empty((k.MAX_SATELLITES * lines, 2), np.int64)
        body = self._text.line_end(begin) + 1
        if self._modern:
            n, _, _ = k.gather_3(self._text.buffer, end, body, self._keys, spans, *self._notes)
            return int(n), spans
        shift = 1 if self._text.buffer[begin + 3] != 32 and self._text.buffer[begin + 1] == 49 else 0  # year of three
        count = int(self._text.raw(begin + 29 + shift, begin + 32 + shift))
        body = k.list_2(self._text.buffer, end, begin + shift, count, self._blank, self._keys, *self._notes)
        count = min(count, k.MAX_SATELLITES)
        n, _ = k.gather_2(self._text.buffer, end, body, count, lines, spans, *self._notes)
        return int(n), spans

    def record(self, index: int) -> EpochRecord:
        """One epoch with its values by satellite and code."""
        epochs, printed = self._file.epochs, self.fields(index)
        header = self._file.headers[int(epochs.header_index[index])]
        values: dict[str, dict[str, tuple[float, int | None, int | None]]] = {}
        for n, satellite in enumerate(printed.satellites.tolist()):
            name = satellite_name(satellite)
            values[name] = _values(header, name[0], printed, n)
        clock, picoseconds = float(epochs.clock_offsets_s[index]), int(epochs.picoseconds[index])
        return EpochRecord(
            index, int(epochs.calendar[index]), int(epochs.flags[index]), None if np.isnan(clock) else clock,
            None if picoseconds < 0 else picoseconds, header, values,
        )  # fmt: skip


def epoch_records(file: ObservationFile, which: Iterable[int] | None = None) -> Iterator[EpochRecord]:
    """Records of the epochs asked for (all by default)."""
    printer = EpochPrinter(file)
    for index in range(file.epochs.tags.size) if which is None else which:
        yield printer.record(index)


def _field_counts(header: ObservationHeader) -> NDArray[np.int64]:
    return np.array([len(header.codes(letter)) for letter in LETTERS], np.int64)


def _kept(printed: PrintedEpoch, misplaced: NDArray[np.int64]) -> PrintedEpoch:
    """Without what the reader rejects: unreadable, undeclared, misaligned, a second time in the epoch."""
    first = np.zeros(printed.satellites.size, np.bool_)
    first[np.unique(printed.satellites, return_index=True)[1]] = True
    keep = first & (printed.satellites >= 0) & (printed.fields > 0) & (misplaced < 2)
    if keep.all():
        return printed
    return PrintedEpoch(
        printed.satellites[keep], printed.fields[keep], printed.milli[keep], printed.lli[keep], printed.ssi[keep]
    )


def _digit(character: int) -> int | None:
    return character - 48 if 48 <= character <= 57 else None


def _values(
    header: ObservationHeader, system: str, printed: PrintedEpoch, n: int
) -> dict[str, tuple[float, int | None, int | None]]:
    values: dict[str, tuple[float, int | None, int | None]] = {}
    row = zip(
        header.codes(system), printed.milli[n].tolist(), printed.lli[n].tolist(), printed.ssi[n].tolist(), strict=False
    )
    for code, milli, lli, ssi in row:
        if milli == ABSENT or (milli == 0 and code[0] != "D") or code in values:
            continue
        factor = header.scale_factors.get((system, code), 1)
        values[code] = (milli / (1000.0 * factor), _digit(lli), _digit(ssi))
    return values
