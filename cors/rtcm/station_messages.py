"""What a station says of itself, as values: place, antenna, receiver, parameters, texts, GLONASS biases.

1005 1006 1007 1008 1013 1029 1032 1033 1230, decoded and encoded by their data fields. Texts lose trailing blanks and
NULs; empty ones are legal and mean unknown. Coordinates are those of the antenna reference point already: the height
of 1006 tells where the marker is. Refused: damaged payloads, and on encoding what a field cannot hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from cors.gnss.time import DAY_S, GPS_EPOCH_MJD, NS, gpst_from_utc_ns
from cors.rtcm.errors import UnencodableError, UnknownMessageError
from cors.rtcm.field_values import Values, decode_values, encode_values

MAX_TEXT = 31
MIN_RADIUS_M = 6_000_000.0
"""Nearer to the geocentre no station stands: such coordinates are a receiver nobody configured."""


class Alignment(IntEnum):
    """DF364: quarter cycles between phases of 1003 and 1004."""

    UNKNOWN = 0
    ALIGNED = 1
    NOT_ALIGNED = 2
    RESERVED = 3


@dataclass(frozen=True, slots=True)
class StationPosition:
    """1005, and 1006 where `antenna_height` is known."""

    station_id: int
    """DF003."""
    position_ecef: tuple[float, float, float]
    """Antenna reference point, m (DF025-DF027)."""
    antenna_height: float = math.nan
    """ARP above the marker, m (DF028); NaN in 1005."""
    itrf_year: int = 0
    """DF021, reserved."""
    gps: bool = True
    """DF022; the station serves GPS."""
    glonass: bool = True
    """DF023."""
    galileo: bool = True
    """DF024."""
    non_physical: bool = False
    """DF141: computed, as a virtual station is."""
    single_oscillator: bool = True
    """DF142: all systems measured at one instant."""
    alignment: Alignment = Alignment.UNKNOWN

    @property
    def usable(self) -> bool:
        """False for coordinates near the geocentre."""
        return math.hypot(*self.position_ecef) >= MIN_RADIUS_M


@dataclass(frozen=True, slots=True)
class AntennaDescriptor:
    """1007, and 1008 where `serial` is not None."""

    station_id: int
    descriptor: str
    """IGS name: antenna in 16 characters, radome in 4 (DF030)."""
    setup_id: int = 0
    """DF031: changes with anything about the antenna."""
    serial: str | None = None
    """DF033."""


@dataclass(frozen=True, slots=True)
class StationDescriptors:
    """1033: antenna and receiver."""

    station_id: int
    antenna: str
    """DF030, as in `AntennaDescriptor`."""
    antenna_setup_id: int = 0
    antenna_serial: str = ""
    receiver: str = ""
    """DF228."""
    firmware: str = ""
    """DF230."""
    receiver_serial: str = ""
    """DF232."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One line of 1013."""

    message: int
    synchronous: bool
    interval_s: float


@dataclass(frozen=True, slots=True)
class SystemParameters:
    """1013."""

    station_id: int
    utc: int
    """When it was made, as `cors.gnss.time.utc_ns` counts (DF051, DF052)."""
    leap_seconds: int | None
    """GPST - UTC (DF054)."""
    announcements: tuple[Announcement, ...] = ()

    @property
    def gpst(self) -> int:
        """When it was made, gpst ns."""
        return gpst_from_utc_ns(self.utc)


@dataclass(frozen=True, slots=True)
class TextMessage:
    """1029."""

    station_id: int
    utc: int
    """As in `SystemParameters`."""
    text: str
    """At most 127 characters, 255 bytes of UTF-8."""

    @property
    def gpst(self) -> int:
        """When it was sent, gpst ns."""
        return gpst_from_utc_ns(self.utc)


@dataclass(frozen=True, slots=True)
class PhysicalReference:
    """1032: the physical station behind a computed one."""

    station_id: int
    """The computed station's DF003."""
    physical_station_id: int
    """DF226."""
    position_ecef: tuple[float, float, float]
    """Its antenna reference point, m."""
    itrf_year: int = 0


