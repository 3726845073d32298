"""Observations and byte strings the room's tests share; all made here from seeds, so that they run everywhere."""

from __future__ import annotations

import numpy as np

from cors.gnss.observations import Observations, from_rows
from cors.gnss.satellites import parse_satellite
from cors.gnss.signals import parse_signal
from cors.gnss.time import parse_time
from cors.rtcm.observation_rows import RowDecoder
from cors.rtcm.scanner import FrameScanner

NOW = parse_time("2026-11-25T12:00:00")

SIGNALS = {
    "G": ("1C", "2W", "2L", "5Q"), "R": ("1C", "2P"), "E": ("1C", "7Q", "5Q"), "S": ("1C",), "J": ("1C", "2L", "5Q"),
    "C": ("2I", "6I", "1P", "5P"), "I": ("5A",),
}  # fmt: skip
CHANNELS = {parse_satellite(f"R{n:02d}"): (n * 5) % 14 - 7 for n in range(1, 25)}

# Real frames with values known from two programs: 1005 of station 2003, 1127 of a u-blox F9T.
FRAME_1005 = bytes.fromhex("d300133ed7d30202980edeef34b4bd62ac0941986f33360b98")
FRAME_1127 = bytes.fromhex(
    "d3004146700059752f2400078000001204000000200000007494f510009db7056806f0967e2dc3669dd7b3fc343f16d0ff774d0ff709398e"
    "3da20681785e048a8380653fb7749f"
)
FRAME_1230 = bytes.fromhex("d3000c4ce0000f000000000000000037b706")
FRAME_1029 = bytes.fromhex("d30010405000ebde74a78707556e6b6e6f776e958e4c")
FRAME_1019 = bytes.fromhex(
    "d3003d3fb090107aa4b94f1a000036c24858b9f1572e09581c1053f3a60840ce7911f0a10db5fd4f1a00828711b6bb0009276ec4031a4ace"
    "315b86ffaae6da008e562b"
)


def observations(seed: int, systems: str = "GRESJCI", satellites: int = 6) -> Observations:
    """What a receiver could have measured: exact to no grid, phases within tens of metres of codes."""
    rng = np.random.default_rng(seed)
    rows = []
    for system in systems:
        first = 20 if system == "S" else 1
        for number in sorted(rng.choice(np.arange(first, first + 10), satellites, replace=False).tolist()):
            base, rate = rng.uniform(1.9e7, 4.2e7), rng.uniform(-900.0, 900.0)
            for code in SIGNALS[system]:
                rows.append(
                    (
                        parse_satellite(f"{system}{number:02d}"),
                        parse_signal(system + code),
                        base + rng.normal(0.0, 20.0),
                        base + rng.uniform(-150.0, 150.0),
                        rate + rng.normal(0.0, 0.2),
                        rng.uniform(15.0, 58.0),
                        float(rng.integers(0, 10_000_000)),
                        int(rng.integers(0, 2)) * 2,
                    )
                )
    return from_rows(sorted(rows))


def decode_rows(data: bytes, now: int = NOW) -> tuple[Observations, list[list[int]], RowDecoder]:
    """All rows of a piece of stream, the frame table, and the decoder."""
    scanner, decoder = FrameScanner(1 << 20, 1024), RowDecoder(now, 1024)
    decoder.reference.set(now)
    tables, used = [], 0
    for n in scanner.feed(data):
        used = decoder.decode(scanner, n, used)
        tables += scanner.table[:n].tolist()
    return Observations._make(column[:used].copy() for column in decoder.rows), tables, decoder
