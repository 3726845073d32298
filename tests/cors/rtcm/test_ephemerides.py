"""Ephemeris messages against a real frame with published values, the rules of weeks and days, and themselves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from cors.gnss.constants import GPS_PI
from cors.gnss.ephemeris import KeplerEphemeris, NavigationMessage, StateEphemeris
from cors.gnss.satellites import parse_satellite
from cors.gnss.selection import healthy
from cors.gnss.signals import UNKNOWN_CHANNEL
from cors.gnss.time import DAY_NS, NS, WEEK_NS, gps_week, gpst_from_week, parse_time
from cors.rtcm.ephemerides import (
    SISA_M,
    URA_M,
    decode_ephemeris,
    encode_ephemeris,
    message_number,
)
from cors.rtcm.errors import DamagedMessageError, UnencodableError, UnknownMessageError
from cors.rtcm.field_values import decode_values, encode_values
from tests.cors.rtcm.samples import FRAME_1005, FRAME_1019

FRAME_1020 = bytes.fromhex(
    "d3002d3fc24bb378cfa0f4964cb5d1a00d84ba00211bf2a7f648bf591663802d16f4a5015092c24c0000001a00000800c2b9e5"
)
THEN = parse_time("2024-03-13T16:35:00Z")
TOE = gpst_from_week(2446, 302_400)


def kepler(satellite: str, message: str, **changed: object) -> KeplerEphemeris:
    """Numbers a satellite could have, on no grid of any message."""
    values: dict = {
        "satellite": parse_satellite(satellite), "message": NavigationMessage(message), "toe": TOE, "toc": TOE,
        "transmission": None, "iode": 17, "iodc": 17, "health": 0, "accuracy_m": 2.4, "fit_interval_s": math.nan,
        "sqrt_a": 5153.7123, "eccentricity": 0.0123, "m0": 0.7, "delta_n": 4.5e-9, "omega0": -1.2, "i0": 0.97,
        "omega": 2.2, "omega_dot": -8.1e-9, "idot": 1.1e-10, "cuc": 1e-6, "cus": 8e-6, "crc": 201.5, "crs": -30.1,
        "cic": 1e-7, "cis": -1e-7, "af0": 1e-4, "af1": 1e-12, "af2": 0.0,
    } | changed  # fmt: skip
    return KeplerEphemeris(**values)


SETS = [
    kepler("G05", "LNAV", fit_interval_s=14_400.0, group_delays={"TGD": -1.1e-8},
           extra={"L2_codes": 1.0, "L2P_flag": 0.0}),
    kepler("J02", "LNAV", fit_interval_s=7200.0, group_delays={"TGD": 1e-9}, extra={"L2_codes": 2.0}),
    kepler("E11", "FNAV", accuracy_m=3.12, iodc=None, health=1 << 4, group_delays={"BGD_E1E5a": 3e-9},
           extra={"data_sources": 258.0}),
    kepler("E11", "INAV", accuracy_m=3.12, iodc=None, health=2 << 7 | 1 << 1 | 1 << 6,
           group_delays={"BGD_E1E5a": 3e-9, "BGD_E1E5b": 4e-9}, extra={"data_sources": 517.0}),
    kepler("C30", "D1", toe=TOE + 14 * NS, toc=TOE + 14 * NS, group_delays={"TGD1": 2.3e-8, "TGD2": -1e-9}),
    kepler("C03", "D2", toe=TOE + 14 * NS, toc=TOE + 14 * NS, health=1, group_delays={"TGD1": 0.0, "TGD2": 0.0}),
    kepler("I05", "LNAV", iodc=None, health=2, group_delays={"TGD": -2e-9}),
]  # fmt: skip
NUMBERS = [1019, 1044, 1045, 1046, 1042, 1042, 1041]
# Half a step of the coarsest of the messages' scales (angles and rates in semicircles).
HALF_STEPS = {
    "sqrt_a": 2**-20, "eccentricity": 2**-34, "m0": GPS_PI * 2**-32, "omega0": GPS_PI * 2**-32, "i0": GPS_PI * 2**-32,
    "omega": GPS_PI * 2**-32, "delta_n": GPS_PI * 2**-42, "omega_dot": GPS_PI * 2**-42, "idot": GPS_PI * 2**-44,
    "cuc": 2**-29, "cus": 2**-29, "cic": 2**-29, "cis": 2**-29, "crc": 2**-5, "crs": 2**-5, "af0": 2**-32,
    "af1": 2**-44, "af2": 2**-56,
}  # fmt: skip


@pytest.mark.parametrize(("sent", "number"), list(zip(SETS, NUMBERS, strict=True)))
def test_a_set_goes_round_within_half_a_step(sent: KeplerEphemeris, number: int) -> None:
    assert message_number(sent) == number
    payload = encode_ephemeris(sent)
    assert decode_values(payload)["DF002"] == number
    got = decode_ephemeris(payload, TOE + 3600 * NS)
    assert isinstance(got, KeplerEphemeris)
    for name, step in HALF_STEPS.items():
        assert getattr(got, name) == pytest.approx(getattr(sent, name), abs=step * 1.001, rel=1e-15), name
    for name in ("satellite", "message", "toe", "toc", "iode", "iodc", "health", "extra"):
        assert getattr(got, name) == getattr(sent, name), name
    assert got.accuracy_m == sent.accuracy_m
    assert got.group_delays.keys() == sent.group_delays.keys()
    for name, delay in sent.group_delays.items():
        assert got.group_delays[name] == pytest.approx(delay, abs=2.4e-10)
    assert encode_ephemeris(got) == payload


def test_the_values_of_a_real_frame() -> None:
    """Two programs give these values for the fields of this frame."""
    e = decode_ephemeris(FRAME_1019[3:-3], THEN)
    assert isinstance(e, KeplerEphemeris)
    assert gps_week(e.toe) == (2305, 324_000.0) == gps_week(e.toc)
    assert (e.satellite, e.iode, e.iodc, e.health, e.accuracy_m) == (parse_satellite("G02"), 185, 185, 0, 2.4)
    assert e.sqrt_a == pytest.approx(5153.71386147, abs=1e-8)
    assert e.m0 == pytest.approx(0.688356438186 * math.pi, abs=1e-11)
    assert e.omega_dot == pytest.approx(-2.476781446603127e-09 * math.pi, rel=1e-11)
    assert e.group_delays == {"TGD": -1.7695128917694092e-08}
    assert e.fit_interval_s == 14_400.0 and healthy(e)
    assert encode_ephemeris(e) == FRAME_1019[3:-3]


def test_the_values_of_a_real_glonass_frame() -> None:
    e = decode_ephemeris(FRAME_1020[3:-3], THEN)
    assert isinstance(e, StateEphemeris)
    assert e.satellite == parse_satellite("R09") and e.channel == -2 and e.iode == 79 and e.health == 0
    assert e.toe == parse_time("2024-03-13T16:45:00Z")  # 19:45 in Moscow
    assert e.transmission == parse_time("2024-03-13T16:30:00Z")
    assert e.position == pytest.approx((19_637_818.8477, 33_108.8867188, -16_217_087.4023), abs=1e-4)
    assert e.velocity == pytest.approx((-2059.71336365, 844.903945923, -2497.6272583), abs=1e-7)
    assert e.clock_bias == pytest.approx(0.000175137072802, abs=1e-15)  # minus tau_n
    assert e.clock_rate == pytest.approx(1.8189894035458565e-12)
    assert e.delta_tau == pytest.approx(-3.725290298461914e-09)
    assert encode_ephemeris(e) == FRAME_1020[3:-3]


@pytest.mark.parametrize("off_days", [-3.4, 0.0, 3.4])
@pytest.mark.parametrize("seconds", [0, 16, 302_400, 604_784])
def test_weeks_come_from_a_clock_half_a_week_off(off_days: float, seconds: int) -> None:
    """Also where the upload still carries the week before toe."""
    for week in (1023, 1024, 2047, 2048, 2446, 3071, 3072):
        toe = gpst_from_week(week, seconds)
        payload = encode_ephemeris(replace(SETS[0], toe=toe, toc=toe))
        assert decode_ephemeris(payload, toe + round(off_days * DAY_NS)).toe == toe
        early = encode_values(decode_values(payload) | {"DF076": (week - 1) % 1024})
        if abs(off_days) < 3.0:
            assert decode_ephemeris(early, toe).toe == toe
    for number in (2, 4, 6):  # Galileo's 12 bits, BeiDou's 13, NavIC's 10
        toe = gpst_from_week(2446, seconds - seconds % 240) + (14 * NS if number == 4 else 0)
        payload = encode_ephemeris(replace(SETS[number], toe=toe, toc=toe))
        assert decode_ephemeris(payload, toe + round(off_days * DAY_NS)).toe == toe


def glonass(toe: int, **changed: object) -> StateEphemeris:
    e = decode_ephemeris(FRAME_1020[3:-3], THEN)
    assert isinstance(e, StateEphemeris)
    return replace(e, toe=toe, transmission=toe - 900 * NS, extra={}, **changed)


def test_glonass_days() -> None:
    """The date is the satellite's where it tells one, else that nearest to the clock."""
    for text in ("2024-03-13T20:45:00Z", "2024-03-13T21:00:00Z", "2016-12-31T23:45:00Z", "2017-01-01T00:15:00Z"):
        toe = parse_time(text)
        payload = encode_ephemeris(glonass(toe, health=0))
        values = decode_values(payload)
        assert values["DF110"] * 60 == (toe - parse_time(text[:10] + "T00:00:00Z") + 3 * 3600 * NS) % DAY_NS // NS
        for off in (-11 * 3600, 0, 11 * 3600):
            assert decode_ephemeris(payload, toe + off * NS).toe == toe
        dated = encode_values(values | {"DF131": 1, "DF130": 1})
        for off in (-3, 0, 3):
            assert decode_ephemeris(dated, toe + off * DAY_NS).toe == toe