@dataclass(frozen=True, slots=True)
class GlonassBiases:
    """1230: code-phase biases, m; aligned phase = phase + bias. None: not in the message; NaN: unknown."""

    station_id: int
    aligned: bool
    """DF421: the stream's phases are corrected already."""
    l1_ca: float | None = None
    l1_p: float | None = None
    l2_ca: float | None = None
    l2_p: float | None = None


StationMessage: TypeAlias = (
    StationPosition | AntennaDescriptor | StationDescriptors | SystemParameters | TextMessage | PhysicalReference
    | GlonassBiases
)  # fmt: skip

_BIASES = (("l1_ca", "DF423", 8), ("l1_p", "DF424", 4), ("l2_ca", "DF425", 2), ("l2_p", "DF426", 1))


def _number(values: Values, name: str) -> float:
    value = values[name]
    return value if isinstance(value, int | float) else math.nan


def _int(values: Values, name: str) -> int:
    return int(_number(values, name))


def _text(values: Values, name: str) -> str:
    return str(values[name]).rstrip(" \0")


def _xyz(values: Values) -> tuple[float, float, float]:
    return _number(values, "DF025"), _number(values, "DF026"), _number(values, "DF027")


def _utc(values: Values) -> int:
    return ((_int(values, "DF051") - GPS_EPOCH_MJD) * DAY_S + _int(values, "DF052")) * NS


def _position(v: Values) -> StationPosition:
    return StationPosition(
        _int(v, "DF003"), _xyz(v), _number(v, "DF028") if "DF028" in v else math.nan, _int(v, "DF021"),
        bool(v["DF022"]), bool(v["DF023"]), bool(v["DF024"]), bool(v["DF141"]), bool(v["DF142"]),
        Alignment(_int(v, "DF364")),
    )  # fmt: skip


def _antenna(v: Values) -> AntennaDescriptor:
    serial = _text(v, "DF033") if "DF033" in v else None
    return AntennaDescriptor(_int(v, "DF003"), _text(v, "DF030"), _int(v, "DF031"), serial)


def _descriptors(v: Values) -> StationDescriptors:
    texts = (_text(v, name) for name in ("DF033", "DF228", "DF230", "DF232"))
    return StationDescriptors(_int(v, "DF003"), _text(v, "DF030"), _int(v, "DF031"), *texts)


def _parameters(v: Values) -> SystemParameters:
    rows = v["repeat"]
    assert isinstance(rows, list)
    announcements = tuple(
        Announcement(_int(row, "DF055"), bool(row["DF056"]), _number(row, "DF057"))
        for row in rows
        if isinstance(row, dict)
    )
    leap = v["DF054"]
    return SystemParameters(_int(v, "DF003"), _utc(v), leap if isinstance(leap, int) else None, announcements)


def _unicode(v: Values) -> TextMessage:
    return TextMessage(_int(v, "DF003"), _utc(v), _text(v, "DF140"))


def _physical(v: Values) -> PhysicalReference:
    return PhysicalReference(_int(v, "DF003"), _int(v, "DF226"), _xyz(v), _int(v, "DF021"))


def _biases(v: Values) -> GlonassBiases:
    values = (_number(v, field) if field in v else None for _, field, _ in _BIASES)
    return GlonassBiases(_int(v, "DF003"), bool(v["DF421"]), *values)


_DECODERS: dict[int, Callable[[Values], StationMessage]] = {
    1005: _position, 1006: _position, 1007: _antenna, 1008: _antenna, 1013: _parameters, 1029: _unicode,
    1032: _physical, 1033: _descriptors, 1230: _biases,
}  # fmt: skip
STATION_MESSAGES = frozenset(_DECODERS)
"""Message numbers this module reads."""


