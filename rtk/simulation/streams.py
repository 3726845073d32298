"""A station's RTCM 3 stream: observations every epoch, descriptors and ephemerides in turn, as its make sends them.

Faults of links and messages act here: what arrives may be late, twice, another station's, old, damaged or missing.
Sent are 1006, 1008, 1033 and 1230 every ten seconds, and of the satellites that are tracked 1019, 1020, 1042, 1044,
1045 and 1046 at once when their issue changes (eight an epoch at most) and in turn within half a minute.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from cors.gnss.ephemeris import Ephemeris
from cors.gnss.observations import Observations
from cors.gnss.satellites import Constellation
from cors.gnss.stations import Station
from cors.gnss.time import NS
from cors.rtcm.ephemerides import encode_ephemeris, message_number
from cors.rtcm.frames import encode_frame
from cors.rtcm.msm import ClockSteering, MsmEncoder, MsmHeader, MsmType
from cors.rtcm.station_messages import (
    AntennaDescriptor,
    GlonassBiases,
    StationDescriptors,
    StationMessage,
    StationPosition,
    encode_station_message,
)  # fmt: skip
from rtk.simulation.delivery import deliveries, garble
from rtk.simulation.epoch import SimulatedEpoch
from rtk.simulation.receivers import MAKES, Make, ReceiverClock
from rtk.simulation.simulation import Simulation

DESCRIPTION_S = 10.0
"""Seconds between descriptions."""
TURN_S = 30.0
"""Seconds in which every ephemeris has its turn."""
AT_ONCE = 8
"""Changed ephemerides an epoch."""


class Arrival(NamedTuple):
    """Bytes of one station as they come in."""

    station: str
    delay_s: float
    """After the nominal epoch: the link's delay and that of faults."""
    data: bytes


def descriptions(station: Station, make: Make) -> list[StationMessage]:
    """1006, 1008, 1033 and 1230 of a station."""
    antenna = f"{station.antenna:<16}{station.radome:<4}" if station.antenna else ""
    found: list[StationMessage] = [
        StationPosition(station.rtcm_id, station.position_ecef, station.antenna_height),
        AntennaDescriptor(station.rtcm_id, antenna, 0, station.antenna_serial),
        StationDescriptors(
            station.rtcm_id, antenna, 0, station.antenna_serial, station.receiver, station.receiver_firmware,
            station.receiver_serial,
        ),
    ]  # fmt: skip
    if make.tells_biases:
        bias = make.glonass_bias_m
        found.append(GlonassBiases(station.rtcm_id, bias == 0.0, bias, bias, bias, bias))
    return found


def _name(ephemeris: Ephemeris) -> tuple[int, str]:
    return ephemeris.satellite, ephemeris.message


class EphemerisFrames:
    """Frames of ephemerides, made once for all stations; the oldest of 512 is forgotten."""

    def __init__(self) -> None:
        self._frames: dict[int, tuple[Ephemeris, bytes]] = {}

    def of(self, ephemeris: Ephemeris) -> bytes:
        """The frame of a set."""
        found = self._frames.get(id(ephemeris))  # the set is kept with its frame, so its id stays its own
        if found is None:
            found = ephemeris, encode_frame(encode_ephemeris(ephemeris))
            if len(self._frames) >= 512:
                del self._frames[next(iter(self._frames))]
            self._frames[id(ephemeris)] = found
        return found[1]


class EphemerisTurns:
    """Which ephemerides a station sends with an epoch."""

    def __init__(self) -> None:
        self._sent: dict[tuple[int, str], Ephemeris] = {}
        self._waiting: deque[tuple[int, str]] = deque()

    def next(self, current: dict[tuple[int, str], Ephemeris], interval_s: float) -> list[Ephemeris]:
        """Changed ones first, then those whose turn it is; `current` are those of tracked satellites."""
        changed = [name for name, e in current.items() if self._sent.get(name) is not e][:AT_ONCE]
        if not self._waiting:
            self._waiting.extend(current)
        due = math.ceil(len(current) * interval_s / TURN_S)
        turn = [self._waiting.popleft() for _ in range(min(due, len(self._waiting)))]
        chosen = [current[name] for name in dict.fromkeys(changed + turn) if name in current]
        self._sent |= {_name(e): e for e in chosen}
        return chosen


