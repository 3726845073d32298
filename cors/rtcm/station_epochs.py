"""Messages of one epoch of one station put together: which belong together, which count, when it is complete.

An epoch ends with DF393 = 0 or DF005 = 0, when a message of another epoch or station comes, or when the owner closes
it; DF393 alone is not trusted, as some senders never clear it. Of several messages of one system the fullest MSM
counts, MSM before 1001-1012. A message that repeats another to the bit is dropped; one that comes after its epoch was
closed makes an epoch of its own, marked as a supplement. Receivers whose BeiDou epochs count GPS time (14 s ahead of
the rest of their chain), and streams whose GLONASS epochs are steadily some seconds off for want of a leap second, are
recognised and set right.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations, concatenate, take
from cors.gnss.satellites import Constellation
from cors.gnss.time import BDT_OFFSET_S, DAY_NS, NS, iso_gpst
from cors.rtcm.diagnostics import Code, DiagnosticLog, Severity
from cors.rtcm.msm import MsmHeader, unpack_header
from cors.rtcm.row_order import sorted_rows

_BDT_NS = BDT_OFFSET_S * NS
_PATIENCE = 2
"""Epochs without MSM after which a stream that had it is believed to have gone back to 1001-1012."""
_LEAPS_OFF = 20
"""Seconds that missing leap seconds can make."""
_LEAP_PROOF = 3
"""Epochs in a row that must be off alike, none agreeing, before GLONASS epochs are moved."""


class StationEpoch(NamedTuple):
    """What one station observed at one instant."""

    gpst: int
    """The receiver's time tag, ns."""
    station_id: int
    """DF003."""
    observations: Observations
    """Sorted by satellite and signal."""
    messages: tuple[int, ...]
    """Numbers of the messages it came in."""
    complete: bool
    """The sender said that nothing more follows."""
    supplement: bool
    """An epoch of this instant was given out before; these rows were not in it."""
    header: MsmHeader


class Message(NamedTuple):
    """A decoded observation message: where its rows lie, and what its header says."""

    number: int
    system: int
    """Constellation the message is about."""
    rank: int
    """How full it is, within its system; MSM from `MSM_RANK` on."""
    station_id: int
    tag: int
    more: bool
    first: int
    rows: int
    header_bits: int
    offset: int
    frame: bytes
    """All of it, to know repetitions by."""


MSM_RANK = 4
KINDS = {1001 + k: (0, k) for k in range(4)} | {1009 + k: (1, k) for k in range(4)}
KINDS |= {1070 + 10 * system + k: (system, MSM_RANK + k) for system in range(7) for k in range(1, 8)}
"""System and rank of an observation message by its number."""


