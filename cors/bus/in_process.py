"""A bus within one event loop: `publish` puts the message into each matching subscription and returns.

Not for threads: publish and consume in the loop. Bytes are handed on as they are, not copied.
"""

from __future__ import annotations

import asyncio
from collections import deque

from cors.bus.interface import Message
from cors.bus.topics import check_filter, check_topic, matches

MOST_RETAINED = 10_000
"""Topics with a retained message; one more pushes out the one retained longest ago."""
MOST_KNOWN_TOPICS = 10_000
"""Topics whose subscribers are remembered; forgotten all together when full, which costs a look-up."""


class _Subscription:
    """Queue of every message; when full the oldest is dropped and counted."""

    def __init__(self, bus: InProcessBus, pattern: str, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit {limit} (expected 1 or more)")
        self.pattern = check_filter(pattern)
        self._bus = bus
        self._limit = limit
        self._waiting: deque[Message] = deque()
        self._wake: asyncio.Event = asyncio.Event()
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        return self._dropped

    def offer(self, message: Message) -> None:
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(message)
        self._wake.set()

    def close(self) -> None:
        self._closed = True
        self._waiting.clear()
        self._wake.set()
        self._bus.drop(self)

    def __aiter__(self) -> _Subscription:
        return self

    async def __anext__(self) -> Message:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()


class _NewestSubscription(_Subscription):
    """One message a topic: a newer one takes the place of the one that waits, at the end of the queue."""

    def offer(self, message: Message) -> None:
        for waiting in self._waiting:
            if waiting.topic == message.topic:
                self._waiting.remove(waiting)
                self._dropped += 1
                break
        super().offer(message)


class InProcessBus:
    """The bus of a service that is one process."""

    def __init__(self) -> None:
        """No subscribers, nothing retained."""
        self._subscriptions: list[_Subscription] = []
        self._known: dict[str, tuple[_Subscription, ...]] = {}
        self._retained: dict[str, Message] = {}

    def publish(
        self, topic: str, payload: bytes, *, content_type: str = "", schema: int = 0, retain: bool = False
    ) -> None:
        """See `Bus.publish`."""
        subscribers = self._known.get(topic)
        if subscribers is None:
            subscribers = self._remember(check_topic(topic))
        message = Message(topic, payload, content_type, schema)
        if retain:
            self._retain(message)
        for subscription in subscribers:
            subscription.offer(message)

    def subscribe(self, pattern: str, limit: int) -> _Subscription:
        """See `Bus.subscribe`."""
        return self._add(_Subscription(self, pattern, limit))

    def subscribe_newest(self, pattern: str, limit: int) -> _Subscription:
        """See `Bus.subscribe_newest`."""
        return self._add(_NewestSubscription(self, pattern, limit))

    def close(self) -> None:
        """End every subscription."""
        for subscription in list(self._subscriptions):
            subscription.close()

    def drop(self, subscription: _Subscription) -> None:
        """Send nothing more to a subscription (its own `close` calls this)."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._known.clear()

    def _add(self, subscription: _Subscription) -> _Subscription:
        self._subscriptions.append(subscription)
        self._known.clear()
        for topic, message in self._retained.items():
            if matches(subscription.pattern, topic):
                subscription.offer(message._replace(retained=True))
        return subscription

    def _remember(self, topic: str) -> tuple[_Subscription, ...]:
        if len(self._known) >= MOST_KNOWN_TOPICS:
            self._known.clear()
        subscribers = tuple(s for s in self._subscriptions if matches(s.pattern, topic))
        self._known[topic] = subscribers
        return subscribers

    def _retain(self, message: Message) -> None:
        self._retained.pop(message.topic, None)
        if message.payload:
            self._retained[message.topic] = message
        while len(self._retained) > MOST_RETAINED:
            del self._retained[next(iter(self._retained))]