def test_glonass_health_and_what_is_unknown() -> None:
    values = decode_values(FRAME_1020[3:-3])
    for changed, health in (({"DF108": 1}, 1), ({"DF123": 1}, 4), ({"DF104": 0}, 1), ({"DF104": 0, "DF105": 0}, 0),
                            ({"DF136": 1}, 4), ({"DF136": 1, "DF131": 0}, 0)):  # fmt: skip
        e = decode_ephemeris(encode_values(values | changed), THEN)
        assert e.health == health and healthy(e) == (health == 0)
        again = decode_ephemeris(encode_ephemeris(e), THEN)
        assert again == e
    e = decode_ephemeris(encode_values(values | {"DF040": 24, "DF128": 15}), THEN)
    assert isinstance(e, StateEphemeris)
    assert e.channel == UNKNOWN_CHANNEL and math.isnan(e.accuracy_m)


def test_accuracies_of_the_icds() -> None:
    """SISA 0-49 by 1 cm, 50-74 by 2, 75-99 by 4, 100-125 by 16; URA in fifteen steps."""
    assert [SISA_M[k] for k in (0, 49, 50, 74, 75, 99, 100, 125)] == [0.0, 0.49, 0.5, 0.98, 1.0, 1.96, 2.0, 6.0]
    for raw in (0, 60, 107, 125, 126, 254, 255):
        e = decode_ephemeris(encode_values(decode_values(encode_ephemeris(SETS[3])) | {"DF286": raw}), TOE)
        assert math.isnan(e.accuracy_m) == (raw > 125)
        assert decode_values(encode_ephemeris(e))["DF286"] == (raw if raw <= 125 else 255)
    for raw in range(16):
        e = decode_ephemeris(encode_values(decode_values(FRAME_1019[3:-3]) | {"DF077": raw}), THEN)
        assert e.accuracy_m == URA_M[raw] and healthy(e) == (raw < 14)


