"""Reading RINEX against RTKLIB's C `readrnx` (pyrtklib5) and georinex: same files, answers compared first, one core.

Plain files in the page cache, from a path to arrays; process time, rounds interleaved, medians. RTKLIB's structures are
made beforehand, ours within the time. Compact RINEX is compared with RNXCMP and our reader of plain text; RNXCMP is a
process of its own, so its children's time counts too. The data collection is looked for where the tests look
(CORSNET_DATA); without it there are no rows.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import georinex
import hatanaka
import numpy as np
import pyrtklib5 as rtklib

from cors.gnss.time import NS
from cors.rinex.diagnostics import DiagnosticLog
from cors.rinex.navigation.reading import read_navigation
from cors.rinex.observation.file import ObservationFile
from cors.rinex.observation.reading import read_observations
from cors.rinex.observation.records import epoch_records
from cors.rinex.transport import load

ROOT = Path(os.environ.get("CORSNET_DATA", Path(__file__).parents[2] / "shared" / "data")) / "gnss"
ROUNDS = 7
UNIX_OF_GPS_EPOCH = 315_964_800

Row = tuple[str, float, float, float, float]
"""Name, ours, the peer's (both MB of text a second), ratio, and the ratio that must be reached."""

OBSERVATIONS = {
    "RINEX 3, a day at 30 s, six systems (RTKLIB)": (
        "stations/esbc_2020177/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz", 4.0,
    ),
    "RINEX 3, 15 min at 1 s (RTKLIB)": ("stations/gras_2022315/GRAS00FRA_R_20223151700_15M_01S_MO.crx.gz", 4.0),
    "RINEX 2.11, an hour at 1 s, GPS (RTKLIB)": ("network/catalonia_2010077/UPC1077f.10d.gz", 4.0),
}  # fmt: skip
NAVIGATION = {
    "navigation 3.05, a day (RTKLIB)": ("stations/esbc_2020177/ESBC00DNK_R_20201770000_01D_MN.rnx.gz", 1.5),
    "navigation 4.02, the world's day (RTKLIB)": ("products/nav/BRD400DLR_S_20260680000_01D_MN.rnx.gz", 1.5),
}
COMPACT = (
    "CRINEX .gz, a day at 30 s (RNXCMP, then as ours)",
    "stations/esbc_2020177/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz",
    2.0,
)
"""Row, file and bar; MB of plain text."""
GEORINEX = ("stations/gras_2022315/GRAS00FRA_R_20223151700_15M_01S_MO.crx.gz", 30, 500.0)
"""File, epochs of it (georinex slows down with length), bar."""


def run() -> list[Row]:
    """Rows of this room. Raises AssertionError where the answers differ."""
    if not ROOT.is_dir():
        return []
    with tempfile.TemporaryDirectory() as folder:
        rows = [_observations(name, *case, Path(folder)) for name, case in OBSERVATIONS.items()]
        rows += [_navigation(name, *case, Path(folder)) for name, case in NAVIGATION.items()]
        rows.append(_compact())
        rows.append(_georinex(Path(folder)))
    return rows


def cold() -> float:
    """Seconds of the first read in a process with nothing compiled; run it with an empty NUMBA_CACHE_DIR."""
    begin = time.perf_counter()
    read_observations(ROOT / GEORINEX[0])
    return time.perf_counter() - begin


def _plain(name: str, folder: Path) -> Path:
    """The text as a plain file: RTKLIB and georinex read no others as fast."""
    loaded = load(ROOT / name, DiagnosticLog())
    path = folder / Path(name).name.removesuffix(".gz").replace(".crx", ".rnx").replace(".10d", ".10o")
    path.write_bytes(loaded.text.raw(0, loaded.text.size))
    return path


def _observations(name: str, file: str, bar: float, folder: Path) -> Row:
    path = _plain(file, folder)
    theirs = rtklib.obs_t()
    rtklib.readrnx(str(path), 1, "", theirs, rtklib.nav_t(), rtklib.sta_t())
    _compare(read_observations(path), theirs)
    ours, peer = _medians(lambda: read_observations(path), path)
    return _row(name, path, ours, peer, bar)


