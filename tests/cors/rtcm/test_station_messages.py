"""Station messages against real frames and their field tables."""

from __future__ import annotations

import math

import pytest

from cors.gnss.time import parse_time, utc_ns
from cors.rtcm.errors import DamagedMessageError, UnencodableError, UnknownMessageError
from cors.rtcm.field_values import decode_values
from cors.rtcm.station_messages import (
    Alignment,
    Announcement,
    AntennaDescriptor,
    GlonassBiases,
    PhysicalReference,
    StationDescriptors,
    StationPosition,
    SystemParameters,
    TextMessage,
    decode_station_message,
    encode_station_message,
)
from tests.cors.rtcm.samples import FRAME_1005, FRAME_1019, FRAME_1029, FRAME_1230

# 1033 of a real station, 1013 without announcements, 1008 with nothing in it.
FRAME_1033 = bytes.fromhex(
    "d300394090001453455043484f4b455f4233453620202053504b450004353835360c5345505420504f4c4152583505352e352e3007333037"
    "35303234b91fbd"
)
FRAME_1013 = bytes.fromhex("d300093f5000ebde74a780486a9a85")
MADE = parse_time("2026-11-25T12:00:00Z")

MESSAGES = [
    StationPosition(7, (-2267750.0744, 5009154.1821, 3221290.5515)),
    StationPosition(4095, (1.0, -2.0, 0.0001), 1.2345, 5, False, True, False, True, False, Alignment.NOT_ALIGNED),
    AntennaDescriptor(1, "TRM59800.00     NONE", 3),
    AntennaDescriptor(1, "", 0, ""),
    AntennaDescriptor(1, "LEIAR25.R3      LEIT", 1, "12345"),
    StationDescriptors(5, "ADVNULLANTENNA  NONE", 0, "", "CORSNET", "0.1", "1"),
    SystemParameters(2, utc_ns(MADE), 18, (Announcement(1077, True, 1.0), Announcement(1006, False, 10.0))),
    SystemParameters(2, utc_ns(MADE), None),
    TextMessage(9, utc_ns(MADE), "长沙站 maintenance 10:00"),
    PhysicalReference(2001, 17, (-2267750.0744, 5009154.1821, 3221290.5515)),
    GlonassBiases(3, True, 0.0, 0.0, 0.0, 0.0),
    GlonassBiases(3, False, -71.94, None, 19.06, math.nan),
    GlonassBiases(3, True),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_value_goes_round(message: object) -> None:
    payload = encode_station_message(message)  # type: ignore[arg-type]
    again = decode_station_message(payload)
    assert repr(again) == repr(message)  # NaN compares by its name
    assert encode_station_message(again) == payload


@pytest.mark.parametrize("frame", [FRAME_1005, FRAME_1230, FRAME_1029, FRAME_1033, FRAME_1013])
def test_real_frames_come_back_to_the_bit(frame: bytes) -> None:
    assert encode_station_message(decode_station_message(frame[3:-3])) == frame[3:-3]


def test_what_real_frames_say() -> None:
    position = StationPosition(
        2003, (1114104.5999, -4850729.7108, 3975521.4643), glonass=False, galileo=False, single_oscillator=False
    )
    assert repr(decode_station_message(FRAME_1005[3:-3])) == repr(position)
    assert decode_station_message(FRAME_1033[3:-3]) == StationDescriptors(
        0, "SEPCHOKE_B3E6   SPKE", 0, "5856", "SEPT POLARX5", "5.5.0", "3075024"
    )
    parameters = decode_station_message(FRAME_1013[3:-3])
    assert isinstance(parameters, SystemParameters)
    assert parameters.gpst == parse_time("2024-03-13T16:35:27Z") and parameters.leap_seconds == 18


def test_numbers_follow_from_what_is_known() -> None:
    assert [decode_values(encode_station_message(m))["DF002"] for m in MESSAGES] == [
        1005, 1006, 1007, 1008, 1008, 1033, 1013, 1013, 1029, 1032, 1230, 1230, 1230,
    ]  # fmt: skip


def test_padding_is_not_part_of_a_name_and_a_cut_character_does_not_stop_a_text() -> None:
    payload = encode_station_message(AntennaDescriptor(1, "LEIAR10         NONE", 1))
    padded = payload[:3] + b"\x1f" + payload[4:24] + bytes(11) + payload[24:]
    assert decode_station_message(padded) == AntennaDescriptor(1, "LEIAR10         NONE", 1)
    text = encode_station_message(TextMessage(1, utc_ns(MADE), "长沙"))
    assert decode_station_message(text[:8] + bytes([5]) + text[9:-1]).text == "长�"  # type: ignore[union-attr]


def test_no_position_is_told_from_one() -> None:
    assert not StationPosition(1, (0.0, 0.0, 0.0)).usable
    assert StationPosition(1, (-2267750.0744, 5009154.1821, 3221290.5515)).usable


def test_refusals() -> None:
    with pytest.raises(UnknownMessageError):
        decode_station_message(FRAME_1019[3:-3])
    with pytest.raises(UnknownMessageError):
        decode_station_message(b"")
    with pytest.raises(DamagedMessageError):
        decode_station_message(FRAME_1033[3:-4])
    for bad in (
        AntennaDescriptor(1, "x" * 32), AntennaDescriptor(1, "天线"), StationPosition(5000, (1.0, 2.0, 3.0)),
        StationPosition(1, (1e9, 0.0, 0.0)), TextMessage(1, utc_ns(MADE), "长" * 100), GlonassBiases(1, True, 1000.0),
        StationPosition(1, (math.nan, 0.0, 0.0)),
    ):  # fmt: skip
        with pytest.raises(UnencodableError):
            encode_station_message(bad)
