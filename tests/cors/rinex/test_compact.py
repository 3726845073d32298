"""Compact RINEX: restored as RNXCMP does, cut short it gives what there is, damaged it is refused."""

from __future__ import annotations

import random
import re

import hatanaka
import numpy as np
import pytest

from cors.rinex.compact.restoring import restore
from cors.rinex.diagnostics import DiagnosticLog
from cors.rinex.errors import CompactRinexError, RinexError, UnreadableArchiveError
from cors.rinex.observation.reading import read_observations
from tests.cors.rinex.test_hostile import mutated
from tests.cors.rinex.texts import EVENTS_3, HEADER_3, OBSERVATIONS_2, OBSERVATIONS_3, header

LONG = (header(HEADER_3) + "".join(
    f"> 2026 03 09 00 {n // 60:02d} {n % 60:2d}.0000000  0  1\n"
    f"G05  {21_000_000 + n * n * 0.317:12.3f}   {111_000_000 + n * 7.001:13.3f}\n"
    for n in range(600)
)).encode()  # fmt: skip
TYPES_CHANGE = (
    f"{'>':<31}4  1\n{'G    1 C1C':<60}SYS / # / OBS TYPES\n> 2026 03 09 00 02 00.0000000  0  1\nG05  21219048.248 7\n"
)
NEAR_ZERO = """\
> 2026 03 09 00 00  0.0000000  0  2      -0.000000000001
G05         0.120          -0.001 7         0.000
R01  -9999999.999  9999999999.999
> 2026 03 09 00 00 30.0000000  0  2
R01         0.00115        -0.99911
G05
> 2026 03 09 00 01 00.0000000  0  1       0.000000000001
G05                        -0.00118
"""
MANY = "".join(
    f" 26  3  9  0  0 {n:2d}.0000000  0 26" + "".join(f"G{s:2d}" for s in range(1, 13)) + f"{n * 1e-7:12.9f}\n"
    + " " * 32 + "".join(f"R{s:2d}" for s in range(1, 13)) + "\n" + " " * 32 + "G30G31\n"
    + "".join(f"{s * 1e6 + n * n:14.3f}{'':18}{s * 9.5 - n:14.3f} {s % 10}\n\n" for s in range(26))
    for n in range(5)
)  # fmt: skip
TEXTS = {
    "long": LONG, "plain": OBSERVATIONS_3.encode(), "events": (OBSERVATIONS_3 + EVENTS_3).encode(),
    "types change": (OBSERVATIONS_3 + EVENTS_3 + TYPES_CHANGE).encode(),
    "near zero": (header(HEADER_3) + NEAR_ZERO).encode(),
    "RINEX 2": (OBSERVATIONS_2 + "\n").encode(),
    "26 satellites": (OBSERVATIONS_2 + "\n" + MANY).encode(),
}  # fmt: skip


def restored(data: bytes) -> tuple[bytes, dict[str, int]]:
    log = DiagnosticLog()
    text = restore(data, log, 10_000_000)
    return text.raw(0, text.size), dict(log.counts)


def normal(text: bytes) -> bytes:
    """Without blanks at line ends, with zeros before points (RNXCMP prints the point alone)."""
    return re.sub(rb" (-?)\.", rb"\g<1>0.", re.sub(rb" +\n", b"\n", text))


@pytest.mark.kernel
@pytest.mark.parametrize("name", TEXTS)
def test_compact_rinex_is_what_rnxcmp_makes_of_it(name: str) -> None:
    compact = hatanaka.rnx2crx(TEXTS[name])
    text, counts = restored(compact)
    assert not counts
    assert normal(text) == normal(hatanaka.crx2rnx(compact))
    file, plain = read_observations(compact), read_observations(TEXTS[name])
    assert file.compact and not plain.compact
    for ours, theirs in zip(file.observations, plain.observations, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(file.epochs.tags, plain.epochs.tags)
    np.testing.assert_array_equal(file.epochs.clock_offsets_s, plain.epochs.clock_offsets_s)


def test_a_truncated_compact_file_keeps_its_complete_epochs() -> None:
    """RNXCMP gives nothing for such a file; the epochs before the cut are those of the whole file."""
    compact, whole = hatanaka.rnx2crx(LONG), read_observations(LONG)
    for cut in (len(compact) // 2, len(compact) - 1, len(compact) - 25):
        file = read_observations(compact[:cut])
        n = file.epochs.tags.size
        assert file.diagnostic_counts == {"crinex.truncated": 1} and n > 100
        np.testing.assert_array_equal(file.epochs.tags, whole.epochs.tags[:n])
        np.testing.assert_array_equal(file.observations.pseudorange, whole.observations.pseudorange[: file.offsets[-1]])


@pytest.mark.parametrize(
    "damage",
    [
        [b"> 2026 03"], [b"12x 44"], [b"10&5 44"], [b"--5 44"], [b"3&99999999999999999 44"],
        [b"3&5 44    &&&&&&&&&&&&&&&&&"], [b"", b"", b"", b"12 44"],
    ],
    ids=["epoch", "no number", "order", "signs", "size", "flags", "no arc"],
)  # fmt: skip
def test_a_compact_file_damaged_before_its_end_is_refused(damage: list[bytes]) -> None:
    """RNXCMP stops at some damage and skips other; here nothing is taken of what hangs on it."""
    lines = hatanaka.rnx2crx(LONG).split(b"\n")
    with pytest.raises(CompactRinexError, match=r"damaged at line 20\d"):
        read_observations(b"\n".join([*lines[:200], *damage, *lines[200 + len(damage) :]]))


@pytest.mark.parametrize("count", [b" ", b" 0", b"-2", b"999"])
def test_senseless_type_counts_are_refused(count: bytes) -> None:
    compact = hatanaka.rnx2crx(TEXTS["long"]).replace(b"G    8 C1C", b"G  %3b C1C" % count)
    with pytest.raises(CompactRinexError, match="observation types"):
        read_observations(compact)


def test_a_compact_file_without_end_of_header_is_refused() -> None:
    with pytest.raises(CompactRinexError, match="END OF HEADER"):
        read_observations(hatanaka.rnx2crx(LONG).replace(b"END OF HEADER", b"NOTHING"))


def test_what_restores_to_an_absurd_size_is_refused() -> None:
    """Blank lines stand for whole epochs."""
    text = hatanaka.rnx2crx((OBSERVATIONS_2 + "\n" + MANY).encode())
    with pytest.raises(UnreadableArchiveError, match="more than 1000000 bytes"):
        restore(text + b"\n" * 300_000, DiagnosticLog(), 1_000_000)


@pytest.mark.parametrize("name", TEXTS)
def test_mutated_compact_texts(name: str) -> None:
    compact = hatanaka.rnx2crx(TEXTS[name])[:6000]
    assert 0 < survived(compact, random.Random(5), 1000) < 1000


@pytest.mark.kernel
@pytest.mark.parametrize("name", TEXTS)
def test_mutated_compact_texts_through_the_kernel(name: str) -> None:
    assert survived(hatanaka.rnx2crx(TEXTS[name])[:4000], random.Random(6), 15) > 0


def survived(compact: bytes, rng: random.Random, times: int) -> int:
    """How many mutations were read; the others were refused."""
    body, count = compact.index(b"END OF HEADER"), 0
    for n in range(times):
        data = mutated(compact, rng) if n % 4 == 0 else compact[:body] + mutated(compact[body:], rng)
        try:
            assert len(restored(data)[0]) < 10 * len(data) + 100_000
            read_observations(data)
        except RinexError:
            continue
        count += 1
    return count
