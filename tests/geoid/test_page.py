"""The page of the room: its example runs as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "geoid.md"


def test_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "quasigeoid normal"
    assert printed[1].endswith("ok None")
    assert printed[2].endswith("outside_grid outside the grid 24.5..30.5 N 108.5..114.5 E")
    assert printed[3] == "点名,纬度,经度,大地高,zeta_m,H_normal_m,sigma_m,status,reason"
    assert ",bad_row," in printed[5]
