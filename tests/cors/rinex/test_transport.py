"""Compression by content: each against the library or program that made it; cut short, it gives what there is."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile

import ncompress
import pytest

from cors.rinex import transport
from cors.rinex.diagnostics import DiagnosticLog
from cors.rinex.errors import RinexError, UnreadableArchiveError, UnwritableError
from cors.rinex.observation.reading import read_observations
from cors.rinex.transport import load, pack
from tests.cors.rinex.texts import HEADER_3, OBSERVATIONS_3, header

PLAIN = OBSERVATIONS_3.encode()
LONG = (header(HEADER_3) + "".join(
    f"> 2026 03 09 00 {n // 60:02d} {n % 60:2d}.0000000  0  1\n"
    f"G05  {21_000_000 + n * n * 0.317:12.3f}   {111_000_000 + n * 7.001:13.3f}\n"
    for n in range(600)
)).encode()  # fmt: skip


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "nothing")
        archive.writestr(name, data)
    return out.getvalue()


def text_of(data: bytes) -> tuple[bytes, dict[str, int]]:
    log = DiagnosticLog()
    loaded = load(data, log)
    return loaded.text.raw(0, loaded.text.size), dict(log.counts)


@pytest.mark.parametrize(
    "data",
    [PLAIN, gzip.compress(PLAIN), gzip.compress(PLAIN[:500]) + gzip.compress(PLAIN[500:]), bz2.compress(PLAIN),
     bz2.compress(PLAIN[:500]) + bz2.compress(PLAIN[500:]), zipped("TEST00CHN.rnx", PLAIN), ncompress.compress(PLAIN),
     gzip.compress(zipped("x.26o", PLAIN)), b"\xef\xbb\xbf" + PLAIN + b"\x1a", PLAIN.replace(b"\n", b"\r")],
    ids=["plain", "gzip", "members", "bzip2", "streams", "zip", "compress", "layers", "mark", "macintosh"],
)  # fmt: skip
def test_every_wrapping_comes_off(data: bytes, tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert text_of(data) == (PLAIN, {})
    path = tmp_path / "any.name"
    path.write_bytes(data)
    file = read_observations(path)
    assert file.epochs.tags.size == 2 and file.name == "any.name"


@pytest.mark.parametrize("module", [gzip, bz2, ncompress])
def test_a_truncated_archive_gives_what_there_is(module) -> None:  # type: ignore[no-untyped-def]
    whole = module.compress(LONG)
    text, counts = text_of(whole[: len(whole) * 2 // 3])
    assert LONG.startswith(text) and len(text) < len(LONG)
    assert counts.keys() <= {"compress.truncated"}
    if module is gzip:
        assert counts and read_observations(whole[: len(whole) * 2 // 3]).epochs.tags.size > 50


def test_what_unpacks_to_an_absurd_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_TEXT_BYTES", 1_000_000)
    bomb = b"\n" * 3_000_000
    for data in (gzip.compress(bomb), bz2.compress(bomb), zipped("x.rnx", bomb), ncompress.compress(bomb)):
        with pytest.raises(UnreadableArchiveError, match="more than 1000000 bytes"):
            text_of(data)


@pytest.mark.parametrize("data", [b"PK\x03\x04 nothing", b"PK\x03\x04" + bytes(500), zipped("x", b"")[:60]])
def test_broken_zip_is_refused(data: bytes) -> None:
    with pytest.raises(RinexError):
        read_observations(data)


def test_packing_goes_by_the_name_and_is_reproducible() -> None:
    for name in ("TEST00CHN_R_20260680000_01D_30S_MO.crx.gz", "test0680.26d.gz", "a.rnx.gz", "a.crx", "a.rnx", "a.26o"):
        packed = pack(LONG, name)
        assert packed == pack(LONG, name)
        assert packed.startswith(b"\x1f\x8b") == name.endswith(".gz")
        file = read_observations(packed)
        assert file.compact == ("crx" in name or "26d" in name) and file.epochs.tags.size == 600
    picoseconds = b"> 2026 03 09 00 00  0.1234567  0  1      -0.000000002000 89012\n"
    with pytest.raises(UnwritableError, match="picoseconds"):
        pack(LONG + picoseconds + b"G05  21000000.000\n", "a.crx")
