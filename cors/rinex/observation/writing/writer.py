"""The observation writer: epochs of `Observations` to RINEX 3 and 4 text, as they come.

Sans I/O: `epoch` gives the bytes of an epoch, `header` those of the header for all that has been written so far. Codes
appear as data have them (a later code goes to the end of its system's list, so the lines written before stay right);
a header that declares types, or that has been asked for, fixes them. What cannot be written is left out and counted.
Source: RINEX 3.05 and 4.02 table A3.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations
from cors.gnss.satellites import CONSTELLATIONS, LETTERS, satellite_name
from cors.gnss.signals import FREQUENCY, SIGNALS, find_signal, signal_code
from cors.rinex.errors import UnwritableError
from cors.rinex.labels import HeaderRecord
from cors.rinex.observation.codes import KINDS
from cors.rinex.observation.header import ObservationHeader
from cors.rinex.observation.layout import channels_by_slot, wavelengths
from cors.rinex.observation.writing import _kernels as k
from cors.rinex.observation.writing.epoch_text import epoch_line_3, event_line_3
from cors.rinex.observation.writing.header_text import Written, event_lines, header_lines
from cors.rinex.timescale import printed_from_gpst

VERSIONS = (3.05, 4.0, 4.01, 4.02)
_SYSTEM_ORDER = "GREJCIS"


class ObservationWriter:
    """Writes one file; the caller puts header and epochs together."""

    def __init__(self, header: ObservationHeader, version: float = 3.05) -> None:
        """`header` gives site, receiver, antenna, time system and GLONASS channels; its types, if any, are kept to.

        Raises UnwritableError for another version than 3.05 and 4.00 to 4.02.
        """
        if not any(abs(version - known) < 0.005 for known in VERSIONS):
            raise UnwritableError(f"RINEX {version:.2f} (expected one of {', '.join(f'{v:.2f}' for v in VERSIONS)})")
        self._header, self._version = header, version
        self._codes: dict[str, list[str]] = {system: list(codes) for system, codes in header.types.items()}
        self._fixed = bool(self._codes)
        self._columns = np.full((SIGNALS, 4), -1, np.int64)
        self._seen = np.zeros(SIGNALS, np.uint8)
        """Bits of the kinds (C, L, D, S) each signal has a column for or has been refused."""
        self._wavelengths = _wavelength_table(header)
        self._room(1)
        self._place_codes()
        self._present: set[str] = set()
        self.first: int | None = None
        """Calendar ns of the first epoch written."""
        self.last: int | None = None
        self.left_out: Counter[str] = Counter()
        """What was not written, by reason: codes, epochs, phases without a wavelength, values too large."""

    def add_channels(self, channels: Mapping[int, int]) -> None:
        """GLONASS channels by slot that became known meanwhile: for the epochs to come, and for the header."""
        known = dict(self._header.glonass_channels) | dict(channels)
        if known != self._header.glonass_channels:
            self._header = replace(self._header, glonass_channels=known)
            self._wavelengths = _wavelength_table(self._header)

    def epoch(
        self, gpst: int, observations: Observations, *, flag: int = 0, clock_offset_s: float = math.nan,
        remainder_s: float = 0.0,
    ) -> bytes:  # fmt: skip
        """Bytes of one epoch: rows sorted by satellite and signal, tag in ns; b"" where it is not later than the last.

        Below 100 ns a tag is kept in RINEX 4.02 only. An epoch without a writable value is left out.
        """
        instant = printed_from_gpst(gpst, self._header.time_system)
        if self.last is not None and instant // 100 <= self.last // 100:
            self.left_out["epochs not later than the last"] += 1
            return b""
        self._admit(observations)
        satellites, text = self._lines(observations)
        if not satellites.size:
            self.left_out["epochs without values"] += 1
            return b""
        picoseconds = round(instant % 100 * 1000 + remainder_s * 1e12) if self._version > 4.015 else None
        self.first = instant if self.first is None else self.first
        self.last = instant
        self._present.update(LETTERS[system] for system in set((satellites >> 6).tolist()))
        line = epoch_line_3(instant, flag, satellites.size, clock_offset_s, picoseconds or None)
        return line.encode() + b"\n" + text

    def event(self, flag: int, records: Iterable[HeaderRecord], gpst: int | None = None) -> bytes:
        """Bytes of an event record (flags 2 to 5): header lines that hold from here on, comments."""
        lines = event_lines(tuple(records))
        instant = None if gpst is None else printed_from_gpst(gpst, self._header.time_system)
        return "\n".join([event_line_3(flag, len(lines), instant), *lines, ""]).encode()

    def header(self, *, complete: bool = False) -> bytes:
        """Bytes of the header for the epochs written so far; codes are fixed from here on.

        `complete`: nothing follows, so the last epoch is known.
        """
        self._fixed = True
        declared = set(self._codes) if not self._present else self._present
        systems = "".join(system for system in _SYSTEM_ORDER if system in declared and self._codes.get(system))
        types = {system: tuple(self._codes[system]) for system in systems}
        written = Written(self._version, types, systems, self.first, self.last if complete else None)
        return "\n".join([*header_lines(self._header, written), ""]).encode()

    # --- codes ----------------------------------------------------------------------------------------------------

    def _room(self, satellites: int) -> None:
        width = max((len(codes) for codes in self._codes.values()), default=0)
        self._width = max(width, 1)
        shape = (max(satellites, 64), self._width)
        self._cells = (np.empty(shape, np.int64), np.empty(shape, np.uint8), np.empty(shape, np.uint8))
        shift = np.zeros((CONSTELLATIONS << 6, self._width))
        old = getattr(self, "_shift", None)
        if old is not None:
            shift[:, : old.shape[1]] = old
        self._shift: NDArray[np.float64] = shift

    def _place_codes(self) -> None:
        """Columns of the codes declared."""
        for system, codes in self._codes.items():
            for column, code in enumerate(codes):
                self._place(system, code, column)

    def _place(self, system: str, code: str, column: int) -> None:
        signal = find_signal(LETTERS.index(system), code[1:]) if system in LETTERS else None
        kind = KINDS.find(code[0])
        if signal is not None and kind >= 0:
            self._columns[signal, kind] = column
            self._seen[signal] |= 1 << kind

    def _admit(self, observations: Observations) -> None:
        """Give codes that come for the first time a column, or refuse them."""
        have = np.zeros(SIGNALS, np.uint8)
        ranges = (observations.pseudorange, observations.phaserange, observations.phaserange_rate)
        present = [*(~np.isnan(column) for column in ranges), ~np.isnan(observations.cn0)]
        for kind, rows in enumerate(present):
            have[observations.signal[rows]] |= np.uint8(1 << kind)
        fresh = np.flatnonzero(have & ~self._seen)
        for signal in fresh.tolist():
            for kind in range(4):
                if have[signal] & ~self._seen[signal] & (1 << kind):
                    self._admit_code(signal, kind)
        if fresh.size and not self._fixed:
            self._room(len(self._cells[0]))

    def _admit_code(self, signal: int, kind: int) -> None:
        system, name = LETTERS[signal >> 6], signal_code(signal)
        self._seen[signal] |= np.uint8(1 << kind)
        if self._fixed or name.startswith("#"):
            self.left_out[f"code {system} {KINDS[kind]}{name}"] += 1
            return
        codes = self._codes.setdefault(system, [])
        codes.append(KINDS[kind] + name)
        self._columns[signal, kind] = len(codes) - 1

    # --- lines ----------------------------------------------------------------------------------------------------

    def _lines(self, observations: Observations) -> tuple[NDArray[np.int64], bytes]:
        """Satellites that have a value to write, and their lines."""
        satellite = observations.satellite
        starts = np.flatnonzero(np.r_[True, satellite[1:] != satellite[:-1]]) if satellite.size else np.empty(0, int)
        n = starts.size
        if n > self._cells[0].shape[0]:
            self._room(n)
        milli, lli, ssi = self._cells[0][:n], self._cells[1][:n], self._cells[2][:n]
        wavelength = self._wavelengths[satellite.astype(np.intp) & 63, observations.signal]
        unknown = np.isnan(wavelength) & ~np.isnan(FREQUENCY[observations.signal] * observations.phaserange)
        if unknown.any():
            self.left_out["phases without a GLONASS channel"] += int(unknown.sum())
        lost = k.cells_of_rows(
            satellite, observations.signal, observations.pseudorange, observations.phaserange,
            observations.phaserange_rate, observations.cn0, observations.flags,
            np.append(starts, satellite.size).astype(np.int64), self._columns, wavelength, self._shift, milli, lli, ssi,
        )  # fmt: skip
        if lost:
            self.left_out["values too large for F14.3"] += int(lost)
        packed = satellite[starts].astype(np.int64)
        keep = (milli != k.ABSENT_MILLI).any(axis=1)
        if not keep.all():
            packed, milli, lli, ssi = packed[keep], milli[keep], lli[keep], ssi[keep]
        return packed, printed_lines(packed, self._field_counts(packed), 0, milli, lli, ssi)

    def _field_counts(self, packed: NDArray[np.int64]) -> NDArray[np.int64]:
        counts = np.array([len(self._codes.get(letter, ())) for letter in LETTERS], np.int64)
        return np.asarray(counts[packed >> 6])


def printed_lines(
    packed: NDArray[np.int64], fields: NDArray[np.int64], per_line: int, milli: NDArray[np.int64],
    lli: NDArray[np.uint8], ssi: NDArray[np.uint8],
) -> bytes:  # fmt: skip
    """Data lines of satellites [n] from their fields [n, F]; `per_line` 5 for RINEX 2, 0 for RINEX 3 and 4."""
    names = np.frombuffer("".join(map(satellite_name, packed.tolist())).encode(), np.uint8).reshape(-1, 3).copy()
    out = np.empty(packed.size * (8 + 17 * milli.shape[1]) + 32, np.uint8)
    length = k.print_satellites(names, fields, per_line, milli, lli, ssi, out)
    return out[:length].tobytes()


def _wavelength_table(header: ObservationHeader) -> NDArray[np.float64]:
    """[64, 448] m by satellite id - 1 and signal."""
    by_slot = channels_by_slot(header.glonass_channels)
    table = np.full((64, SIGNALS), np.nan)
    for system in range(CONSTELLATIONS):
        signals = np.arange(system << 6, (system + 1) << 6)
        table[:, signals] = wavelengths(system, signals, by_slot)
    return table