def _compare(file: ObservationFile, theirs: rtklib.obs_t) -> None:
    """Pseudoranges of the first thousand satellites RTKLIB has are among ours."""
    ours = {(int(tag), value) for n, tag in enumerate(file.epochs.tags[:200]) for value in file.epoch(n).pseudorange}
    for n in range(min(theirs.n, 1000)):
        row = theirs.data[n]
        tag = (row.time.time - UNIX_OF_GPS_EPOCH) * NS + round(row.time.sec * 1e9)
        if row.P[0] != 0.0 and tag <= file.epochs.tags[199]:
            assert (tag, row.P[0]) in ours, f"{file.name}: {row.P[0]} at {tag} is not ours"


def _navigation(name: str, file: str, bar: float, folder: Path) -> Row:
    path = _plain(file, folder)
    nav = rtklib.nav_t()
    rtklib.readrnx(str(path), 1, "", rtklib.obs_t(), nav, rtklib.sta_t())
    clocks = {getattr(e, "af0", None) for e in read_navigation(path).ephemerides}
    assert all(nav.eph[n].f0 in clocks for n in range(0, nav.n, 50)), f"{path.name}: clocks differ"
    ours, peer = _medians(lambda: read_navigation(path), path)
    return _row(name, path, ours, peer, bar)


def _compact() -> Row:
    name, file, bar = COMPACT
    packed = (ROOT / file).read_bytes()
    for ours, theirs in zip(
        read_observations(packed).observations, read_observations(_restored(packed)).observations, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    pairs = [
        (_timed(lambda: read_observations(packed)), _timed(lambda: read_observations(_restored(packed))))
        for _ in range(ROUNDS)
    ]
    ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    megabytes = len(_restored(packed)) / 1e6
    return name, megabytes / ours, megabytes / peer, peer / ours, bar


def _restored(packed: bytes) -> bytes:
    return bytes(hatanaka.decompress(packed))


def _rtklib_seconds(path: str) -> float:
    """One call of RTKLIB's reader, its structures made beforehand."""
    obs, nav, sta = rtklib.obs_t(), rtklib.nav_t(), rtklib.sta_t()
    return _timed(lambda: rtklib.readrnx(path, 1, "", obs, nav, sta))


def _georinex(folder: Path) -> Row:
    file, epochs, bar = GEORINEX
    whole = read_observations(ROOT / file)
    path = folder / "piece.rnx"
    path.write_bytes(whole.text.raw(0, int(whole.spans[epochs, 0])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = georinex.load(path)
        _compare_values(read_observations(path), theirs)
        ours = statistics.median(_timed(lambda: read_observations(path)) for _ in range(ROUNDS))
        peer = statistics.median(_timed(lambda: georinex.load(path)) for _ in range(2))
    return _row(f"RINEX 3, {epochs} s (georinex)", path, ours, peer, bar)


def _compare_values(file: ObservationFile, theirs: object) -> None:
    arrays = {str(code): theirs[code].values for code in theirs.data_vars}  # type: ignore[attr-defined,index]
    satellites = {str(s): n for n, s in enumerate(theirs.sv.values)}  # type: ignore[attr-defined]
    for record in epoch_records(file):
        for satellite, values in record.values.items():
            for code, (value, _, _) in values.items():
                peer = float(arrays[code][record.epoch, satellites[satellite]])
                assert math.isclose(peer, value, abs_tol=1e-9), f"{satellite} {code}: {value} is not {peer}"


def _medians(ours: Callable[[], object], path: Path) -> tuple[float, float]:
    """Median seconds, rounds interleaved, RTKLIB in its own process (else each unmaps the other's memory)."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as peer:
        pairs = [(_timed(ours), peer.submit(_rtklib_seconds, str(path)).result()) for _ in range(ROUNDS + 2)][2:]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def _timed(work: Callable[[], object]) -> float:
    """Processor time of this process and of the children it waited for, s."""
    begin = time.process_time() + _children()
    work()
    return time.process_time() + _children() - begin


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _row(name: str, path: Path, ours: float, peer: float, bar: float) -> Row:
    megabytes = path.stat().st_size / 1e6
    assert np.isfinite(ours)
    return name, megabytes / ours, megabytes / peer, peer / ours, bar


def main() -> None:
    """Print the rows."""
    print(f"first read of the process, kernels loaded or compiled: {cold():.1f} s")
    for name, ours, peer, ratio, bar in run():
        print(f"{name:<48} {ours:8.0f} MB/s, peer {peer:7.1f}: {ratio:6.1f} x (bar {bar:g})")


if __name__ == "__main__":
    main()
