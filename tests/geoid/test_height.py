"""Heights through a model: the defining equations, sigmas, and what is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geoid import synthetic
from geoid.errors import ModelError
from geoid.files import write_gtx
from geoid.frames import parse_frame, same, stated_frame
from geoid.grid import Grid
from geoid.height import Model, describe, heights, open_model, records
from geoid.interpolate import STATUSES, Status, evaluate
from geoid.metadata import Kind, Metadata

AREA = (27.0, 29.0, 111.0, 114.0)


def model(**said: object) -> Model:
    """A synthetic model with other metadata."""
    grid = synthetic.quasigeoid(*AREA, step_deg=0.05, seed=3)
    return Model(replace(grid, metadata=replace(grid.metadata, **said)), "test")  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [1, 500])
def test_normal_height_is_ellipsoidal_minus_anomaly_and_back(count: int) -> None:
    """H* = h - ζ (Heiskanen & Moritz 8-13), and the inverse of it is the same look-up."""
    random = np.random.default_rng(1)
    lat, lon, h = (
        random.uniform(27.0, 29.0, count),
        random.uniform(111.0, 114.0, count),
        random.uniform(0.0, 2000.0, count),
    )
    down = heights(model(), lat, lon, h)
    np.testing.assert_array_equal(down.height, h - down.height_anomaly)
    assert (down.height > h).all(), "Hunan: the surface lies below the ellipsoid, so heights grow"
    np.testing.assert_array_equal(down.height_anomaly, evaluate(model().grid, lat, lon).values)
    back = heights(model(), lat, lon, down.height, inverse=True)
    np.testing.assert_allclose(back.ellipsoidal_height, h, rtol=0.0, atol=1e-12)
    np.testing.assert_array_equal(back.height, down.height)


def test_variances_add() -> None:
    result = heights(model(accuracy_m=0.02), 28.0, [112.0, 112.1, 112.2], 100.0, sigma_h=[0.015, np.nan, 0.0])
    np.testing.assert_allclose(result.sigma, [0.025, 0.02, 0.02], atol=1e-12)
    np.testing.assert_array_equal(result.sigma_model, 0.02)
    unknown = heights(model(accuracy_m=None), 28.0, [112.0, 112.1], 100.0, sigma_h=[0.015, np.nan])
    np.testing.assert_array_equal(unknown.sigma, [0.015, np.nan])
    assert np.isnan(unknown.sigma_model).all()


def test_uncertainty_grid_is_interpolated_in_sigma_and_completed_by_the_stated_accuracy() -> None:
    sigmas = np.array([[0.01, 0.03], [0.01, 0.03]])
    base = model(accuracy_m=0.05)
    local = Model(base.grid, "test", Grid(sigmas, 28.0, 112.0, 0.5, 0.5, Metadata(kind=Kind.UNCERTAINTY)))
    result = heights(local, [28.2, 28.2, 27.5], [112.0, 112.25, 112.25], 0.0)
    np.testing.assert_allclose(result.sigma_model, [0.01, 0.02, 0.05], atol=1e-12)


@pytest.mark.parametrize(
    ("latitude", "longitude", "h", "expected"),
    [
        (28.0, 112.0, 100.0, Status.OK),
        (29.0, 114.0, 100.0, Status.OK),
        (28.0, -248.0, 100.0, Status.OK),
        (29.1, 112.0, 100.0, Status.OUTSIDE_GRID),
        (28.0, 110.9, 100.0, Status.OUTSIDE_GRID),
        (math.nan, 112.0, 100.0, Status.BAD_ROW),
        (95.0, 112.0, 100.0, Status.BAD_ROW),
        (28.0, 472.0, 100.0, Status.BAD_ROW),
        (28.0, 38_500_000.0, 100.0, Status.BAD_ROW),
        (28.0, 112.0, math.inf, Status.BAD_ROW),
    ],
)
def test_no_height_without_a_model_there(latitude: float, longitude: float, h: float, expected: Status) -> None:
    result = heights(model(), latitude, longitude, h, sigma_h=0.01)
    assert STATUSES[int(result.status)] is expected
    numbers = [float(x) for x in (result.height, result.height_anomaly, result.sigma, result.sigma_model)]
    assert all(map(math.isfinite, numbers)) == (expected is Status.OK)
    assert all(map(math.isnan, numbers)) == (expected is not Status.OK)


def test_negative_sigma_is_a_bad_row() -> None:
    assert STATUSES[int(heights(model(), 28.0, 112.0, 100.0, sigma_h=-0.01).status)] is Status.BAD_ROW


@pytest.mark.parametrize(
    ("stated", "epoch", "asked", "answered"),
    [
        ("CGCS2000", None, "CGCS2000", True),
        ("CGCS2000", 2000.0, "cgcs 2000", True),
        ("CGCS2000", None, "EPSG:4490", True),
        ("CGCS2000", None, "ITRF97@2000.0", True),
        ("ITRF97", 2000.0, "CGCS2000", True),
        ("ITRF2014", None, "ITRF2014@2026.9", True),
        ("CGCS2000", None, "ITRF2014@2026.9", False),
        ("CGCS2000", None, "WGS84", False),
        ("CGCS2000", None, "CGCS2000@2026.9", False),
        ("ITRF2014", 2010.0, "ITRF2014@2026.9", False),
        (None, None, "CGCS2000", False),
        ("---", None, "CGCS2000", False),
    ],
)
def test_foreign_frames_are_refused_not_answered(
    stated: str | None, epoch: float | None, asked: str, answered: bool
) -> None:
    result = heights(model(frame=stated, epoch=epoch), 28.0, 112.0, 100.0, frame=asked)
    assert STATUSES[int(result.status)] is (Status.OK if answered else Status.UNKNOWN_DATUM)
    assert np.isnan(result.height) != answered


def test_frames_that_are_none() -> None:
    for text in ("", "@2020", "ITRF2014@soon", "ITRF2014@26.9", "ITRF2014@nan"):
        with pytest.raises(ModelError, match=r"epoch|frame"):
            parse_frame(text)
    assert stated_frame(" - ", None) is None
    assert same(parse_frame("ITRF2014@2010"), parse_frame("ITRF 2014@2010.0"))


def test_uncertainty_and_shift_grids_are_no_models() -> None:
    for kind in (Kind.UNCERTAINTY, Kind.SHIFT):
        with pytest.raises(ModelError, match=f"kind {kind}"):
            model(kind=kind)


def test_methods() -> None:
    assert heights(model(interpolation="bilinear"), 28.0, 112.0, 0.0).method == "bilinear"
    assert heights(model(interpolation=None), 28.0, 112.0, 0.0).method == "bicubic"
    with pytest.raises(ModelError, match=r"'spline'.*bilinear, bicubic"):
        heights(model(interpolation="spline"), 28.0, 112.0, 0.0)
    assert heights(model(interpolation="spline"), 28.0, 112.0, 0.0, method="bicubic").method == "bicubic"


def test_records_have_the_names_of_the_interface() -> None:
    """The keys of `cors height --json`, JSON-ready, and the same numbers as the arrays'."""
    result = heights(model(), [28.0, 35.0], [112.9, 112.9], [95.123, 95.123], sigma_h=0.01)
    good, refused = records(model(), [28.0, 35.0], 112.9, result)
    assert " ".join(good) == (
        "latitude longitude ellipsoidal_height height height_anomaly sigma sigma_h sigma_model model datum height_type "
        "frame epoch tide_system method model_hash status reason"
    )
    assert good["height"] == pytest.approx(float(result.height[0]), abs=1e-6)
    assert (good["status"], good["reason"], good["height_type"]) == ("ok", None, "normal")
    assert (refused["status"], refused["height"], refused["sigma"]) == ("outside_grid", None, None)
    assert refused["reason"] == "outside the grid 27..29 N 111..114 E"
    assert refused["ellipsoidal_height"] == 95.123
    json.dumps([good, refused], allow_nan=False)


