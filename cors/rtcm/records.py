"""What came out of a stream as plain records, one a line: for `cors inspect --values` and other programs.

Codes and units are those of RINEX (metres, cycles, Hz, dB-Hz), so that a stream and a file of the same station compare.
A GLONASS phase or Doppler whose channel nobody told is left out: metres it has, cycles it has not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from cors.gnss.constants import SPEED_OF_LIGHT
from cors.gnss.observations import ObservationFlag
from cors.gnss.satellites import satellite_name
from cors.gnss.signals import UNKNOWN_CHANNEL, carrier_frequency, signal_code
from cors.gnss.time import iso_gpst
from cors.rtcm.diagnostics import Diagnostic
from cors.rtcm.errors import RtcmError
from cors.rtcm.field_values import decode_values
from cors.rtcm.frames import Frame
from cors.rtcm.station_epochs import StationEpoch
from cors.rtcm.tables import message_name

Record = dict[str, object]


def epoch_record(epoch: StationEpoch, channels: Mapping[int, int]) -> Record:
    """An epoch; `channels` are GLONASS channels by packed satellite. Values are [value, lli, ssi]."""
    values: dict[str, dict[str, list[float | int | None]]] = {}
    lock: dict[str, dict[str, float]] = {}
    half: dict[str, list[str]] = {}
    for satellite, signal, code, phase, rate, cn0, lock_ms, flags in zip(
        *(column.tolist() for column in epoch.observations), strict=True
    ):
        name, attribute = satellite_name(satellite), signal_code(signal)
        wavelength = SPEED_OF_LIGHT / carrier_frequency(signal, channels.get(satellite, UNKNOWN_CHANNEL))
        unresolved = bool(flags & ObservationFlag.HALF_CYCLE)
        found = {"C": code, "L": phase / wavelength, "D": -rate / wavelength, "S": cn0}
        values.setdefault(name, {}).update(
            {kind + attribute: [value, (2 if unresolved else None) if kind == "L" else None, None]
             for kind, value in found.items() if not math.isnan(value)}
        )  # fmt: skip
        if not math.isnan(lock_ms):
            lock.setdefault(name, {})[attribute] = lock_ms / 1000.0
        if unresolved:
            half.setdefault(name, []).append(attribute)
    return {
        "kind": "epoch", "time": iso_gpst(epoch.gpst), "time_system": "GPS", "flag": 0, "station": epoch.station_id,
        "clock_offset_s": None, "values": values, "lock_time_s": lock, "half_cycle": half,
        "complete": epoch.complete,
    }  # fmt: skip


def message_record(frame: Frame) -> Record:
    """A frame by its data fields; `fields` is None, and `hex` given, where no layout fits."""
    record: Record = {"kind": "message", "type": frame.number, "name": message_name(frame.number),
                      "offset": frame.offset, "size": len(frame.data)}  # fmt: skip
    try:
        fields = decode_values(frame.payload)
    except RtcmError as error:
        return record | {"station": None, "fields": None, "text": str(error), "hex": frame.data.hex()}
    return record | {"station": fields.get("DF003"), "fields": fields}


def diagnostic_record(diagnostic: Diagnostic) -> Record:
    """A finding."""
    return {
        "kind": "diagnostic", "code": str(diagnostic.code), "line": None, "column": None,
        "offset": diagnostic.offset, "severity": str(diagnostic.severity), "text": diagnostic.text,
        "hex": diagnostic.hex,
    }  # fmt: skip
