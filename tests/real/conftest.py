"""Tests on real data, which live beside the repository and not in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(os.environ.get("CORSNET_DATA", Path(__file__).parents[3] / "shared" / "data"))


def data_path(*parts: str) -> Path:
    """A file or folder of the data collection; skips the test where the collection is missing."""
    if not _ROOT.is_dir():
        pytest.skip(f"no data collection at {_ROOT} (set CORSNET_DATA to its folder)", allow_module_level=True)
    path = _ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the data collection has no {path.relative_to(_ROOT)}", allow_module_level=True)
    return path
