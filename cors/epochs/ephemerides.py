"""The broadcast sets of all stations as one collection: deduplicated, bounded, aged.

Two stations that hear one satellite send one set; a set with the same issue and other content is kept beside it (one of
the two is wrong, and the engine screens). It decides what is current, not what is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from cors.gnss.ephemeris import Ephemeris
from cors.gnss.satellites import satellite_name
from cors.gnss.selection import identity, max_age_s
from cors.gnss.time import NS

SETS_A_SATELLITE = 8
"""Sets kept a satellite and kind. When one more comes, the set told by fewest stations goes, then the oldest told."""
SLACK_S = 60.0
"""A set stays in the batch so long past its age, so that the engine and not the collection lets go of it."""
REFRESH_NS = 30 * NS

# Not content: only some stations tell them, and of the same set.
_NOT_CONTENT = frozenset({"transmission", "extra", "accuracy_m", "fit_interval_s", "age_days", "delta_tau", "iodc"})


@dataclass(slots=True)
class _Told:
    """A set and who told it."""

    ephemeris: Ephemeris
    stations: set[str]
    order: int


def _content(ephemeris: Ephemeris) -> tuple[object, ...]:
    names = (f.name for f in fields(ephemeris) if f.name not in _NOT_CONTENT)
    values = (getattr(ephemeris, name) for name in names)
    return tuple(tuple(sorted(v.items())) if isinstance(v, dict) else v for v in values)


class EphemerisCollection:
    """Sets by satellite and kind; `add` as they come, `current` for a batch."""

    def __init__(self) -> None:
        """An empty collection."""
        self._sets: dict[tuple[int, str], dict[tuple[object, ...], _Told]] = {}
        self._order = 0
        self._cached: tuple[Ephemeris, ...] = ()
        self._cached_at: int | None = None
        self.displaced = 0
        """Sets pushed out by newer ones of the same satellite; many mean that a station sends nonsense."""

    def add(self, station: str, ephemerides: Iterable[Ephemeris]) -> None:
        """Note sets that a station told."""
        for ephemeris in ephemerides:
            kind = (ephemeris.satellite, ephemeris.message.value)
            sets = self._sets.setdefault(kind, {})
            key = (*identity(ephemeris)[2:], _content(ephemeris))
            self._order += 1
            told = sets.get(key)
            if told is None:
                sets[key] = _Told(ephemeris, {station}, self._order)
                self._cached_at = None
                self._bound(sets)
            else:
                told.stations.add(station)
                told.order = self._order

    def current(self, gpst: int) -> tuple[Ephemeris, ...]:
        """Sets whose age allows their use around `gpst` (ns), by satellite name, those told by most stations first."""
        if self._cached_at is None or abs(gpst - self._cached_at) > REFRESH_NS:
            self._drop_aged(gpst)
            told = [t for sets in self._sets.values() for t in sets.values()]
            told.sort(key=lambda t: (satellite_name(t.ephemeris.satellite), -len(t.stations), -t.ephemeris.toe))
            self._cached = tuple(t.ephemeris for t in told)
            self._cached_at = gpst
        return self._cached

    def _bound(self, sets: dict[tuple[object, ...], _Told]) -> None:
        while len(sets) > SETS_A_SATELLITE:
            weakest = min(sets, key=lambda key: (len(sets[key].stations), sets[key].order))
            del sets[weakest]
            self.displaced += 1

    def _drop_aged(self, gpst: int) -> None:
        for kind, sets in list(self._sets.items()):
            for key, told in list(sets.items()):
                if abs(gpst - told.ephemeris.toe) > (max_age_s(told.ephemeris) + SLACK_S) * NS:
                    del sets[key]
            if not sets:
                del self._sets[kind]
