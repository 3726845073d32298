"""What a bus is to those who use it; the same for the one in this process and for a broker.

Publishing never waits and never fails for a slow subscriber. Each subscription is bounded and loses the oldest first,
counted: corrections age, and an engine that is behind wants the newest.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Message(NamedTuple):
    """Opaque bytes with what a receiver needs to read them."""

    topic: str
    payload: bytes
    content_type: str = ""
    """MQTT 5 property: "application/msgpack", "application/vnd.rtcm"."""
    schema: int = 0
    """Version of the payload's layout (MQTT 5 user property `schema`)."""
    retained: bool = False
    """It was there before the subscription was."""


class Subscription(Protocol):
    """Messages of one filter in the order they were published; an asynchronous iterator for one consumer."""

    @property
    def dropped(self) -> int:
        """Messages lost because the consumer was slow."""

    def __aiter__(self) -> Subscription:
        """Itself."""

    async def __anext__(self) -> Message:
        """The next message; waits for it. Ends when the subscription or the bus is closed."""

    def close(self) -> None:
        """No more messages; what waits is dropped."""


class Bus(Protocol):
    """Publishes and subscribes."""

    def publish(
        self, topic: str, payload: bytes, *, content_type: str = "", schema: int = 0, retain: bool = False
    ) -> None:
        """Send to whoever subscribes. A retained message is kept for later subscribers; an empty one clears it.

        Raises ValueError for what is no topic.
        """

    def subscribe(self, pattern: str, limit: int) -> Subscription:
        """Every message of a filter, at most `limit` waiting: when full the oldest goes. Raises ValueError."""

    def subscribe_newest(self, pattern: str, limit: int) -> Subscription:
        """The newest message of each topic only, at most `limit` topics waiting: for states. Raises ValueError."""
