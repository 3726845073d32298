"""Writes frames as fast as it can and says after each flush how many bytes are safe, until it is killed."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from cors.archive.raw_archive import RawArchive
from tests.cors.archive.frames import frame


def main() -> None:
    archive, start = RawArchive(Path(sys.argv[1])), int(sys.argv[2])
    safe = 0
    for k in count():
        batch = b"".join(frame(1077, bytes([k & 255, n]) * (20 + (k * 7 + n) % 300)) for n in range(5))
        archive.append("KILL00CHN", batch, start + k * 100_000_000)
        safe += len(batch)
        if k % 3 == 2:
            archive.flush()
            print(safe, flush=True)


if __name__ == "__main__":
    main()
