"""Topics and filters as MQTT 5 defines them (OASIS MQTT 5.0, 4.7): levels by `/`, `+` one level, `#` the rest."""

from __future__ import annotations

MAX_BYTES = 65_535
"""Of a topic in UTF-8 (MQTT 5.0, 1.5.4)."""


def check_topic(topic: str) -> str:
    """The topic, if one may publish to it. Raises ValueError."""
    if not topic or "+" in topic or "#" in topic or "\0" in topic or len(topic.encode()) > MAX_BYTES:
        raise ValueError(f"not a topic: {topic[:80]!r} (expected for example cors/hn/frames/CHSH00CHN)")
    return topic


def check_filter(pattern: str) -> str:
    """The filter, if one may subscribe to it. Raises ValueError."""
    levels = pattern.split("/")
    wild = any(("+" in level or "#" in level) and len(level) > 1 for level in levels)
    if not pattern or "\0" in pattern or wild or "#" in levels[:-1] or len(pattern.encode()) > MAX_BYTES:
        raise ValueError(f"not a topic filter: {pattern[:80]!r} (expected for example cors/+/frames/#)")
    return pattern


def matches(pattern: str, topic: str) -> bool:
    """True where a checked filter takes in a checked topic; wildcards in front do not reach `$` topics (4.7.2)."""
    if topic.startswith("$") and pattern[0] in "+#":
        return False
    wanted, levels = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        if len(levels) < len(wanted):
            return False
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(w in ("+", level) for w, level in zip(wanted, levels, strict=True))