class EpochCollector:
    """Collects the messages of one stream; rows stay in the caller's arrays until an epoch is given out."""

    def __init__(self, log: DiagnosticLog) -> None:
        """With findings going to `log`."""
        self._log = log
        self._messages: list[Message] = []
        self._seen: set[bytes] = set()
        self._seen_tag = 0
        self._last: StationEpoch | None = None
        self._msm_tags: dict[int, int] = {}
        self._waited: dict[int, list[int]] = {}
        self._beidou_in_gpst = False
        self._glonass_off = 0
        self._glonass_proof = 0

    @property
    def rows_in_use(self) -> int:
        """Rows of the caller's arrays, from the first on, that an open epoch still needs."""
        return max((m.first + m.rows for m in self._messages), default=0)

    def move_rows(self, rows: Observations) -> None:
        """Copy the rows still needed to the front of the same arrays."""
        free = 0
        for k in sorted(range(len(self._messages)), key=lambda k: self._messages[k].first):
            message = self._messages[k]
            for column in rows:
                column[free : free + message.rows] = column[message.first : message.first + message.rows].copy()
            self._messages[k] = message._replace(first=free)
            free += message.rows

    def add(self, message: Message, rows: Observations) -> list[StationEpoch]:
        """Take a message in; the epochs it completes."""
        pending = self._messages[-1] if self._messages else None
        if pending is None or message.tag != pending.tag or self._glonass_off or self._beidou_in_gpst:
            message = self._on_one_clock(message)
            pending = self._messages[-1] if self._messages else None  # its day may have been wrong
        out: list[StationEpoch] = []
        if pending is not None and (message.tag != pending.tag or message.station_id != pending.station_id):
            out = self._end_early(message, rows)
        if self._refuse(message):
            return out
        self._messages.append(message)
        self._seen.add(message.frame)
        if not message.more:
            out += self.close(rows, True)
        return out

    def _end_early(self, message: Message, rows: Observations) -> list[StationEpoch]:
        """Another epoch or station begins."""
        if self._messages[-1].more:
            text = f"{message.number} begins {iso_gpst(message.tag)}, {self._messages[-1].number} said more follows"
            self._log.note(Code.UNFINISHED, message.offset, Severity.INFO, text)
        return self.close(rows, False)

    def _on_one_clock(self, message: Message) -> Message:
        """Set right what a stream is known, or now seen, to have wrong in its epochs."""
        if message.system == Constellation.BEIDOU:
            message = self._beidou_on_one_clock(message)
        elif message.system == Constellation.GLONASS:
            message = self._glonass_on_one_clock(message)
        return self._on_one_day(message) if self._messages else message

    def _on_one_day(self, message: Message) -> Message:
        """Bring a message that is whole days off the epoch it continues to its day; GLONASS knows the day least."""
        pending = self._messages[-1]
        if not pending.more or message.tag == pending.tag or (message.tag - pending.tag) % DAY_NS:
            return message
        self._log.note(Code.DAY, message.offset, Severity.WARNING, f"{message.number} is whole days off")
        if message.system != Constellation.GLONASS and all(m.system == Constellation.GLONASS for m in self._messages):
            self._messages = [m._replace(tag=message.tag) for m in self._messages]
            return message
        return message._replace(tag=pending.tag)

    def _glonass_on_one_clock(self, message: Message) -> Message:
        """Take off the seconds by which the stream's GLONASS epochs differ from those they come with."""
        pending = self._messages[-1] if self._messages else None
        alone = pending is not None and pending.more and all(m.system != message.system for m in self._messages)
        if pending is not None and alone and pending.station_id == message.station_id:
            off = message.tag - pending.tag
            if off == self._glonass_off:
                self._glonass_proof += 1 if off else 0
            elif off % NS == 0 and abs(off) <= _LEAPS_OFF * NS:
                self._glonass_off, self._glonass_proof = off, 1 if off else 0
            if self._glonass_proof == _LEAP_PROOF:
                text = f"GLONASS epochs are {off // NS} s off those they come with"
                self._log.note(Code.GLONASS_LEAP, message.offset, Severity.WARNING, text)
        moved = self._glonass_proof >= _LEAP_PROOF
        return message._replace(tag=message.tag - self._glonass_off) if moved else message

    def _beidou_on_one_clock(self, message: Message) -> Message:
        """Take 14 s off the tags of a receiver that puts GPS time into DF427."""
        pending = self._messages[-1] if self._messages else None
        if pending is not None and pending.more and pending.system != Constellation.BEIDOU:
            ahead = message.tag - pending.tag
            if ahead == _BDT_NS and not self._beidou_in_gpst:
                self._log.note(Code.BEIDOU_GPS_TIME, message.offset, Severity.WARNING, "DF427 counts GPS time")
            if ahead in (0, _BDT_NS):
                self._beidou_in_gpst = ahead == _BDT_NS
        return message._replace(tag=message.tag - _BDT_NS) if self._beidou_in_gpst else message

    def _refuse(self, message: Message) -> bool:
        """True for a message that adds nothing: repeated, or of the older kind where MSM comes too."""
        if message.tag != self._seen_tag:
            self._seen_tag = message.tag
            self._seen.clear()
        if message.frame in self._seen:
            self._log.note(Code.DUPLICATE, message.offset, Severity.INFO, f"{message.number} came twice")
            return True
        if message.rank >= MSM_RANK:
            self._msm_tags[message.system] = message.tag
            self._waited.pop(message.system, None)
            return False
        beside = self._is_beside_msm(message)
        if beside:
            self._log.note(Code.BESIDE_MSM, message.offset, Severity.INFO, f"{message.number} beside MSM")
        return beside

    def _is_beside_msm(self, message: Message) -> bool:
        """True for the older kind at an instant of MSM, and for two epochs after the last MSM of its system."""
        newest = self._msm_tags.get(message.system)
        if newest is None or newest == message.tag:
            return newest is not None
        waited = self._waited.setdefault(message.system, [])
        if message.tag not in waited and len(waited) <= _PATIENCE:
            waited.append(message.tag)
        return len(waited) <= _PATIENCE

    def close(self, rows: Observations, complete: bool) -> list[StationEpoch]:
        """Give the open epoch out, if there is one."""
        messages, self._messages = self._messages, []
        if not messages:
            return []
        first = messages[0]
        header = next((unpack_header(m.header_bits) for m in messages if m.rank >= MSM_RANK), None)
        last = self._last
        supplement = last is not None and (last.gpst, last.station_id) == (first.tag, first.station_id)
        epoch = StationEpoch(
            first.tag, first.station_id, self._rows(messages, rows), tuple(m.number for m in messages), complete,
            supplement, header or MsmHeader(smoothing_interval=first.header_bits & 7),
        )  # fmt: skip
        self._compare(epoch, first.offset)
        return [epoch]

    def _compare(self, epoch: StationEpoch, offset: int) -> None:
        last, self._last = self._last, epoch
        if last is None:
            return
        if epoch.supplement:
            self._log.note(Code.LATE, offset, Severity.INFO, f"more of {iso_gpst(epoch.gpst)} after it was closed")
        elif epoch.station_id != last.station_id:
            text = f"DF003 changes from {last.station_id} to {epoch.station_id}"
            self._log.note(Code.STATION_CHANGED, offset, Severity.INFO, text)
        elif epoch.gpst < last.gpst:
            text = f"{iso_gpst(epoch.gpst)} after {iso_gpst(last.gpst)}"
            self._log.note(Code.ORDER, offset, Severity.WARNING, text)

    def _rows(self, messages: list[Message], rows: Observations) -> Observations:
        """The rows that count, in order: at once where messages came in order, else sorted."""
        if _in_one_piece(messages, rows.satellite):
            first, last = messages[0].first, messages[-1].first + messages[-1].rows
            return Observations._make([column[first:last].copy() for column in rows])
        best = {m.system: m.rank for m in sorted(messages, key=lambda m: m.rank)}
        for m in messages:
            if m.rank != best[m.system]:
                code = Code.LESSER_MSM if m.rank >= MSM_RANK else Code.BESIDE_MSM
                self._log.note(code, m.offset, Severity.INFO, f"{m.number} beside a fuller message")
        fullest = sorted((m for m in messages if m.rank == best[m.system]), key=lambda m: -m.rank)
        return sorted_rows(concatenate([take(rows, slice(m.first, m.first + m.rows)) for m in fullest]))


def _in_one_piece(messages: list[Message], satellite: NDArray[np.int16]) -> bool:
    """True where the messages' rows are neighbours, all count, and their satellites ascend."""
    before = messages[0]
    if before.rank < MSM_RANK:
        return False
    for after in messages[1:]:
        if after.first != before.first + before.rows or after.system < before.system or after.rank < MSM_RANK:
            return False
        if after.system == before.system and (
            after.rank != before.rank
            or (before.rows and after.rows and satellite[after.first] <= satellite[after.first - 1])
        ):
            return False
        before = after
    return True
