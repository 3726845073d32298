"""Where a file of RTCM 3 frames ends for good: behind its last whole frame, if a cut one follows.

Walks from header to header (0xD3, six zero bits, ten bits of length; six bytes around the payload). What is no header
is kept: only a frame that announces more than is there is cut, and only our own files are asked about.
"""

from __future__ import annotations

PREAMBLE = 0xD3
AROUND_PAYLOAD = 6


def whole_frames(data: bytes) -> int:
    """How many bytes of `data` to keep."""
    at = 0
    while at < len(data):
        if data[at] != PREAMBLE or (at + 1 < len(data) and data[at + 1] & 0xFC):
            following = data.find(PREAMBLE, at + 1)
            at = following if following >= 0 else len(data)
        elif at + 3 > len(data):
            return at
        else:
            end = at + AROUND_PAYLOAD + ((data[at + 1] & 3) << 8 | data[at + 2])
            if end > len(data):
                return at
            at = end
    return at
