"""The room's page: its example runs, its reasons are all there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from api.caster.reasons import EndReason, UploadEnd

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "caster.md").read_text()


def test_the_example_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:].count("['station 7']") == 1


def test_every_reason_is_named() -> None:
    for reason in (*EndReason, *UploadEnd):
        assert f"`{reason.value}`" in PAGE
