"""Which stations an epoch waits for, with hysteresis: a station that is often late must not make everybody late.

A station is expected after some epochs in time in a row and no more after some missed ones; each time it is lost it
must show itself longer, up to 60 epochs.
"""

from __future__ import annotations

from dataclasses import dataclass

JOIN_AFTER = 3
LEAVE_AFTER = 5
JOIN_AFTER_AT_MOST = 60


@dataclass(slots=True)
class _Standing:
    in_time: int = 0
    missed: int = 0
    join_after: int = JOIN_AFTER
    kept: int = 0


class ExpectedStations:
    """The expected set; told of each arrival and each miss."""

    def __init__(self) -> None:
        """Nobody is expected."""
        self._standing: dict[str, _Standing] = {}
        self._names: set[str] = set()

    @property
    def names(self) -> frozenset[str]:
        """Stations that an epoch waits for."""
        return frozenset(self._names)

    def in_time(self, station: str) -> None:
        """The station's rows came within the deadline of their epoch."""
        standing = self._standing.setdefault(station, _Standing())
        standing.in_time += 1
        standing.missed = 0
        if station in self._names:
            standing.kept += 1
            if standing.kept >= 10 * JOIN_AFTER_AT_MOST:
                standing.join_after = JOIN_AFTER
        elif standing.in_time >= standing.join_after:
            self._names.add(station)
            standing.kept = 0

    def missed(self, station: str) -> bool:
        """The station was not there in time; True when it is expected no longer."""
        standing = self._standing.setdefault(station, _Standing())
        standing.in_time = 0
        standing.missed += 1
        if station in self._names and standing.missed >= LEAVE_AFTER:
            self._names.discard(station)
            standing.join_after = min(2 * standing.join_after, JOIN_AFTER_AT_MOST)
            return True
        return False

    def forget(self, station: str) -> None:
        """The station was taken out of the network."""
        self._standing.pop(station, None)
        self._names.discard(station)
