"""What a decoder noticed: one value a finding, with the offending bytes, kept with the stream and never printed.

A stream runs for years, so each code keeps its newest `KEPT_PER_CODE` findings and counts the rest.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum

KEPT_PER_CODE = 20
HEX_BYTES = 32
"""Bytes of a finding that are kept."""


class Severity(StrEnum):
    """How much was lost."""

    INFO = "info"
    """Nothing; the sender has a habit worth knowing."""
    WARNING = "warning"
    """Values of one message or satellite."""
    ERROR = "error"
    """A message, or bytes that may have been one."""


class Code(StrEnum):
    """Codes of findings."""

    JUNK = "rtcm.frame.junk"
    """Bytes outside good frames."""
    CRC = "rtcm.frame.crc"
    """As JUNK, with the header of a frame whose CRC fails."""
    FRAME_TRUNCATED = "rtcm.frame.truncated"
    """The input ended inside a frame."""
    VERSION_2 = "rtcm.version2"
    """The bytes look like RTCM 2, which this is not a decoder of."""
    DAMAGED = "rtcm.message.damaged"
    """A good frame whose payload contradicts its layout."""
    TIME = "rtcm.message.time"
    """An epoch beyond its week or day."""
    UNKNOWN_SIGNAL = "rtcm.msm.unknown_signal"
    MODULO_RANGE = "rtcm.msm.modulo_range"
    """Ranges without whole milliseconds and nothing to complete them with."""
    RESERVED_LOCK = "rtcm.msm.reserved_lock"
    UNKNOWN_CHANNEL = "rtcm.glonass.unknown_channel"
    """Phases in metres that cannot become cycles, until 1020 or an MSM5 or 7 tells the channel."""
    CHANNEL_CHANGED = "rtcm.glonass.channel_changed"
    UNKNOWN_SATELLITE = "rtcm.satellite.unknown"
    BESIDE_MSM = "rtcm.epoch.beside_msm"
    """1001-1012 beside MSM of the same system: MSM is taken."""
    LESSER_MSM = "rtcm.epoch.lesser_msm"
    """Two MSM types of one system and epoch: the fuller is taken."""
    DUPLICATE = "rtcm.epoch.duplicate"
    LATE = "rtcm.epoch.late"
    """A message of an epoch that had been closed."""
    ORDER = "rtcm.epoch.order"
    """An epoch older than the one before."""
    UNFINISHED = "rtcm.epoch.unfinished"
    """Another epoch began while DF393 or DF005 said that more follows."""
    DAY = "rtcm.epoch.day"
    """An epoch whole days off those it comes with (SBAS by time of day); it is taken for theirs."""
    GLONASS_DAY = "rtcm.glonass.day_of_week"
    """DF416 is not the day of the week (some senders leave it 0); it is passed over."""
    GLONASS_LEAP = "rtcm.glonass.leap"
    """GLONASS epochs are whole seconds off those they come with: leap seconds wrong at the sender, or the year here."""
    BEIDOU_NEGATIVE = "rtcm.beidou.negative_epoch"
    """DF427 runs on from minus 14 s at the start of a week."""
    BEIDOU_GPS_TIME = "rtcm.beidou.gps_time"
    """DF427 counts GPS time (Trimble NetR9 of 2012); 14 s are taken off."""
    STATION_CHANGED = "rtcm.station.changed"
    NO_POSITION = "rtcm.station.no_position"
    """Coordinates nearer to the geocentre than 6,000 km: a receiver nobody configured."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding."""

    code: Code
    offset: int
    """Bytes from the start of the stream."""
    severity: Severity
    text: str
    hex: str = ""
    """The offending bytes, at most `HEX_BYTES`."""


class DiagnosticLog:
    """Findings of one stream."""

    def __init__(self) -> None:
        """Empty."""
        self.counts: Counter[str] = Counter()
        self._kept: dict[str, deque[Diagnostic]] = {}

    def note(self, code: Code, offset: int, severity: Severity, text: str, data: bytes = b"") -> None:
        """Count a finding and keep it."""
        self.counts[code] += 1
        kept = self._kept.setdefault(code, deque(maxlen=KEPT_PER_CODE))
        kept.append(Diagnostic(code, offset, severity, text, data[:HEX_BYTES].hex()))

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """The kept findings by offset."""
        return sorted((d for kept in self._kept.values() for d in kept), key=lambda d: d.offset)
