"""How epochs travel to the network: which station's data arrive under which name, when, how often and how whole.

One list for both ways out of the simulator, streams of bytes and batches, so that faults of links are the same in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cors.gnss.time import NS
from rtk.simulation import _kernels
from rtk.simulation.faults import Dropped, Duplicated, Fault, Frozen, Garbled, Killed, Late, Swapped

if TYPE_CHECKING:
    from rtk.simulation.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Latency:
    """Log-normal delay of a link."""

    median_s: float = 0.3
    sigma: float = 0.35
    """Standard deviation of the delay's logarithm."""

    def draw(self, key: int, number: int) -> float:
        """Delay (s) of one epoch of one station."""
        if self.median_s <= 0.0:
            return 0.0
        return self.median_s * math.exp(self.sigma * _kernels.normals(key, number)[0])


class Delivery(NamedTuple):
    """One epoch of one receiver as it arrives."""

    station: int
    """Receiver whose stream it is."""
    source: int
    """Receiver whose data it carries."""
    number: int
    """Epoch whose data it carries."""
    renamed_time: bool
    """The data are old but the time tag is not."""
    copy: bool
    """It has been there before."""
    delay_s: float
    """What faults add, s."""
    latency_s: float
    """The link's own delay, s."""
    garbled: bool


def _lucky(simulation: Simulation, row: int, number: int, salt: int, ratio: float) -> bool:
    return float(_kernels.uniform(_link_key(simulation, row, salt), number)) < ratio


def _link_key(simulation: Simulation, row: int, salt: int) -> int:
    own = _kernels.key2(_kernels.mix(simulation.configuration.seed & 0xFFFFFFFF), simulation.sites[row].key)
    return int(_kernels.key2(own, salt))


def _frozen_at(simulation: Simulation, fault: Fault) -> int:
    """The last epoch before the fault."""
    interval = simulation.configuration.interval_s
    return max(0, math.ceil(fault.start / interval) - 1)


def _station(simulation: Simulation, row: int, number: int) -> list[Delivery]:
    c = simulation.configuration
    t, name = c.elapsed(number) / NS, simulation.names[row]
    mine = [f for f in c.faults if getattr(f, "station", None) == name and f.acts(t)]
    latency = c.latency.draw(_link_key(simulation, row, 31), number)
    plain = Delivery(row, row, number, False, False, 0.0, latency, False)
    twice = math.nan
    for fault in mine:
        if isinstance(fault, Killed) or (
            isinstance(fault, Dropped) and _lucky(simulation, row, number, 41, fault.ratio)
        ):
            return []
        if isinstance(fault, Frozen):
            plain = plain._replace(number=_frozen_at(simulation, fault), renamed_time=fault.time_runs)
        elif isinstance(fault, Swapped):
            plain = plain._replace(source=simulation.names.index(fault.source))
        elif isinstance(fault, Late):
            plain = plain._replace(delay_s=plain.delay_s + fault.delay)
        elif isinstance(fault, Garbled):
            plain = plain._replace(garbled=_lucky(simulation, row, number, 43, fault.ratio))
        elif isinstance(fault, Duplicated):
            twice = fault.delay
    again = [] if math.isnan(twice) else [plain._replace(copy=True, delay_s=plain.delay_s + twice)]
    return [plain, *again]


def deliveries(simulation: Simulation, number: int) -> list[Delivery]:
    """What arrives of nominal epoch `number`, in the order of receivers."""
    return [d for row in range(len(simulation.sites)) for d in _station(simulation, row, number)]


def garble(data: bytes, key: int, number: int) -> bytes:
    """The bytes with some changed, or their end cut off."""
    rng = np.random.default_rng((key, number))
    if not data or rng.uniform() < 0.3:
        return data[: int(rng.integers(0, len(data) + 1))]
    changed = bytearray(data)
    for place in rng.integers(0, len(data), max(1, len(data) // 200)):
        changed[place] ^= int(rng.integers(1, 256))
    return bytes(changed)