def decode_station_message(payload: bytes) -> StationMessage:
    """The value a payload holds. Raises UnknownMessageError for other numbers, DamagedMessageError."""
    number = int.from_bytes(payload[:2].ljust(2, b"\0"), "big") >> 4
    decoder = _DECODERS.get(number)
    if decoder is None:
        raise UnknownMessageError(f"message {number} does not describe a station")
    return decoder(decode_values(payload))


def _short(text: str, name: str) -> str:
    if len(text) > MAX_TEXT:
        raise UnencodableError(f"{name} = {text!r} has more than {MAX_TEXT} characters")
    return text


def _coordinates(position: tuple[float, float, float]) -> dict[str, object]:
    return dict(zip(("DF025", "DF026", "DF027"), position, strict=True))


def _encode_position(m: StationPosition) -> dict[str, object]:
    values: dict[str, object] = {
        "DF002": 1005 if math.isnan(m.antenna_height) else 1006, "DF021": m.itrf_year, "DF022": m.gps,
        "DF023": m.glonass, "DF024": m.galileo, "DF141": m.non_physical, "DF142": m.single_oscillator,
        "DF364": m.alignment, "DF028": m.antenna_height,
    }  # fmt: skip
    return values | _coordinates(m.position_ecef)


def _encode_antenna(m: AntennaDescriptor) -> dict[str, object]:
    values: dict[str, object] = {"DF002": 1007, "DF030": _short(m.descriptor, "DF030"), "DF031": m.setup_id}
    return values if m.serial is None else values | {"DF002": 1008, "DF033": _short(m.serial, "DF033")}


def _encode_descriptors(m: StationDescriptors) -> dict[str, object]:
    texts = {"DF030": m.antenna, "DF033": m.antenna_serial, "DF228": m.receiver, "DF230": m.firmware,
             "DF232": m.receiver_serial}  # fmt: skip
    return {"DF002": 1033, "DF031": m.antenna_setup_id} | {name: _short(text, name) for name, text in texts.items()}


def _moment(utc: int) -> dict[str, object]:
    days, rest = divmod(utc // NS, DAY_S)
    return {"DF051": days + GPS_EPOCH_MJD, "DF052": rest}


def _encode_parameters(m: SystemParameters) -> dict[str, object]:
    rows = [{"DF055": a.message, "DF056": a.synchronous, "DF057": a.interval_s} for a in m.announcements]
    return {"DF002": 1013, "DF054": m.leap_seconds, "repeat": rows} | _moment(m.utc)


def _encode_text(m: TextMessage) -> dict[str, object]:
    if len(m.text) > 127 or len(m.text.encode()) > 255:
        raise UnencodableError(
            f"a text of {len(m.text)} characters, {len(m.text.encode())} bytes (127 and 255 at most)"
        )
    return {"DF002": 1029, "DF138": len(m.text), "DF140": m.text} | _moment(m.utc)


def _encode_physical(m: PhysicalReference) -> dict[str, object]:
    return {"DF002": 1032, "DF226": m.physical_station_id, "DF021": m.itrf_year} | _coordinates(m.position_ecef)


def _encode_biases(m: GlonassBiases) -> dict[str, object]:
    present = [(field, bit, getattr(m, name)) for name, field, bit in _BIASES if getattr(m, name) is not None]
    mask = sum(bit for _, bit, _ in present)
    return {"DF002": 1230, "DF421": m.aligned, "DF422": mask} | {field: value for field, _, value in present}


def encode_station_message(message: StationMessage) -> bytes:
    """Payload of a value; which of two message numbers it takes follows from what it holds. Raises UnencodableError."""
    values: Mapping[str, object]
    match message:
        case StationPosition():
            values = _encode_position(message)
        case AntennaDescriptor():
            values = _encode_antenna(message)
        case StationDescriptors():
            values = _encode_descriptors(message)
        case SystemParameters():
            values = _encode_parameters(message)
        case TextMessage():
            values = _encode_text(message)
        case PhysicalReference():
            values = _encode_physical(message)
        case GlonassBiases():
            values = _encode_biases(message)
    return encode_values({"DF003": message.station_id} | dict(values))