def test_one_point_wakes_no_compiler() -> None:
    """A command for one point must not pay for numba: half a second before the answer."""
    program = (
        "import sys; from geoid import synthetic; from geoid.height import Model, heights\n"
        "model = Model(synthetic.quasigeoid(27.0, 28.0, 111.0, 112.0, 0.1), 'x')\n"
        "heights(model, 27.5, 111.5, 95.0)\n"
        "assert not {'numba', 'scipy', 'pyproj', 'tifffile'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(
    ("kind", "height_type"),
    [(Kind.QUASIGEOID, "normal"), (Kind.GEOID, "orthometric"), (Kind.HYBRID, None), (None, None)],
)
def test_height_type_is_what_the_model_says(kind: Kind | None, height_type: str | None) -> None:
    assert model(kind=kind).height_type == height_type


def test_open_model_and_describe(tmp_path: Path) -> None:
    grid = synthetic.quasigeoid(*AREA, step_deg=0.05, seed=3)
    write_gtx(tmp_path / "hunan.gtx", grid)
    opened = open_model(tmp_path / "hunan.gtx")
    said = describe(opened)
    assert opened.name == said["name"] == "synthetic quasi-geoid, seed 3"
    assert (said["kind"], said["accuracy_m"], said["height_type"], said["format"]) == (
        "quasigeoid",
        0.02,
        "normal",
        "gtx",
    )
    assert (said["south"], said["north"], said["rows"], said["columns"]) == (27.0, 29.0, 41, 61)
    json.dumps(said, allow_nan=False)
    (tmp_path / "hunan.json").unlink()
    bare = open_model(tmp_path / "hunan.gtx")
    assert (bare.name, bare.height_type, describe(bare)["accuracy_m"]) == ("hunan", None, None)
    np.testing.assert_array_equal(bare.grid.values, opened.grid.values)
