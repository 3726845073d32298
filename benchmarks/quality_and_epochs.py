"""A second of a province: 120 stations of about 150 rows judged and assembled, on one core.

`run()` gives a row each for the judging (kernels and shell), its kernels alone and the assembling, medians over epochs.
Bar: kernels of quality below 10 ms a second of network.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from cors.epochs.assembler import EpochAssembler
from cors.quality import _code_kernels, _phase_kernels, _state_kernels
from cors.quality.tracker import StationTracker
from tests.cors.quality.series import Receiver

STATIONS = 120
EPOCHS = 40
BAR_MS = 10.0
SATELLITES = [
    *(f"G{n:02d}" for n in range(1, 13)), *(f"E{n:02d}" for n in range(1, 11)), *(f"C{n:02d}" for n in range(19, 35)),
    *(f"R{n:02d}" for n in range(1, 9)),
]  # fmt: skip
CODES = ["G1C", "G2W", "G5Q", "E1C", "E5Q", "E7Q", "C2I", "C6I", "C5P", "C1P", "R1C", "R2C"]


class _Stopwatch:
    """Replaces a kernel by itself and a clock."""

    def __init__(self, kernel: Callable[..., object]) -> None:
        self.kernel = kernel
        self.seconds = 0.0

    def __call__(self, *arguments: object) -> object:
        start = time.perf_counter()
        answer = self.kernel(*arguments)
        self.seconds += time.perf_counter() - start
        return answer


def _judging(receiver: Receiver) -> tuple[float, float]:
    """Milliseconds an epoch of all stations, in turn as they come: altogether, and in kernels."""
    watched = (
        (_phase_kernels, "judge_phases"), (_code_kernels, "judge_codes"), (_state_kernels, "close_epoch"),
        (_state_kernels, "find_slots"), (_state_kernels, "count_rows"), (_state_kernels, "examine_order"),
    )  # fmt: skip
    watches = [_Stopwatch(getattr(module, name)) for module, name in watched]
    trackers = [StationTracker() for _ in range(STATIONS)]
    totals, kernels = [], []
    for (module, name), watch in zip(watched, watches, strict=True):
        setattr(module, name, watch)
    try:
        for k in range(EPOCHS):
            tag, observations, ranges = receiver.epoch(float(k))
            start, before = time.perf_counter(), sum(watch.seconds for watch in watches)
            for tracker in trackers:
                tracker.step(tag, observations, ranges)
            totals.append((time.perf_counter() - start) * 1e3)
            kernels.append((sum(watch.seconds for watch in watches) - before) * 1e3)
    finally:
        for (module, name), watch in zip(watched, watches, strict=True):
            setattr(module, name, watch.kernel)
    return statistics.median(totals), statistics.median(kernels)


def _assembling(receiver: Receiver) -> float:
    """Milliseconds an epoch."""
    assembler, spent = EpochAssembler(), []
    for k in range(EPOCHS):
        tag, observations, _ = receiver.epoch(float(k))
        start = time.perf_counter()
        for n in range(STATIONS):
            assembler.add(f"S{n:03d}", tag, observations, (), k + n * 1e-3)
            assembler.ready(k + n * 1e-3)
        spent.append((time.perf_counter() - start) * 1e3)
    return statistics.median(spent)


def run() -> list[dict[str, float | str | bool]]:
    """Milliseconds a second of network: judging in all, its kernels alone, assembling."""
    receiver = Receiver(SATELLITES, CODES)
    judging, kernels = _judging(receiver)
    measured = {
        f"judging, {STATIONS} x {len(receiver.satellite)} rows": (judging, 0.0),
        "of it kernels": (kernels, BAR_MS),
        f"assembling {STATIONS} stations": (_assembling(receiver), 0.0),
    }
    return [
        {"name": name, "unit": "ms", "ours": value, "bar": bar, "met": not bar or value <= bar}
        for name, (value, bar) in measured.items()
    ]


if __name__ == "__main__":
    for row in run():
        print(row)