def test_fit_intervals_of_longer_sets() -> None:
    """IS-GPS-200 table 20-XII: with the flag set the IODC tells the interval."""
    values = decode_values(FRAME_1019[3:-3])
    for iodc, hours in ((10, 6), (240, 8), (248, 14), (496, 14), (497, 26), (511, 74), (757, 98)):
        payload = encode_values(values | {"DF137": 1, "DF085": iodc})
        e = decode_ephemeris(payload, THEN)
        assert isinstance(e, KeplerEphemeris) and e.fit_interval_s == hours * 3600.0
        assert encode_ephemeris(e) == payload


def test_angles_beyond_half_a_turn_are_wrapped() -> None:
    e = replace(SETS[0], m0=5.0, omega0=-4.0, omega=GPS_PI)
    got = decode_ephemeris(encode_ephemeris(e), TOE)
    assert isinstance(got, KeplerEphemeris)
    for name in ("m0", "omega0", "omega"):
        assert math.remainder(getattr(got, name) - getattr(e, name), 2.0 * math.pi) == pytest.approx(0.0, abs=1e-9)


def test_refusals() -> None:
    values = decode_values(FRAME_1019[3:-3])
    for changed in ({"DF009": 0}, {"DF009": 40}, {"DF093": 604_800}, {"DF081": 604_800}):
        with pytest.raises(DamagedMessageError):
            decode_ephemeris(encode_values(values | changed), THEN)
    with pytest.raises(UnknownMessageError):
        decode_ephemeris(FRAME_1005[3:-3], THEN)
    with pytest.raises(DamagedMessageError):
        decode_ephemeris(FRAME_1019[3:-10], THEN)
    for bad in (kepler("G05", "CNAV"), kepler("C30", "CNV1"), replace(SETS[0], eccentricity=0.9),
                replace(SETS[0], crs=1e4), replace(SETS[0], af0=math.nan),
                replace(SETS[0], toe=TOE + NS), replace(SETS[4], toc=TOE + 15 * NS), glonass(TOE),
                replace(glonass(TOE + 18 * NS), message=NavigationMessage.SBAS)):  # fmt: skip
        with pytest.raises(UnencodableError):
            encode_ephemeris(bad)
    assert message_number(kepler("C30", "CNV1")) is None


def test_weeks_far_from_the_clock_are_not_bent() -> None:
    """A set of five weeks ago stays there."""
    old = decode_ephemeris(FRAME_1019[3:-3], THEN + 5 * WEEK_NS)
    assert gps_week(old.toe)[0] == 2305
    assert np.isfinite(old.toe)
