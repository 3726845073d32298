"""Every benchmark of the project: `python -m benchmarks [NAME...]`; a row that misses its bar makes the exit code 1.

A module's `run()` gives rows (name, ours, peer's, ratio, bar), larger is better; or mappings of what it measured with
`name` and `met`.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Mapping
from typing import Any

import benchmarks


def main(names: list[str]) -> int:
    """Run the modules that have a `run()`, print their rows, count those that miss their bar."""
    missed = 0
    for module in sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name != "__main__"):
        found = importlib.import_module(f"benchmarks.{module}") if not names or module in names else None
        if found is None or not hasattr(found, "run"):
            continue
        for row in found.run():
            text, met = _shown(row)
            missed += not met
            print(f"{module:<12} {text}{'' if met else '  BELOW THE BAR'}", flush=True)
    return 1 if missed else 0


def _shown(row: tuple[str, float, float, float, float] | Mapping[str, Any]) -> tuple[str, bool]:
    if isinstance(row, tuple):
        name, ours, peer, ratio, bar = row
        return f"{name:<50} {ours:12.4g} {peer:12.4g} {ratio:8.1f} x (bar {bar:g})", ratio >= bar
    figures = (
        f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items() if k not in ("name", "met")
    )
    return f"{row['name']:<50} {', '.join(figures)}", bool(row["met"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
