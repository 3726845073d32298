"""Mountpoints, settings, positions, what is seen in streams, the guard, logins: pure parts, against their rules."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer
from pyrtcm import RTCMReader

from api.accounts.account import Account
from api.caster.guard import Guard
from api.caster.logins import Logins
from api.caster.mountpoints import Form, Mountpoint, Product, parse_mountpoint
from api.caster.positions import PositionTrack, distance_m, rover_position
from api.caster.reasons import STATUS, Denial
from api.caster.seen import StreamWatch
from api.caster.settings import CasterSettings, LimitSettings, ListenerSettings, PositionSettings, SecondLogin
from api.caster.sockets import network_of, plain_address
from cors.gnss.satellites import Constellation
from cors.ntrip.gga import build_gga, parse_gga
from tests.api.caster.world import STATION_FRAME, frame

G, B = Constellation.GPS, Constellation.BEIDOU
POLICY = PositionSettings()


# mountpoints (interfaces.md)


@pytest.mark.parametrize(
    ("name", "product", "form", "systems"),
    [
        ("VRS", Product.VRS, Form.MSM5, ()),
        ("VRS_MSM4_GPS_BDS", Product.VRS, Form.MSM4, (G, B)),
        ("VRS_GPS_BDS", Product.VRS, Form.MSM5, (G, B)),
        ("VRS_LEGACY", Product.VRS, Form.LEGACY, ()),
        ("NEAR", Product.NEAR, Form.RECEIVED, ()),
        ("AUTO_MSM7", Product.AUTO, Form.MSM7, ()),
        ("CHNG00CHN", Product.STATION, Form.RECEIVED, ()),
        ("CHNG00CHN_MSM4", Product.STATION, Form.MSM4, ()),
        ("RTCM33_GRCEJ", Product.STATION, Form.RECEIVED, ()),
        ("vrs", Product.STATION, Form.RECEIVED, ()),
        ("GPS", Product.STATION, Form.RECEIVED, ()),
        ("VRS_BDS_GPS", Product.STATION, Form.RECEIVED, (G,)),  # not in order: VRS_BDS is no product
    ],
)
def test_names_mean_what_the_interface_says(name: str, product: Product, form: Form, systems: tuple[Any, ...]) -> None:
    mountpoint = parse_mountpoint(name)
    assert (mountpoint.product, mountpoint.form, mountpoint.systems) == (product, form, systems)
    assert mountpoint.name == name


@pytest.mark.parametrize("name", ["", "a b", "x" * 33, "../M1", "长沙", "a;b", "a/b"])
def test_names_no_client_could_ask_for(name: str) -> None:
    with pytest.raises(ValueError, match="mountpoint"):
        parse_mountpoint(name)


def test_what_needs_a_position() -> None:
    needing = {product for product in Product if product.needs_position}
    assert needing == {Product.VRS, Product.MAC, Product.FKP, Product.NEAR, Product.DGNSS, Product.AUTO}
    assert Mountpoint("RTCM33_GRCEJ", Product.VRS).needs_position


# settings


def test_listeners_follow_the_settings(tmp_path: Any) -> None:
    assert [listener.port for listener in CasterSettings().listeners] == [2101]
    secure = CasterSettings(certificate=tmp_path / "c", certificate_key=tmp_path / "k")
    assert [(listener.port, listener.tls) for listener in secure.listeners] == [(2101, False), (2102, True)]
    framed = CasterSettings(frame="CGCS2000", more_listeners=(ListenerSettings(port=8003, frame="ITRF2020"),))
    assert [(listener.port, listener.frame) for listener in framed.listeners] == [
        (2101, "CGCS2000"),
        (8003, "ITRF2020"),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"more_listeners": ({"port": 2101},)},
        {"more_listeners": ({"port": 2101, "host": "127.0.0.1"},)},
        {"certificate": "c"},
        {"prot": 2101},
        {"port": 70_000},
        {"limits": {"clients": 0}},
        {"limits": {"never_banned": ("10.0.0.0/33",)}},
    ],
)
def test_settings_that_cannot_be_meant(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        CasterSettings.model_validate(wrong)


def test_every_denial_has_its_status() -> None:
    assert set(STATUS) == set(Denial)


# positions


def at(latitude: float, longitude: float = 112.9) -> Any:
    return parse_gga(build_gga(latitude, longitude, 60.0, 0.0))


def test_a_flood_is_coalesced_to_its_newest() -> None:
    track = PositionTrack()
    first = track.offer(at(28.2), 0.0, POLICY)
    assert first is not None
    assert [track.offer(at(28.2 + i * 1e-6), i / 10.0, POLICY) for i in range(1, 10)] == [None] * 9
    assert track.due(0.95, POLICY) is None
    due = track.due(1.0, POLICY)
    assert due is not None
    assert due.latitude == pytest.approx(28.2 + 9e-6, abs=1e-9)
    assert track.due(5.0, POLICY) is None


def test_a_jump_needs_a_second_sentence_that_agrees() -> None:
    track = PositionTrack()
    track.offer(at(28.2), 0.0, POLICY)
    assert track.offer(at(29.2), 10.0, POLICY) is None  # 111 km in 10 s
    assert track.last is not None and track.last.latitude == pytest.approx(28.2)
    assert track.offer(at(28.2001), 20.0, POLICY) is not None
    assert track.offer(at(29.2), 30.0, POLICY) is None
    assert track.offer(at(29.2001), 31.0, POLICY) is not None
    assert track.implausible == 2


def test_an_aircraft_is_believed_and_null_island_is_not() -> None:
    track = PositionTrack()
    for second in range(0, 60, 5):
        assert track.offer(at(28.2 + second * 250.0 / 111_195.0), float(second), POLICY) is not None
    assert track.offer(at(0.0, 0.0), 60.0, POLICY) is None
    assert track.nowhere_since == 60.0


def test_distance_against_a_meridian_degree_and_the_antimeridian() -> None:
    a, b = (rover_position(at(lat), 0.0) for lat in (28.0, 29.0))
    assert distance_m(a, b) == pytest.approx(110_827.6, rel=5e-3)  # geod +ellps=WGS84: meridian arc 28..29 N
    west, east = (rover_position(at(0.0, lon), 0.0) for lon in (-179.995, 179.995))
    assert distance_m(west, east) == pytest.approx(1113.2, rel=5e-3)


def test_height_is_ellipsoidal_where_the_separation_is_told() -> None:
    told = rover_position(parse_gga("$GPGGA,1,2812.0,N,11254.0,E,1,10,1.0,60.0,M,-17.0,M,,"), 0.0)
    blank = rover_position(parse_gga("$GPGGA,1,2812.0,N,11254.0,E,1,10,1.0,60.0,M,,M,,"), 0.0)
    assert (told.height, blank.height) == (43.0, 60.0)


# what is seen


def test_types_rates_systems_and_place_come_from_the_stream() -> None:
    watch = StreamWatch()
    for second in range(61):
        epoch = frame(1077, 200) + frame(1127, 150) + frame(1087, 150)
        if second % 10 == 0:
            epoch += STATION_FRAME
        if second % 30 == 0:
            epoch += frame(1230, 12)
        watch.saw(epoch, float(second))
    assert watch.details(60.0) == "1005(10),1077(1),1087(1),1127(1),1230(30)"
    assert watch.systems() == "GPS+GLO+BDS"
    assert watch.bitrate == pytest.approx(8 * (206 + 156 + 156) + 8 * (31 + 18) / 10, rel=0.05)
    decoded = RTCMReader.parse(STATION_FRAME)
    xyz = (decoded.DF025, decoded.DF026, decoded.DF027)
    latitude, longitude, _ = Transformer.from_crs("EPSG:4978", "EPSG:4979").transform(*xyz)
    assert watch.place == pytest.approx((latitude, longitude), abs=1e-7)  # pyrtcm and PROJ


def test_fast_streams_and_several_frames_of_a_type_in_an_epoch() -> None:
    watch = StreamWatch()
    for tenth in range(100):
        watch.saw(frame(1077) + frame(1077), tenth / 10.0)
    assert watch.details(10.0) == "1077(0.1)"


def test_what_stops_is_forgotten() -> None:
    watch = StreamWatch()
    watch.saw(frame(1077), 0.0)
    watch.saw(frame(1077), 1.0)
    assert watch.details(302.0) == ""


@given(st.binary(max_size=300))
def test_no_bytes_upset_the_look(data: bytes) -> None:
    watch = StreamWatch()
    watch.saw(data, 0.0)
    watch.saw(b"\xd3" + data, 1.0)
    watch.details(2.0)
    assert watch.place is None or not math.isnan(watch.place[0])


# the guard


LIMITS = LimitSettings.model_validate({"never_banned": ("10.0.0.0/8",)})


def test_five_failures_a_minute_and_no_more() -> None:
    guard = Guard(LIMITS)
    for _ in range(5):
        assert guard.may_try("192.0.2.1", "rover", 0.0)
        guard.failed("192.0.2.1", "rover", 0.0)
    assert not guard.may_try("192.0.2.1", "rover", 0.0)
    assert guard.may_try("192.0.2.1", "another", 0.0)
    assert guard.may_try("192.0.2.2", "rover", 0.0)
    assert not guard.may_try("192.0.2.1", "rover", 11.0)
    assert guard.may_try("192.0.2.1", "rover", 12.1)


def test_bans_grow_and_end_and_spare_the_operators_own() -> None:
    guard = Guard(LIMITS)
    now = 0.0
    for minutes in (1, 5, 30, 120, 120):
        for _ in range(100):
            guard.failed("192.0.2.1", "x", now)
        assert guard.banned_for("192.0.2.1", now) == 60.0 * minutes
        now += 60.0 * minutes
        assert guard.banned_for("192.0.2.1", now) == 0.0
    for _ in range(1000):
        guard.failed("10.1.2.3", "x", now)
    assert guard.banned_for("10.1.2.3", now) == 0.0


def test_a_crowd_with_one_wrong_password_among_it_is_not_banned() -> None:
    guard = Guard(LIMITS)
    for _ in range(1000):
        guard.failed("192.0.2.1", "x", 0.0)
        guard.succeeded("192.0.2.1", 0.0)
    assert guard.bans == 0


def test_memory_of_attackers_is_bounded() -> None:
    guard = Guard(LIMITS)
    for i in range(30_000):
        guard.failed(f"2001:db8:{i:x}::1", f"u{i}", float(i))
    assert len(guard._scores) == len(guard._pairs._buckets) == len(guard._places._buckets) == 20_000


def test_places() -> None:
    assert plain_address("::ffff:192.0.2.1") == "192.0.2.1"
    assert plain_address("fe80::1%eth0") == "fe80::1"
    assert network_of("2001:db8::1") == network_of("2001:db8::2") == "2001:db8::/64"
    assert network_of("192.0.2.1") == "192.0.2.1"


# logins (ntrip 5.5)


class Login:
    def __init__(self, account: Account, address: str) -> None:
        self.account = account
        self.account_name = account.name
        self.client = SimpleNamespace(address=address)


class Sessions:
    """Logs an account in and out as the hub does."""

    def __init__(self, policy: SecondLogin, concurrency: int) -> None:
        self.account = Account("a", concurrency=concurrency)
        self.dead: list[Any] = []
        self.logins = Logins(policy, lambda s: s in self.dead)

    def log_in(self, address: str, now: float = 0.0) -> Denial | list[Any]:
        leaving = self.logins.admit(self.account, address, now)
        if not isinstance(leaving, Denial):
            for old in leaving:
                self.logins.remove(old)
            self.logins.add(Login(self.account, address))  # type: ignore[arg-type]
        return leaving


def test_the_newest_login_replaces_the_oldest() -> None:
    sessions = Sessions(SecondLogin.REPLACE, 2)
    assert sessions.log_in("192.0.2.1") == sessions.log_in("192.0.2.2") == []
    (replaced,) = sessions.log_in("192.0.2.3")  # type: ignore[misc]
    assert replaced.client.address == "192.0.2.1"


def test_a_dead_session_goes_before_a_live_one() -> None:
    for policy in SecondLogin:
        sessions = Sessions(policy, 2)
        sessions.log_in("192.0.2.1")
        sessions.log_in("192.0.2.2")
        sessions.dead = sessions.logins.of("a")[1:]
        (replaced,) = sessions.log_in("192.0.2.3")  # type: ignore[misc]
        assert replaced.client.address == "192.0.2.2"


def test_refusing_keeps_the_old_one() -> None:
    sessions = Sessions(SecondLogin.REFUSE, 1)
    sessions.log_in("192.0.2.1")
    assert sessions.log_in("192.0.2.2") is Denial.ACCOUNT_IN_USE


def test_two_devices_that_push_each_other_off_are_stopped_for_five_minutes() -> None:
    sessions = Sessions(SecondLogin.REPLACE, 1)
    results = [sessions.log_in(f"192.0.2.{1 + i % 2}", i * 5.0) for i in range(6)]
    assert results[5] is Denial.ACCOUNT_SHARED
    assert Denial.ACCOUNT_SHARED not in results[:5]
    assert sessions.log_in("192.0.2.1", 324.0) is Denial.ACCOUNT_SHARED
    assert sessions.log_in("192.0.2.1", 326.0) != Denial.ACCOUNT_SHARED


def test_one_device_that_reconnects_and_reconnects_is_not_two() -> None:
    sessions = Sessions(SecondLogin.REPLACE, 1)
    assert Denial.ACCOUNT_SHARED not in [sessions.log_in("192.0.2.1", i * 1.0) for i in range(60)]


def test_no_limit_is_no_limit() -> None:
    sessions = Sessions(SecondLogin.REFUSE, 0)
    assert [sessions.log_in("192.0.2.1") for _ in range(50)] == [[]] * 50
