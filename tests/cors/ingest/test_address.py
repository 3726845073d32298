"""Sources as URLs, and passwords that show nowhere."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cors.ingest.address import AddressError, FileAddress, NtripAddress, Secret, TcpAddress, parse_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ntrip://u@caster.example:2101/CHSH00CHN", NtripAddress("caster.example", 2101, "CHSH00CHN", "u")),
        ("ntrip://caster.example/M1", NtripAddress("caster.example", 2101, "M1")),
        ("ntrips://u:p%40w@10.0.0.1:443/M1?version=2",
         NtripAddress("10.0.0.1", 443, "M1", "u", Secret("p@w"), True, 2)),
        ("ntrip://u:a/b@c:d@[::1]:2101/M%201x".replace("%20", "_"),
         NtripAddress("::1", 2101, "M_1x", "u", Secret("a/b@c:d"))),
        ("ntrip://u@h:2101/M?version=1", NtripAddress("h", 2101, "M", "u", version=1)),
        ("tcp://127.0.0.1:5001", TcpAddress("127.0.0.1", 5001)),
        ("file:///data/a%20b.rtcm3?speed=10", FileAddress(Path("/data/a b.rtcm3"), 10.0)),
        ("file://rel/x.rtcm3?speed=max", FileAddress(Path("rel/x.rtcm3"), math.inf)),
        ("file:///x", FileAddress(Path("/x"))),
    ],
)  # fmt: skip
def test_urls(url: str, address: object) -> None:
    assert parse_address(url) == address


def test_a_password_from_elsewhere_goes_first() -> None:
    address = parse_address("ntrip://u:old@h/M", "new")
    assert isinstance(address, NtripAddress) and address.password.reveal() == "new"


@pytest.mark.parametrize(
    "url",
    ["", "http://h/M", "ntrip://", "ntrip://h", "ntrip://h:0/M", "ntrip://h:99999/M", "ntrip://h:x/M", "tcp://h",
     "tcp://:1", "file://", "file:///x?speed=0", "file:///x?speed=-1", "file:///x?speed=nan", "file:///x?spede=1",
     "ntrip://u:hunter2@h/M?version=3", "ntrip://u:hunter2@h:2101/M%0d%0aX", "ntrip://u:hunter2@h:2101/",
     "ntrip://u%0d%0a:hunter2@h/M", "ntrip://u:hunter2@:2101/M", "ntrip://u:hunter2@[::1/M"],
)  # fmt: skip
def test_what_cannot_be_used_says_why_without_the_password(url: str) -> None:
    with pytest.raises(AddressError) as error:
        parse_address(url)
    assert "hunter2" not in str(error.value) and "hunter2" not in repr(error.value)
    assert error.value.__cause__ is None


def test_passwords_show_nowhere() -> None:
    address = parse_address("ntrip://user:hunter2@h/M")
    assert "hunter2" not in f"{address} {address!r} {[address]} {vars(Secret) and address.password}"
    assert str(address) == "ntrip://user@h:2101/M"
