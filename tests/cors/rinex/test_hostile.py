"""Whatever comes: no exception but the room's own, no hang, and what is read stays consistent.

The texts are mutated with a fixed seed, bytes and lines; a reader must survive all of them and what it read must be
writable and readable again.
"""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.rinex.errors import RinexError
from cors.rinex.inspection import read_rinex, records, summary
from cors.rinex.navigation.file import NavigationFile
from cors.rinex.navigation.reading import read_navigation
from cors.rinex.navigation.writing import rewrite_navigation, write_navigation
from cors.rinex.observation.file import ObservationFile
from cors.rinex.observation.reading import read_observations
from cors.rinex.observation.writing.rewriting import Rewriter
from cors.rinex.sp3 import read_sp3
from tests.cors.rinex.texts import (
    EVENTS_3,
    HEADER_3,
    NAVIGATION_2,
    NAVIGATION_3,
    OBSERVATIONS_2,
    OBSERVATIONS_3,
    header,
)

OBSERVATIONS = (OBSERVATIONS_3.encode(), (OBSERVATIONS_3 + EVENTS_3).encode(), OBSERVATIONS_2.encode())
NAVIGATION = (
    NAVIGATION_3.encode(),
    NAVIGATION_2.encode(),
    write_navigation(read_navigation(NAVIGATION_3.encode()).ephemerides, 4.02),
)
SP3 = b"""\
#dP2020  6 25  0  0  0.00000000       2 __u+U IGS14 FIT  IAC
## 2111 345600.00000000   900.00000000 59025 0.0000000000000
+    2   G01C60  0  0  0  0  0  0  0  0  0  0  0  0  0  0  0
%c M  cc GPS ccc cccc cccc cccc cccc ccccc ccccc ccccc ccccc
*  2020 06 25  0  0  0.00000000
PG01 -34346.145771  24493.239073    626.704364   -387.166264
PC60   7327.257985  41514.493054    915.002827     -0.494410
*  2020 06 25  0 15  0.00000000
PG01 -34346.145771  24493.239073    626.704364 999999.999999
EOF
"""
LETTERS = b" 0123456789.-+>*EDGRCJISL\n\r\x00\xff\t&#"
MUTATIONS = 10_500


def mutated(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        if not out:
            break
        at, kind = rng.randrange(len(out)), rng.randrange(6)
        if kind == 0:
            out[at] = rng.choice(LETTERS)
        elif kind == 1:
            del out[at : at + rng.choice((1, 2, 10, 80, 500))]
        elif kind == 2:
            out[at:at] = bytes(rng.choice(LETTERS) for _ in range(rng.choice((1, 2, 10, 80))))
        elif kind == 3:
            source = rng.randrange(len(out))
            out[at:at] = out[source : source + rng.choice((10, 80, 400))]
        elif kind == 4 and rng.random() < 0.3:
            del out[at:]
        else:
            lines = bytes(out).split(b"\n")
            lines.insert(rng.randrange(len(lines)), lines[rng.randrange(len(lines))])
            out = bytearray(b"\n".join(lines))
    return bytes(out)


def check(file: ObservationFile | NavigationFile) -> None:
    """What was read holds together."""
    assert sum(file.diagnostic_counts.values()) >= len(file.diagnostics)
    if isinstance(file, ObservationFile):
        n = file.epochs.tags.size
        assert file.offsets.size == n + 1 and file.offsets[-1] == file.observations.satellite.size
        assert (np.diff(file.offsets) >= 0).all() and (file.observations.flags <= 3).all()
    else:
        assert len(file.ephemerides) <= len(file)


def rewritten(file: ObservationFile | NavigationFile) -> None:
    """It can be shown, written, and read again."""
    for record in records(file):
        json.dumps(record, allow_nan=False)
    json.dumps(summary(file), allow_nan=False)
    if isinstance(file, ObservationFile):
        for version in (2.11, 3.05, 4.02):
            read_observations(Rewriter(file, version).text())
    else:
        for version in (3.05, 4.02):
            assert len(read_navigation(write_navigation(file.ephemerides, version))) <= len(file)
            read_navigation(rewrite_navigation(file, version)[0])


@pytest.mark.parametrize(
    ("reader", "texts", "seed"), [(read_observations, OBSERVATIONS, 1), (read_navigation, NAVIGATION, 2)]
)
def test_mutated_texts(reader, texts, seed: int) -> None:  # type: ignore[no-untyped-def]
    rng = random.Random(seed)
    for n in range(MUTATIONS):
        try:
            file = reader(mutated(texts[n % len(texts)], rng))
        except RinexError:
            continue
        check(file)
        if n % 30 == 0:
            rewritten(file)


@pytest.mark.kernel
@pytest.mark.parametrize("text", [*OBSERVATIONS, *NAVIGATION])
def test_mutated_texts_through_every_kernel(text: bytes) -> None:
    rng = random.Random(3)
    for n in range(12):
        try:
            file = read_rinex(mutated(text, rng))
        except RinexError:
            continue
        check(file)
        if n % 4 == 0:
            rewritten(file)


def test_mutated_orbits() -> None:
    rng = random.Random(4)
    for _ in range(300):
        try:
            orbits = read_sp3(mutated(SP3, rng))
        except RinexError:
            continue
        assert orbits.position.shape == (orbits.gpst.size, orbits.satellites.size, 3)


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    first = f"{'     3.04           OBSERVATION DATA    M':<60}RINEX VERSION / TYPE\n".encode()
    for text in (data, first + data, first.replace(b"3.04", b"2.11") + data):
        try:
            check(read_rinex(text))
        except RinexError:
            continue


@pytest.mark.parametrize(
    "body",
    [
        "\n" * 300_000, ">\n" * 100_000, "> 2026 x\n" * 40_000, "G05\n" * 200_000,
        "> 2026 03 09 00 00  0.0000000  0999\n" + "G05  1x\n" * 50_000, f"{'x':<60}COMMENT\n" * 4000,
        f"{'>':<31}4  0\n" * 4000, "A" * 1_000_000,
    ],
    ids=["newlines", "marks", "epochs", "satellites", "fields", "comments", "events", "line"],
)  # fmt: skip
def test_endless_faults_are_counted_not_kept(body: str) -> None:
    file = read_observations((header(HEADER_3) + body).encode())
    assert len(file.diagnostics) <= 500 * len(file.diagnostic_counts) and file.epochs.tags.size <= 1
