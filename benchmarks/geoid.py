"""Heights through a grid: our kernels against PROJ's `vgridshift`, one thread, the answers compared first.

A million random points on a 1' grid of a province (391 x 421 nodes). PROJ interpolates bilinearly only: our cubic,
which costs four times the nodes, is held against that. The table row has no peer: it says what a surveyor waits for.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyproj

from geoid import synthetic
from geoid.files import write_gtx
from geoid.height import Model
from geoid.height_table import Options, convert_stream
from geoid.interpolate import Method, evaluate

POINTS = 1_000_000
ROUNDS = 7
SAME_M = 1e-9

Row = tuple[str, float, float, float, float]
"""Name, ours, the peer's (both million points a second), ratio, and the ratio that must be reached."""


def run() -> list[Row]:
    """Rows of this room. Raises AssertionError where the answers differ: a fast wrong height has no speed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "province.gtx"
        grid = write_gtx(path, synthetic.quasigeoid(24.5, 31.0, 108.5, 115.5, 1.0 / 60.0, seed=1))
        random = np.random.default_rng(1)
        lat, lon = random.uniform(24.6, 30.9, POINTS), random.uniform(108.6, 115.4, POINTS)
        phi, lam, zero = np.radians(lat), np.radians(lon), np.zeros(POINTS)
        proj = pyproj.Transformer.from_pipeline(f"+proj=vgridshift +grids={path} +multiplier=1")

        theirs = proj.transform(lam, phi, zero, radians=True)[2]
        bilinear = evaluate(grid, lat, lon, Method.BILINEAR).values
        assert np.abs(bilinear - theirs).max() < SAME_M, "bilinear differs from PROJ's"
        cubic = evaluate(grid, lat, lon, Method.BICUBIC).values
        assert np.abs(cubic - bilinear).max() < 1e-3, "cubic leaves the smooth surface"

        peer, ours_bilinear, ours_cubic = _medians(
            lambda: proj.transform(lam, phi, zero, radians=True),
            lambda: evaluate(grid, lat, lon, Method.BILINEAR),
            lambda: evaluate(grid, lat, lon, Method.BICUBIC),
        )
        table = _table_seconds(Model(grid, "province"), lat, lon)
    millions = POINTS / 1e6
    return [
        ("geoid bicubic, arrays (pyproj: bilinear)", millions / ours_cubic, millions / peer, peer / ours_cubic, 4.0),
        (
            "geoid bilinear, arrays (pyproj: bilinear)",
            millions / ours_bilinear,
            millions / peer,
            peer / ours_bilinear,
            4.0,
        ),
        (
            "geoid table, CSV to CSV (bar: 6 s a million rows)",
            millions / table,
            millions / 6.0,
            6.0 * millions / table,
            1.0,
        ),
    ]


def _medians(*contestants: Callable[[], object]) -> list[float]:
    """Median seconds of each, run in turn round by round."""
    seconds: list[list[float]] = [[] for _ in contestants]
    for _ in range(ROUNDS):
        for times, contestant in zip(seconds, contestants, strict=True):
            start = time.perf_counter()
            contestant()
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in seconds]


def _table_seconds(model: Model, lat: np.ndarray, lon: np.ndarray) -> float:
    """Seconds to convert a CSV of all points, bytes to bytes."""
    rows = [
        f"P{k},{a:.9f},{b:.9f},95.1234,dry" for k, (a, b) in enumerate(zip(lat.tolist(), lon.tolist(), strict=True))
    ]
    source = ("id,lat,lon,h,remark\n" + "\n".join(rows) + "\n").encode()
    start = time.perf_counter()
    summary = convert_stream(io.BytesIO(source), io.BytesIO(), model, Options())
    assert summary.converted == POINTS
    return time.perf_counter() - start


if __name__ == "__main__":
    for name, ours, peer, ratio, bar in run():
        print(f"{name:52} {ours:8.2f} {peer:8.2f} {ratio:7.2f} x  (bar {bar:g})")
