"""Damaged and hostile files: whatever comes, a grid or a GridFormatError, and memory in proportion to the file."""

from __future__ import annotations

import logging
import random
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from geoid import formats
from geoid.errors import GridFormatError
from geoid.formats import geotiff, gtx, isg, pgm
from geoid.grid import Grid
from geoid.metadata import parse_sidecar
from tests.geoid import grids

MUTATIONS = 2000
_ALLOWED = 40 << 20
"""Bytes beyond 100 times the file: what padded tiles may cost."""


def mutated(data: bytes, source: random.Random) -> bytes:
    """One of: bytes changed (mostly in the header), cut, doubled, a number in the text replaced by a nasty one."""
    damaged = bytearray(data)
    kind = source.randrange(5)
    if kind == 0:
        return bytes(damaged[: source.randrange(len(damaged))])
    if kind == 1:
        at = source.randrange(len(damaged))
        return bytes(damaged[:at] + damaged[at : at + source.randrange(1, 64)] + damaged[at:])
    if kind == 2:
        at = source.randrange(len(damaged))
        nasty = source.choice(
            [b"-1", b"99999999999", b"nan", b"1e308", b"\xff\xff\xff\x7f", b"\x7f\xef\xff\xff", b"\0" * 8, b"\xb0'"]
        )
        damaged[at : at + len(nasty)] = nasty
        return bytes(damaged)
    for _ in range(source.randint(1, 8)):
        at = min(source.randrange(len(damaged)), source.randrange(len(damaged)))
        damaged[at] = source.choice([0, 1, 0x7F, 0x80, 0xFF, 0x39, 0x2D, source.randrange(256)])
    return bytes(damaged)


ORIGINALS: dict[str, tuple[Callable[[bytes, str], Grid], list[bytes]]] = {
    "gtx": (gtx.parse, [grids.gtx()]),
    "pgm": (pgm.parse, [grids.pgm()[0]]),
    "isg": (isg.parse, [grids.isg().encode(), grids.isg(lat_min="27°0'0\"").encode("latin-1"), grids.SPARSE.encode()]),
    "geotiff": (
        geotiff.parse,
        [
            grids.geotiff(),
            grids.geotiff(area=True, compression="zlib", byteorder=">", no_data="-32768"),
            grids.geotiff(tile=(16, 16), compression="zlib"),
        ],
    ),
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_mutations_never_crash_or_swell(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="tifffile")  # capturing its complaints takes longer than the reading
    parse, originals = ORIGINALS[name]
    source = random.Random(f"corsnet {name}")
    survived = 0
    for k in range(MUTATIONS):
        data = mutated(originals[k % len(originals)], source)
        weighed = k % 5 == 0  # tracing makes everything six times slower
        peak = _peak(parse, data) if weighed else 0
        assert peak < 100 * len(data) + _ALLOWED, f"mutant {k}"
        for read in (parse, formats.parse):
            try:
                survived += isinstance(read(data, f"mutant-{k}.{name}"), Grid)
            except GridFormatError as error:
                assert len(str(error)) < 1000
    assert survived > MUTATIONS / 50, "the mutations should also meet what is not checked"


def _peak(parse: Callable[[bytes, str], Grid], data: bytes) -> int:
    """Bytes that were allocated at once while reading."""
    tracemalloc.start()
    try:
        parse(data, "a")
    except GridFormatError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


def test_sidecar_mutations_never_crash() -> None:
    text = b'{"name": "Hunan", "kind": "quasigeoid", "epoch": 2000.0, "accuracy_m": 0.022, "rows": 7, "sha256": null}'
    source = random.Random("corsnet sidecar")
    for _ in range(MUTATIONS):
        try:
            parse_sidecar(mutated(text, source).decode("utf-8", "replace"), "a.json")
        except GridFormatError as error:
            assert "a.json" in str(error)
    for text_ in ("[" * 100_000, '{"epoch": 1e999}', '{"epoch": ' + "9" * 400 + "}", "null", "3"):
        with pytest.raises(GridFormatError):
            parse_sidecar(text_, "a.json")


def test_declared_sizes_are_checked_before_allocation() -> None:
    """Headers that promise 2^31 nodes in a file of some hundred bytes."""
    header = grids.isg().replace("nrows          =           7", "nrows          =   100000007")
    vast_pgm = b"P5\n# Offset 0\n# Scale 1\n99999998 99999999\n65535\n" + b"\0" * 10
    tracemalloc.start()
    try:
        for data in (header.encode(), vast_pgm, grids.gtx()[:32] + np.array([30_000, 30_000], ">i4").tobytes()):
            with pytest.raises(GridFormatError):
                formats.parse(data, "vast.gtx")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
