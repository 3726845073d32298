"""What a station's tracker counted: epochs, slips, rejections, C/N0 and multipath by signal and elevation.

A snapshot is a value; whoever keeps history (an hour, a day) takes one and starts the tracker's counting anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.signals import SIGNALS, signal_name
from cors.quality import columns as k


class SignalStatistics(NamedTuple):
    """One signal of a station; arrays are by elevation bin: 0-10 ... 80-90 degrees and unknown in the last."""

    signal: str
    """"G1C"."""
    rows: NDArray[np.int64]
    slips: NDArray[np.int64]
    codes_rejected: NDArray[np.int64]
    phases_rejected: NDArray[np.int64]
    cn0_mean: NDArray[np.float64]
    """dB-Hz, NaN where nothing was."""
    multipath_rms: NDArray[np.float64]
    """m, of the multipath combination about the mean of each arc; NaN where nothing was."""
    expected: int
    """Rows that visible satellites known to send this signal should have given (0 when visibility was never told)."""
    completeness: float
    """Those of them that came, 0..1; NaN when nothing was expected."""


class StationStatistics(NamedTuple):
    """A station since its counting started."""

    epochs: int
    missing_epochs: int
    """Multiples of the interval that never came."""
    stale_epochs: int
    """Epochs not newer than the one before: repeated, or out of order; not judged."""
    frozen_epochs: int
    clock_jumps: int
    duplicate_rows: int
    slips_by_cause: dict[str, int]
    signals: tuple[SignalStatistics, ...]

    @property
    def observations_per_slip(self) -> float:
        """Rows a slip (o/slps); infinite without slips."""
        slips = sum(int(s.slips.sum()) for s in self.signals)
        rows = sum(int(s.rows.sum()) for s in self.signals)
        return rows / slips if slips else float("inf")


@dataclass(slots=True)
class Counts:
    """The tracker's own running counts; `table` grows with the signals met."""

    epochs: int = 0
    missing_epochs: int = 0
    stale_epochs: int = 0
    frozen_epochs: int = 0
    clock_jumps: int = 0
    duplicate_rows: int = 0
    causes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(16, np.int64))
    """By bit of Cause."""
    table_of: NDArray[np.int16] = field(default_factory=lambda: np.full(SIGNALS, -1, np.int16))
    tables: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    table: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, k.ELEVATION_BINS, k.TABLE_COLUMNS)))
    expected: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))

    def make_room(self, signals: int) -> None:
        """Have rows for so many more signals."""
        need = min(int(self.tables[0]) + signals, SIGNALS)
        if need > len(self.table):
            more = max(need, 2 * len(self.table), 16) - len(self.table)
            self.table = np.concatenate([self.table, np.zeros((more, *self.table.shape[1:]))])
            self.expected = np.concatenate([self.expected, np.zeros((more, 2))])


def _signal_statistics(signal: int, cells: NDArray[np.float64], expected: NDArray[np.float64]) -> SignalStatistics:
    with np.errstate(invalid="ignore", divide="ignore"):
        cn0 = cells[:, k.CN0_SUM] / cells[:, k.CN0_N]
        multipath = np.sqrt(cells[:, k.MP_SQUARES] / cells[:, k.MP_COUNT])
    rows, slips, codes, phases = cells[:, [k.ROWS, k.SLIP_COUNT, k.CODES_REJECTED, k.PHASES_REJECTED]].astype(int).T
    share = float(expected[1] / expected[0]) if expected[0] else float("nan")
    return SignalStatistics(signal_name(signal), rows, slips, codes, phases, cn0, multipath, int(expected[0]), share)


def snapshot(counts: Counts, slip_causes: dict[str, int]) -> StationStatistics:
    """A value of the running counts; `slip_causes` names the bits that are slips."""
    signals = np.flatnonzero(counts.table_of >= 0)
    return StationStatistics(
        counts.epochs,
        counts.missing_epochs,
        counts.stale_epochs,
        counts.frozen_epochs,
        counts.clock_jumps,
        counts.duplicate_rows,
        {name: int(counts.causes[bit.bit_length() - 1]) for name, bit in slip_causes.items()},
        tuple(
            _signal_statistics(int(s), counts.table[counts.table_of[s]], counts.expected[counts.table_of[s]])
            for s in signals
        ),
    )
