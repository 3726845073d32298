"""One station's stream: bytes in; frames, epochs, ephemerides and what the station says of itself out.

Every whole good frame comes out untouched, before whatever was decoded from it, for those who pass it on or keep it.
Messages without a value here (SSR, network corrections, proprietary ones) are counted and come out as frames only. A
bad message is noted with its bytes and never stops the rest; nothing is raised. Time: `now` is the owner's clock
(gpst ns, within half a week; for 1009-1012 half a day), None where there is none and tags count from `start`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cors.gnss.ephemeris import Ephemeris, StateEphemeris
from cors.gnss.satellites import satellite_name
from cors.gnss.signals import UNKNOWN_CHANNEL
from cors.rtcm import _decode_kernels as columns
from cors.rtcm.diagnostics import Code, Diagnostic, DiagnosticLog, Severity
from cors.rtcm.ephemerides import EPHEMERIS_MESSAGES, decode_ephemeris
from cors.rtcm.errors import RtcmError
from cors.rtcm.frames import Frame
from cors.rtcm.observation_rows import ROWS_PER_FRAME, RowDecoder
from cors.rtcm.scanner import Damage, FrameScanner
from cors.rtcm.station_epochs import KINDS, EpochCollector, Message, StationEpoch
from cors.rtcm.station_messages import STATION_MESSAGES, StationMessage, StationPosition, decode_station_message

Event: TypeAlias = Frame | StationEpoch | Ephemeris | StationMessage

_FRAMES = 32
_VALUES = STATION_MESSAGES | EPHEMERIS_MESSAGES
_REFUSALS = {
    columns.TRUNCATED: (Code.DAMAGED, "the payload ends inside a field"),
    columns.CELLS: (Code.DAMAGED, "more than 64 cells"),
    columns.TIME: (Code.TIME, "the epoch lies beyond its week or day"),
}
_ISSUES = (
    (columns.UNKNOWN_SIGNAL, Code.UNKNOWN_SIGNAL, "signals without a name are kept under their number"),
    (columns.MODULO, Code.MODULO_RANGE, "ranges without whole milliseconds are left out"),
    (columns.RESERVED_LOCK, Code.RESERVED_LOCK, "reserved lock times are read as unknown"),
    (columns.CHANNEL_CHANGED, Code.CHANNEL_CHANGED, "a GLONASS satellite has another channel than before"),
    (columns.UNKNOWN_SATELLITE, Code.UNKNOWN_SATELLITE, "a satellite number that names none is left out"),
    (columns.NEGATIVE_EPOCH, Code.BEIDOU_NEGATIVE, "DF427 is negative"),
    (columns.WRONG_DAY, Code.GLONASS_DAY, "DF416 is not the day of the week"),
)
_RTCM2 = 200  # bytes needed to tell RTCM 2 from text


class StreamDecoder:
    """Decoder of one stream; holds what messages leave to earlier ones, and bounded findings."""

    def __init__(self, start: int = 0) -> None:
        """`start` (gpst ns, within half a week of the first epoch) counts only where `feed` is not told the time."""
        self._scanner = FrameScanner(frames=_FRAMES)
        self._rows = RowDecoder(start, 2 * _FRAMES)
        self._log = DiagnosticLog()
        self._epochs = EpochCollector(self._log)
        self.counts: Counter[int] = Counter()
        """Good frames by DF002; -1 those too short to have one."""

    @property
    def now(self) -> int:
        """The newest time known: `now` of the last call, or the newest tag (gpst ns)."""
        return self._rows.reference.now

    @property
    def expected_ranges(self) -> NDArray[np.float64]:
        """[448] by packed satellite, m: the owner may write what MSM1-3 and 1001, 1003, 1009, 1011 leave open."""
        return self._rows.expected_ranges

    @property
    def glonass_channels(self) -> dict[int, int]:
        """Channel by packed satellite, from MSM5, MSM7, 1009-1012 and 1020."""
        return self._rows.glonass_channels

    @property
    def channel_table(self) -> NDArray[np.int8]:
        """[64] the same by slot - 1, as the encoders take it; a live view."""
        return self._rows.context.channels

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """The newest findings of each code."""
        return self._log.diagnostics

    @property
    def diagnostic_counts(self) -> Counter[str]:
        """All findings by code."""
        return self._log.counts

    @property
    def bytes_read(self) -> int:
        """Bytes that came in and are settled."""
        return self._scanner.origin

    @property
    def junk_bytes(self) -> int:
        """Bytes outside good frames."""
        return self._scanner.junk_bytes

    def feed(self, data: bytes | bytearray | memoryview, now: int | None = None) -> list[Event]:
        """Events of the frames these bytes complete, in their order."""
        return self._run(self._scanner.feed(data), now)

    def flush(self, now: int | None = None) -> list[Event]:
        """The stream has fallen silent: whole frames held back, and the open epoch; unfinished frames may go on."""
        events = self._run(self._scanner.silence(), now)
        return events + self._epochs.close(self._rows.rows, False)

    def close(self, now: int | None = None) -> list[Event]:
        """The stream has ended: as `flush`, and what is left is junk."""
        events = self._run(self._scanner.silence(), now)
        tail = self._scanner.pending_bytes
        if tail:
            self._log.note(
                Code.FRAME_TRUNCATED, self._scanner.origin, Severity.ERROR, f"the input ends {tail} bytes into a frame",
                bytes(self._scanner.memory[:tail]),
            )  # fmt: skip
        for n in self._scanner.finish():
            self._take(n, events)
        self._scanner.take_damage()
        return events + self._epochs.close(self._rows.rows, False)

    def _run(self, tables: Iterable[int], now: int | None) -> list[Event]:
        if now is not None:
            self._rows.reference.set(now)
        events: list[Event] = []
        for n in tables:
            self._take(n, events)
            self._note_damage()
        self._note_damage()
        return events

    def _take(self, n: int, events: list[Event]) -> None:
        """Events of the first n frames of the scanner's table."""
        first = self._epochs.rows_in_use
        if first > ROWS_PER_FRAME * _FRAMES:
            self._epochs.move_rows(self._rows.rows)
            first = self._epochs.rows_in_use
        if first > ROWS_PER_FRAME * _FRAMES:  # an epoch nobody ends, larger than any real one
            events += self._epochs.close(self._rows.rows, False)
            first = 0
        self._rows.decode(self._scanner, n, first)
        memory, origin, rows = self._scanner.memory, self._scanner.origin, self._rows.rows
        for offset, size, number, status, station, tag, more, first, m, header, issues in self._scanner.table[
            :n
        ].tolist():
            frame = Frame(origin + offset, number, bytes(memory[offset : offset + size]))
            self.counts[number] += 1
            events.append(frame)
            if status == columns.DECODED:
                if issues:
                    self._note_issues(frame, issues, rows.satellite[first : first + m])
                system, rank = KINDS[number]
                message = Message(
                    number, system, rank, station, tag, more > 0, first, m, header, frame.offset, frame.data
                )
                if done := self._epochs.add(message, rows):
                    events += done
            elif status:
                code, text = _REFUSALS[status]
                self._log.note(code, frame.offset, Severity.ERROR, f"{number}: {text}", frame.data)
            elif number in _VALUES:
                self._value(frame, events)

    def _note_issues(self, frame: Frame, issues: int, satellites: NDArray[np.int16]) -> None:
        for bit, code, text in _ISSUES:
            if issues & bit:
                self._log.note(code, frame.offset, Severity.WARNING, f"{frame.number}: {text}", frame.data)
        if issues & columns.UNKNOWN_CHANNEL:
            table = self._rows.context.channels
            names = [satellite_name(s) for s in np.unique(satellites).tolist() if table[s & 63] == UNKNOWN_CHANNEL]
            text = f"{frame.number}: no frequency channel for {' '.join(names)}"
            self._log.note(Code.UNKNOWN_CHANNEL, frame.offset, Severity.WARNING, text, frame.data)

    def _value(self, frame: Frame, events: list[Event]) -> None:
        try:
            if frame.number in EPHEMERIS_MESSAGES:
                value: Event = decode_ephemeris(frame.payload, self.now)
            else:
                value = decode_station_message(frame.payload)
        except RtcmError as error:
            text = f"{frame.number}: {error}"
            self._log.note(Code.DAMAGED, frame.offset, Severity.ERROR, text, frame.data)
            return
        if isinstance(value, StateEphemeris) and value.channel != UNKNOWN_CHANNEL:
            self._rows.learn_channel(value.satellite, value.channel)
        if isinstance(value, StationPosition) and not value.usable:
            text = f"{frame.number}: coordinates {value.position_ecef} are no place on Earth"
            self._log.note(Code.NO_POSITION, frame.offset, Severity.WARNING, text, frame.data)
        events.append(value)

    def _note_damage(self) -> None:
        if not self._scanner.has_damage:
            return
        for damage in self._scanner.take_damage():
            code, text = _name_damage(damage)
            self._log.note(code, damage.offset, Severity.ERROR, text, damage.data)


def _name_damage(damage: Damage) -> tuple[Code, str]:
    if damage.failed_headers:
        return Code.CRC, f"{damage.size} bytes, with {damage.failed_headers} frames whose CRC fails"
    if damage.size >= _RTCM2 and damage.six_bit > 0.92 * damage.size:
        return Code.VERSION_2, f"{damage.size} bytes that look like RTCM 2"
    return Code.JUNK, f"{damage.size} bytes outside frames"


def decode_stream(data: bytes | bytearray | memoryview, start: int) -> tuple[list[Event], StreamDecoder]:
    """All events of a recording held in memory, and the decoder that made them; `start` within half a week."""
    decoder = StreamDecoder(start)
    return decoder.feed(data) + decoder.close(), decoder
