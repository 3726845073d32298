"""Epochs of the network as an assembler would hand them to an engine: the cheap way, past streams and quality checks.

Slips that receivers tell of (lock time, half cycles) are marked in the flags; silent ones, made by faults, are not.
Stations whose link fails or is late by more than a second are missing and named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cors.epochs.batch import EpochBatch
from cors.gnss.observations import ObservationFlag, Observations, concatenate
from cors.gnss.time import NS
from rtk.simulation.delivery import Delivery, deliveries
from rtk.simulation.epoch import SimulatedEpoch

if TYPE_CHECKING:
    from rtk.simulation.simulation import Simulation

DEADLINE_S = 1.0
"""How much later than the others an epoch may be."""


def marked(epoch: SimulatedEpoch, index: int, interval_s: float, elapsed_s: float) -> Observations:
    """One receiver's rows, slips since the epoch before flagged."""
    rows = epoch.rows(index)
    truth, before = epoch.truth, elapsed_s - interval_s
    observations = epoch.station(index)
    closed = (truth.half_until[rows] > before) & (truth.half_until[rows] <= elapsed_s)
    flags = observations.flags.copy()
    flags[(truth.lock_from[rows] > before) | closed] |= int(ObservationFlag.SLIP)
    return observations._replace(flags=flags)


class Batches:
    """Batches of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._old: dict[int, SimulatedEpoch] = {}
        """Epochs that frozen streams repeat, one a fault."""

    def _epoch(self, number: int, current: SimulatedEpoch) -> SimulatedEpoch:
        if number == current.number:
            return current
        if number not in self._old:
            self._old[number] = self._simulation.epoch(number)
        return self._old[number]

    def _arrived(self, delivery: Delivery, current: SimulatedEpoch) -> tuple[int, Observations] | None:
        """Tag and rows, or None where nothing usable is there in time."""
        stale = delivery.number != current.number and not delivery.renamed_time
        if stale or delivery.garbled or delivery.delay_s > DEADLINE_S:
            return None
        c = self._simulation.configuration
        epoch = self._epoch(delivery.number, current)
        observations = marked(epoch, delivery.source, c.interval_s, c.elapsed(delivery.number) / NS)
        tag = int(epoch.tags[delivery.source]) + current.gpst - epoch.gpst
        return (tag, observations) if observations.satellite.size else None

    def batch(self, number: int) -> EpochBatch:
        """The stations' rows at nominal epoch `number`; rovers are not in it."""
        stations = [site.name for site in self._simulation.configuration.stations]
        current = self._simulation.epoch(number)
        found: dict[str, tuple[int, Observations]] = {}
        for delivery in deliveries(self._simulation, number):
            if not delivery.copy and delivery.station < len(stations):
                arrived = self._arrived(delivery, current)
                if arrived is not None:
                    found[stations[delivery.station]] = arrived
        sizes = [observations.satellite.size for _, observations in found.values()]
        return EpochBatch(
            current.gpst, tuple(found), np.array([tag for tag, _ in found.values()], np.int64),
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), concatenate([o for _, o in found.values()]),
            self._simulation.ephemerides(current.gpst), tuple(name for name in stations if name not in found),
        )  # fmt: skip
