"""Compact RINEX (Hatanaka) through RNXCMP, as the package `hatanaka` carries it.

RNXCMP gives nothing at all for a file that stops in the middle. Such a file is cut after its last complete epoch and
restored; what was lost is a finding. Damage before the end is refused: everything after it would hang on it.
RNXCMP 4.1.0 drops the picosecond field of RINEX 4.02: `compress` refuses such a text rather than lose it.
Source: Y. Hatanaka, Compact RINEX 1.0 and 3.0 (layout of epoch lines, text differences).
"""

from __future__ import annotations

import re
import warnings

from cors.rinex.diagnostics import Code, DiagnosticLog
from cors.rinex.errors import CompactRinexError, UnwritableError

_PICOSECONDS = re.compile(rb"^> \d{4}.{51,52} +\d{5}\s*$", re.MULTILINE)


def is_compact(data: bytes) -> bool:
    """True where the first line says Compact RINEX."""
    return data[20:40] == b"COMPACT RINEX FORMAT"


def restore(data: bytes, log: DiagnosticLog) -> bytes:
    """Plain RINEX of a Compact RINEX text. Raises CompactRinexError where it is damaged before its end."""
    import hatanaka  # 60 ms that plain files do not pay

    try:
        return _quietly(hatanaka.crx2rnx, data)
    except hatanaka.HatanakaException as error:
        if "truncated" not in str(error):
            raise CompactRinexError(f"Compact RINEX: {error}") from error
    complete, lost = _complete_epochs(data)
    log.note(Code.COMPACT_TRUNCATED, complete.count(b"\n") + 1, lost.decode("latin-1"), "a complete last epoch")
    try:
        return _quietly(hatanaka.crx2rnx, complete)
    except hatanaka.HatanakaException as error:
        raise CompactRinexError(f"Compact RINEX: {error}") from error


def compress(text: bytes) -> bytes:
    """Compact RINEX of a plain observation text. Raises UnwritableError where RNXCMP cannot or would lose something."""
    import hatanaka

    if _PICOSECONDS.search(text):
        raise UnwritableError("Compact RINEX loses the picoseconds of RINEX 4.02 (expected gzip alone)")
    try:
        return _quietly(hatanaka.rnx2crx, text)
    except hatanaka.HatanakaException as error:
        raise UnwritableError(f"Compact RINEX: {error}") from error


def _quietly(program, data: bytes) -> bytes:  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = program(data)
    return result if isinstance(result, bytes) else bytes(result, "latin-1")


def _complete_epochs(data: bytes) -> tuple[bytes, bytes]:
    """The text up to its last complete epoch, and the first line of what is left out."""
    lines = data.split(b"\n")
    whole = lines[:-1]  # the last line has no end: nobody knows where it should have ended
    modern = lines[0].lstrip().startswith(b"3")
    at = next((n + 1 for n, line in enumerate(whole) if b"END OF HEADER" in line), len(whole))
    epoch = b""
    while at < len(whole):
        line = whole[at].rstrip(b"\r")
        initialised = line.startswith(b">" if modern else b"&")
        epoch = line if initialised else _patched(epoch, line)
        following = _lines_of(epoch, modern)
        if following is None or at + following >= len(whole):
            break
        at += 1 + following
    return b"\n".join(whole[:at]) + b"\n", lines[min(at, len(lines) - 1)]


def _lines_of(epoch: bytes, modern: bool) -> int | None:
    """Lines after an epoch line: clock and satellites, or the records of an event; None where it cannot be read."""
    flag, count = (epoch[31:32], epoch[32:35]) if modern else (epoch[28:29], epoch[29:32])
    if not count.strip().isdigit():
        return None
    return int(count) if flag in b"2345" and flag else int(count) + 1


def _patched(old: bytes, difference: bytes) -> bytes:
    """Full text of a line given as a difference: blank keeps, & blanks, anything else replaces."""
    text = bytearray(old.ljust(len(difference)))
    for n, byte in enumerate(difference):
        if byte != 0x20:
            text[n] = 0x20 if byte == 0x26 else byte
    return bytes(text)
