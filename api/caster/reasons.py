"""Why sessions and uploads end, why requests are refused, what a rover is waited for. One word each, everywhere.

The words go into logs, the API and, for version 2, into the body of a refusal. End reasons are those of ntrip 5.7.
"""

from __future__ import annotations

from enum import StrEnum


class EndReason(StrEnum):
    """Why a rover's session ended."""

    CLIENT_CLOSED = "client_closed"
    REPLACED = "replaced"
    """The same account logged in again."""
    NO_POSITION = "no_position"
    """No GGA, or never one with a position in it."""
    POSITION_STALE = "position_stale"
    OUT_OF_AREA = "out_of_area"
    SLOW_READER = "slow_reader"
    HALF_OPEN = "half_open"
    """The peer vanished: nothing acknowledged any more."""
    SOURCE_LOST = "source_lost"
    QUOTA = "quota"
    EXPIRED = "expired"
    """The account expired, or was disabled, while it was connected."""
    ADMIN = "admin"
    SHUTDOWN = "shutdown"
    BANNED = "banned"


class UploadEnd(StrEnum):
    """Why a source's upload ended."""

    SOURCE_CLOSED = "source_closed"
    """It ended its body, or its connection."""
    TAKEN_OVER = "taken_over"
    """It was silent and another source of the mountpoint came."""
    NO_VALID_DATA = "no_valid_data"
    BAD_CHUNKS = "bad_chunks"
    HALF_OPEN = "half_open"
    FAULT = "fault"
    """Whoever takes its data failed."""
    EXPIRED = "expired"
    ADMIN = "admin"
    SHUTDOWN = "shutdown"


class Denial(StrEnum):
    """Why a request was refused."""

    BAD_CREDENTIALS = "bad_credentials"
    NO_CREDENTIALS = "no_credentials"
    DISABLED = "disabled"
    EXPIRED = "expired"
    LEVEL = "level"
    """The account's level of service does not include the mountpoint's."""
    MOUNTPOINT = "mountpoint"
    """Not among the account's mountpoints."""
    UNKNOWN_MOUNTPOINT = "unknown_mountpoint"
    NO_SOURCE = "no_source"
    """Configured, but nothing comes in."""
    ACCOUNT_IN_USE = "account_in_use"
    ACCOUNT_SHARED = "account_shared"
    """Two devices kept pushing each other off."""
    MOUNTPOINT_TAKEN = "mountpoint_taken"
    BANNED = "banned"
    TOO_MANY_FAILURES = "too_many_failures"
    FULL = "full"
    BUSY = "busy"
    NOT_OFFERED = "not_offered"
    """RTSP, UDP."""


class Waiting(StrEnum):
    """What a connected rover without data is waited for."""

    GGA = "gga"
    """It has not sent its position at all."""
    FIX = "fix"
    """It sends GGA sentences without a position."""


STATUS = {
    Denial.BAD_CREDENTIALS: 401, Denial.NO_CREDENTIALS: 401, Denial.DISABLED: 403, Denial.EXPIRED: 403,
    Denial.LEVEL: 403, Denial.MOUNTPOINT: 403, Denial.UNKNOWN_MOUNTPOINT: 404, Denial.NO_SOURCE: 404,
    Denial.ACCOUNT_IN_USE: 409, Denial.ACCOUNT_SHARED: 409, Denial.MOUNTPOINT_TAKEN: 409, Denial.BANNED: 429,
    Denial.TOO_MANY_FAILURES: 429, Denial.FULL: 503, Denial.BUSY: 503, Denial.NOT_OFFERED: 501,
}  # fmt: skip
"""HTTP status of a refusal."""

STATUS_V1 = {
    Denial.DISABLED: 401, Denial.EXPIRED: 401, Denial.ACCOUNT_IN_USE: 401, Denial.ACCOUNT_SHARED: 401,
    Denial.BANNED: 403, Denial.TOO_MANY_FAILURES: 403,
}  # fmt: skip
"""Where version 1 is told something else: its clients know 401 and little more."""
