"""Version 2's queries on the sourcetable: `GET /?STR;;;RTCM 3.3` is a pattern, field by field (ntrip 2.7).

An empty field matches all. In a field: `*` any text, `|` or, `+` and, `!` not, `= < > <= >=` numbers, `~` the nearest
number among the records that match the rest. Texts compare without regard to letter case and blanks; of a field that
is itself a list (`GPS+GLO`) each `+` term may match one item. The operators are from the standard by memory
(unverified); what is no pattern gives no filter, and the whole table is sent.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Sequence
from urllib.parse import unquote

from cors.ntrip.sourcetable import Record

MAX_QUERY = 1000

_COMPARISON = re.compile(r"(<=|>=|<|>|=)([+-]?\d+(?:\.\d*)?)\Z", re.ASCII)
_PREFIXES = ("match", "strict", "auth", "filter")


def parse_filter(query: str | None) -> tuple[str, ...] | None:
    """The pattern's fields, type first; None where the query is none."""
    if not query or len(query) > MAX_QUERY:
        return None
    parts = unquote(query).split(";")
    while parts and parts[0].strip().lower() in _PREFIXES:
        parts.pop(0)
    if not parts or parts[0].strip().upper() not in ("STR", "CAS", "NET", "") or not any(map(str.strip, parts)):
        return None
    return tuple(part.strip() for part in parts)


def matching(records: Sequence[Record], pattern: Sequence[str]) -> list[Record]:
    """The records that a pattern selects, in order."""
    exact = [("" if part.startswith("~") else part) for part in pattern]
    near = {i: float(part[1:]) for i, part in enumerate(pattern) if part.startswith("~") and _is_number(part[1:])}
    found = [record for record in records if _matches(record.fields(), exact)]
    if not near or not found:
        return found
    distances = [_distance(record.fields(), near) for record in found]
    least = min(distances)
    return [r for r, d in zip(found, distances, strict=True) if d == least and math.isfinite(d)]


def _matches(values: list[str], pattern: Sequence[str]) -> bool:
    return len(pattern) <= len(values) and all(
        not part or _field_matches(value, part) for value, part in zip(values, pattern, strict=False)
    )


def _field_matches(value: str, expression: str) -> bool:
    """`|` binds loosest, then `+`, then `!`; a literal that equals the whole field always matches."""
    if _plain(value) == _plain(expression):
        return True
    return any(all(_term(value, term) for term in option.split("+")) for option in expression.split("|"))


def _term(value: str, term: str) -> bool:
    if term.startswith("!"):
        return not _term(value, term[1:])
    if match := _COMPARISON.match(term.strip()):
        return _compares(value, match.group(1), float(match.group(2)))
    wanted = re.sub(r"([\[\]?])", "[\\1]", _plain(term))
    return any(fnmatch.fnmatchcase(_plain(item), wanted) for item in (value, *value.split("+")))


def _compares(value: str, operator: str, number: float) -> bool:
    if not _is_number(value):
        return False
    difference = float(value) - number
    if operator == "=":
        return difference == 0.0
    return (difference == 0.0 and "=" in operator) or (difference < 0.0 if "<" in operator else difference > 0.0)


def _distance(values: list[str], near: dict[int, float]) -> float:
    squares = [
        (float(values[i]) - wanted) ** 2 if i < len(values) and _is_number(values[i]) else math.inf
        for i, wanted in near.items()
    ]
    return sum(squares)


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d{1,15}(?:\.\d{0,15})?", text.strip(), re.ASCII) is not None