class StationStream:
    """One receiver's stream, epoch after epoch."""

    def __init__(self, simulation: Simulation, index: int, frames: EphemerisFrames | None = None) -> None:
        """Of the receiver with this index among the simulation's stations and rovers; streams may share `frames`."""
        self._simulation, self._index = simulation, index
        self._frames = frames or EphemerisFrames()
        site = simulation.sites[index]
        self._make = MAKES[site.make]
        self._encoder = MsmEncoder(MsmType(self._make.msm))
        steered = site.clock is ReceiverClock.STEERED
        self._header = MsmHeader(clock_steering=ClockSteering.STEERED if steered else ClockSteering.NOT_STEERED)
        self._channels = {
            int(s): int(k)
            for s, k in zip(simulation.sky.satellites, simulation.sky.channels, strict=True)
            if s >> 6 == Constellation.GLONASS
        }
        self._turns = EphemerisTurns()
        self._described: int | None = None

    def _descriptions(self, gpst: int) -> bytes:
        station = self._simulation.described(gpst)[self._index]
        messages = descriptions(station, self._make)
        return b"".join(encode_frame(encode_station_message(message)) for message in messages)

    def _current(self, observations: Observations, gpst: int) -> dict[tuple[int, str], Ephemeris]:
        """Newest set by satellite and kind, of what the receiver tracks."""
        tracked = set(observations.satellite.tolist())
        sets = self._simulation.ephemerides(gpst)
        newest = {_name(e): e for e in sorted(sets, key=lambda e: e.toe) if message_number(e) is not None}
        return {name: e for name, e in newest.items() if name[0] in tracked}

    def preamble(self, epoch: SimulatedEpoch) -> bytes:
        """Everything a new listener needs at once: descriptions and all ephemerides."""
        current = self._current(epoch.station(self._index), epoch.gpst)
        return self._descriptions(epoch.gpst) + b"".join(self._frames.of(e) for e in current.values())

    def observations(self, observations: Observations, tag: int) -> bytes:
        """MSM frames of one epoch under a time tag."""
        station_id = self._simulation.sites[self._index].rtcm_id
        return self._encoder.encode(tag, station_id, observations, self._channels, self._header)

    def epoch(self, epoch: SimulatedEpoch) -> bytes:
        """All the station sends with an epoch; epochs in their order."""
        mine = epoch.station(self._index)
        if not mine.satellite.size:
            return b""
        c = self._simulation.configuration
        data = self.observations(mine, int(epoch.tags[self._index]))
        slot = math.floor(c.elapsed(epoch.number) / NS / DESCRIPTION_S + 0.1 * (self._index % 10))
        if slot != self._described:
            self._described = slot
            data += self._descriptions(epoch.gpst)
        for ephemeris in self._turns.next(self._current(mine, epoch.gpst), c.interval_s):
            data += self._frames.of(ephemeris)
        return data


class Streams:
    """The streams of all receivers as they arrive, faults and all."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        frames = EphemerisFrames()
        self._streams = [StationStream(simulation, index, frames) for index in range(len(simulation.sites))]
        self._last: dict[int, tuple[SimulatedEpoch, bytes]] = {}
        """What each receiver sent last, for streams that freeze."""

    def preamble(self, name: str, epoch: SimulatedEpoch) -> bytes:
        """What a new listener of a stream gets first."""
        return self._streams[self._simulation.names.index(name)].preamble(epoch)

    def arrivals(self, number: int) -> list[Arrival]:
        """What comes in of nominal epoch `number`; numbers in their order."""
        epoch = self._simulation.epoch(number)
        fresh = [stream.epoch(epoch) for stream in self._streams]
        found = []
        for delivery in deliveries(self._simulation, number):
            if delivery.number == number:
                data = fresh[delivery.source]
            else:
                data = self._old(delivery.station, epoch, delivery.renamed_time)
            if delivery.garbled:
                data = garble(data, self._simulation.sites[delivery.station].key, number)
            if data:
                delay = delivery.delay_s + delivery.latency_s
                found.append(Arrival(self._simulation.names[delivery.station], delay, data))
            if delivery.number == number and not delivery.copy:
                self._last[delivery.station] = epoch, fresh[delivery.source]
        return found

    def _old(self, station: int, epoch: SimulatedEpoch, renamed: bool) -> bytes:
        """What a frozen stream sends: its last bytes, or its last values under the present time."""
        if station not in self._last:
            return b""
        old, data = self._last[station]
        if not renamed:
            return data
        tag = int(old.tags[station]) + epoch.gpst - old.gpst
        return self._streams[station].observations(old.station(station), tag)
