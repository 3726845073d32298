"""Grids on disk with their sidecars."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geoid import synthetic
from geoid.errors import GridFormatError
from geoid.files import read_grid, write_gtx
from geoid.metadata import Kind, Scope
from tests.geoid import grids


def test_write_then_read_is_the_same(tmp_path: Path) -> None:
    grid = synthetic.quasigeoid(27.0, 28.0, 111.0, 112.5, 0.1, seed=9)
    written = write_gtx(tmp_path / "a.gtx", grid)
    read = read_grid(tmp_path / "a.gtx")
    np.testing.assert_array_equal(read.values, written.values)
    np.testing.assert_allclose(read.values, grid.values, rtol=0.0, atol=1e-6)  # float32 at 17 m
    assert read.metadata == grid.metadata
    assert read.sha256 == written.sha256 == hashlib.sha256((tmp_path / "a.gtx").read_bytes()).hexdigest()
    assert json.loads((tmp_path / "a.json").read_text())["no_data_count"] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gtx", "a.json"]


def test_sidecar_goes_before_the_file_and_leaves_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.isg").write_text(grids.isg())
    (tmp_path / "a.json").write_text('﻿{"kind": "hybrid", "accuracy_m": 0.022, "scope": "restricted", "其他": [1]}')
    said = read_grid(tmp_path / "a.isg").metadata
    assert (said.kind, said.accuracy_m, said.scope) == (Kind.HYBRID, 0.022, Scope.RESTRICTED)
    assert (said.name, said.tide_system, said.epoch) == ("TEST", "mean-tide", None)


@pytest.mark.parametrize(
    ("sidecar", "expected"),
    [
        ('{"sha256": "00"}', "the digest of the grid beside it"),
        ('{"rows": 8}', "the grid's"),
        ('{"kind": "levelled"}', "quasigeoid | geoid"),
        ('{"accuracy_m": -1}', "not negative"),
        ('{"accuracy_m": "much"}', "a number or null"),
        ('{"name": 3}', "text or null"),
        ('{"units": "ft"}', '"m"'),
        ("[]", "JSON object"),
        ("{", "JSON object"),
    ],
)
def test_a_sidecar_that_cannot_be_true_is_refused(sidecar: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "a.gtx").write_bytes(grids.gtx())
    (tmp_path / "a.json").write_text(sidecar)
    with pytest.raises(GridFormatError) as caught:
        read_grid(tmp_path / "a.gtx")
    assert "a.json" in str(caught.value)
    assert expected.replace(" | ", "") in str(caught.value).replace(" | ", "")


def test_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_grid(tmp_path / "none.gtx")


def test_synthetic_surface_is_what_its_description_says() -> None:
    """Near -17 m, decimetres of relief on a gentle slope, the same place and seed the same value."""
    wide = synthetic.quasigeoid(24.5, 30.5, 108.5, 114.5, 0.05, seed=1)
    assert -22.0 < wide.values.min() < wide.values.max() < -12.0
    part = synthetic.quasigeoid(27.0, 28.0, 111.0, 112.0, 0.05, seed=1)
    np.testing.assert_allclose(part.values, wide.values[50:71, 50:71], rtol=0.0, atol=1e-9)
    assert np.abs(part.values - synthetic.quasigeoid(27.0, 28.0, 111.0, 112.0, 0.05, seed=2).values).max() > 0.05
    slopes = np.hypot(*np.gradient(wide.values, 0.05 * 111_000.0))
    assert slopes.max() < 30e-6, "m per m: Hunan's own slope reaches 100 mm/km"
    row, column = np.mgrid[0 : wide.rows, 0 : wide.columns]
    plane = np.linalg.lstsq(
        np.column_stack([np.ones(row.size), row.ravel(), column.ravel()]), wide.values.ravel(), rcond=None
    )
    assert 0.03 < np.sqrt(plane[1][0] / row.size) < 0.6
    assert "synthetic" in (wide.metadata.name or "")
    assert wide.metadata.kind is Kind.QUASIGEOID


def test_synthetic_area_is_covered_and_checked() -> None:
    odd = synthetic.quasigeoid(27.0, 27.95, 111.0, 112.01, 0.1, seed=1)
    assert odd.north >= 27.95 and odd.east >= 112.01
    for area in ((28.0, 27.0, 111.0, 112.0), (27.0, 28.0, 112.0, 112.0), (-95.0, 0.0, 0.0, 1.0)):
        with pytest.raises(ValueError, match=r"no grid|leave"):
            synthetic.quasigeoid(*area, step_deg=0.1)
    with pytest.raises(ValueError, match="no grid"):
        synthetic.quasigeoid(27.0, 28.0, 111.0, 112.0, 0.0)


def test_written_metadata_survive_a_copy_with_other_statements(tmp_path: Path) -> None:
    grid = synthetic.quasigeoid(27.0, 28.0, 111.0, 112.0, 0.1)
    written = write_gtx(tmp_path / "a.gtx", replace(grid, metadata=replace(grid.metadata, frame=None, epoch=None)))
    assert read_grid(tmp_path / "a.gtx").metadata == written.metadata
    assert written.metadata.frame is None
