"""Doors: the mountpoints that can be asked for, what stands behind each, and the sourcetable made of them.

The table is filled from what passes: message types with their rates, systems, bit rate and (where a 1005 or 1006 was
seen) the place; what an operator describes goes before that. Hidden mountpoints are not in it. It is made anew at most
once a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from api.caster.channel import Channel
from api.caster.mountpoints import Mountpoint, parse_mountpoint, split_name
from api.caster.seen import StreamWatch
from api.caster.sessions import Session
from api.caster.settings import Identity, ListenerSettings, SourceSettings
from cors.ntrip.sourcetable import CasterRecord, NetworkRecord, Record, StreamRecord, build_sourcetable

REMADE_S = 1.0


@dataclass(frozen=True, slots=True)
class Description:
    """What an operator says of a mountpoint; NaN and empty: taken from the stream, or left open."""

    identifier: str = ""
    """The nearest town."""
    format: str = "RTCM 3.3"
    details: str = ""
    carrier: int = 2
    systems: str = ""
    country: str = ""
    latitude: float = math.nan
    longitude: float = math.nan
    generator: str = ""
    misc: str = ""


class Door:
    """One mountpoint that can be asked for."""

    def __init__(
        self, mountpoint: Mountpoint, description: Description, channel: Channel | None, suffixes: bool
    ) -> None:
        self.mountpoint = mountpoint
        self.description = description
        self.channel = channel
        """None: the service sends to each session."""
        self.suffixes = suffixes
        self.available = True
        """False closes it to new rovers: nothing to serve."""
        self.watch = channel.watch if channel is not None else StreamWatch()
        self.sampled: Session | None = None
        """The session whose epochs show what a door without channel carries."""

    def is_live(self, now: float, settings: SourceSettings) -> bool:
        """There is something to serve."""
        return self.available and (self.channel is None or self.channel.silent_since(now) < settings.dead_s)

    def record(self, identity: Identity, now: float) -> StreamRecord:
        """Its line in the sourcetable."""
        told, mountpoint = self.description, self.mountpoint
        place = self.watch.place or (identity.latitude, identity.longitude)
        return StreamRecord(
            mountpoint.name,
            told.identifier or mountpoint.name,
            told.format,
            told.details or self.watch.details(now),
            told.carrier,
            told.systems or self.watch.systems(),
            identity.network,
            told.country or identity.country,
            told.latitude if not math.isnan(told.latitude) else place[0],
            told.longitude if not math.isnan(told.longitude) else place[1],
            nmea=mountpoint.needs_position,
            network_solution=mountpoint.product.is_network,
            generator=told.generator or identity.generator,
            compression="none",
            authentication="N" if mountpoint.access.anonymous else "B",
            fee=identity.fee,
            bitrate=self.watch.bitrate,
            misc=told.misc or mountpoint.frame or "none",
        )


class Doors:
    """All of them, by name."""

    def __init__(self, identity: Identity, sources: SourceSettings, monotonic: Callable[[], float]) -> None:
        self._identity = identity
        self._sources = sources
        self._monotonic = monotonic
        self._doors: dict[str, Door] = {}
        self._tables: dict[tuple[int, str], tuple[float, list[Record], bytes]] = {}

    def __iter__(self) -> Iterator[Door]:
        """Every door."""
        return iter(list(self._doors.values()))

    def __len__(self) -> int:
        """How many."""
        return len(self._doors)

    def add(self, door: Door) -> None:
        """Open one more. Raises ValueError for a name that is taken."""
        name = door.mountpoint.name
        if name in self._doors:
            raise ValueError(f"mountpoint {name} is registered already")
        self._doors[name] = door
        self._tables.clear()

    def remove(self, name: str) -> Door | None:
        """Take one away."""
        self._tables.clear()
        return self._doors.pop(name, None)

    def get(self, name: str) -> Door | None:
        """The door of exactly that name."""
        return self._doors.get(name)

    def find_door(self, name: str) -> Door | None:
        """The door a name opens."""
        found = self.find(name)
        return found[0] if found is not None else None

    def find(self, name: str) -> tuple[Door, Mountpoint] | None:
        """The door a name opens and what it means there: itself, or with suffixes for form and systems."""
        door = self._doors.get(name)
        if door is not None:
            return door, door.mountpoint
        base, form, systems = split_name(name)
        door = self._doors.get(base)
        if door is None or not door.suffixes or (form is None and not systems):
            return None
        try:
            meant = parse_mountpoint(name)
        except ValueError:
            return None
        form = form or door.mountpoint.form
        return door, replace(door.mountpoint, name=meant.name, form=form, systems=meant.systems)

    def table(self, listener: ListenerSettings, port: int) -> tuple[list[Record], bytes]:
        """Records and body for those who ask at a listener."""
        now = self._monotonic()
        key = (port, listener.frame)
        known = self._tables.get(key)
        if known is not None and now - known[0] < REMADE_S:
            return known[1], known[2]
        records = self._records(listener, port, now)
        body = build_sourcetable(records)
        self._tables[key] = (now, records, body)
        return records, body

    def _records(self, listener: ListenerSettings, port: int, now: float) -> list[Record]:
        who = self._identity
        shown = sorted((d for d in self._doors.values() if d.mountpoint.access.listed), key=lambda d: d.mountpoint.name)
        streams = [door.record(who, now) for door in shown if door.is_live(now, self._sources)]
        place = (who.latitude, who.longitude)
        nmea = any(stream.nmea for stream in streams)
        caster = CasterRecord(
            who.host, port, who.identifier, who.operator, nmea, who.country, *place, misc=listener.frame or "none"
        )
        network = NetworkRecord(
            who.network, who.operator, "B", who.fee, who.web_network, who.web_streams, who.web_registration, "none"
        )
        return [caster, network, *streams]
