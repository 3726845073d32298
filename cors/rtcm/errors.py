"""What a single message can be refused for. A stream never raises: its decoder counts the message and goes on.

RtcmError
├── UnknownMessageError    no layout is known for the number
├── DamagedMessageError    the payload ends inside a field, or holds a value its field forbids
└── UnencodableError       a value has no place in the message asked for
"""

from __future__ import annotations


class RtcmError(ValueError):
    """Base of the room's errors."""


class UnknownMessageError(RtcmError):
    """There is no layout for this message number (or there is none at all)."""


class DamagedMessageError(RtcmError):
    """The payload contradicts its layout; the message says where."""


class UnencodableError(RtcmError):
    """A value does not fit its field, or a needed one is missing; the message names the field."""
