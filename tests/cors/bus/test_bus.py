"""The in-process bus against MQTT 5's rules for topics (OASIS MQTT 5.0, 4.7) and the promises of its interface."""

from __future__ import annotations

import asyncio

import pytest

from cors.bus.in_process import MOST_RETAINED, InProcessBus
from cors.bus.interface import Bus, Message, Subscription
from cors.bus.topics import check_filter, check_topic, matches


@pytest.mark.parametrize(
    ("pattern", "topic", "taken"),
    [  # the examples of MQTT 5.0, 4.7.1.2, 4.7.1.3 and 4.7.2
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("#", "sport/tennis", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/monitor/Clients", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/monitor/Clients", True),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", True),
    ],
)
def test_filters_take_in_what_mqtt_says(pattern: str, topic: str, taken: bool) -> None:
    assert matches(check_filter(pattern), check_topic(topic)) is taken


@pytest.mark.parametrize("topic", ["", "a/+", "a/#", "a\0b", "x" * 65_536])
def test_what_is_no_topic(topic: str) -> None:
    with pytest.raises(ValueError, match="not a topic"):
        InProcessBus().publish(topic, b"")


@pytest.mark.parametrize("pattern", ["", "a/b#", "#/a", "a+/b", "a/#/b", "a\0"])
def test_what_is_no_filter(pattern: str) -> None:
    with pytest.raises(ValueError, match="not a topic filter"):
        InProcessBus().subscribe(pattern, 1)


async def take(subscription: Subscription, count: int) -> list[Message]:
    return [await anext(subscription) for _ in range(count)]


async def test_messages_come_in_order_to_all_who_match() -> None:
    bus: Bus = InProcessBus()
    everything, frames = bus.subscribe("cors/#", 10), bus.subscribe("cors/hn/frames/+", 10)
    bus.publish("cors/hn/frames/A", b"1", content_type="application/vnd.rtcm", schema=3)
    bus.publish("cors/hn/state/c1", b"2")
    bus.publish("cors/hn/frames/B", b"3")
    assert [m.payload for m in await take(everything, 3)] == [b"1", b"2", b"3"]
    first, second = await take(frames, 2)
    assert first == Message("cors/hn/frames/A", b"1", "application/vnd.rtcm", 3) and second.payload == b"3"


async def test_a_slow_subscriber_loses_the_oldest_and_nobody_else_does() -> None:
    bus = InProcessBus()
    slow, quick = bus.subscribe("a", 3), bus.subscribe("a", 100)
    for n in range(10):
        bus.publish("a", bytes([n]))
    assert [m.payload[0] for m in await take(slow, 3)] == [7, 8, 9] and slow.dropped == 7
    assert len(await take(quick, 10)) == 10 and quick.dropped == 0


async def test_states_are_taken_newest_only() -> None:
    bus = InProcessBus()
    states = bus.subscribe_newest("state/+", 2)
    for n in range(5):
        for cell in "ab":
            bus.publish(f"state/{cell}", bytes([n]))
    bus.publish("state/c", b"!")
    assert [(m.topic, m.payload) for m in await take(states, 2)] == [("state/b", b"\x04"), ("state/c", b"!")]


async def test_retained_messages_wait_for_who_comes_later() -> None:
    bus = InProcessBus()
    bus.publish("state/a", b"old", retain=True)
    bus.publish("state/a", b"new", retain=True)
    bus.publish("state/b", b"gone", retain=True)
    bus.publish("state/b", b"", retain=True)
    late = bus.subscribe("state/#", 10)
    bus.publish("state/a", b"live", retain=True)
    assert [(m.payload, m.retained) for m in await take(late, 2)] == [(b"new", True), (b"live", False)]
    for n in range(MOST_RETAINED + 5):
        bus.publish(f"t/{n}", b"x", retain=True)
    assert len(bus._retained) == MOST_RETAINED


async def test_a_closed_subscription_ends_also_for_who_waits() -> None:
    bus = InProcessBus()
    subscription = bus.subscribe("a", 1)
    waiting = asyncio.ensure_future(anext(subscription, None))
    await asyncio.sleep(0)
    bus.close()
    assert await waiting is None
    bus.publish("a", b"nobody")
    assert [m async for m in subscription] == []


async def test_a_consumer_is_woken_by_what_it_waits_for() -> None:
    bus = InProcessBus()
    subscription = bus.subscribe("a", 1)
    waiting = asyncio.ensure_future(anext(subscription))
    await asyncio.sleep(0)
    bus.publish("a", b"now")
    assert (await waiting).payload == b"now"


def test_limits_are_positive() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        InProcessBus().subscribe("a", 0)
