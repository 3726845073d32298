"""Every benchmark of the project: `python -m benchmarks [NAME...]`; a row that misses its bar makes the exit code 1."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main(names: list[str]) -> int:
    """Run the modules that have a `run()`, print their rows, count those below their bar."""
    missed = 0
    for module in sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name != "__main__"):
        found = importlib.import_module(f"benchmarks.{module}") if not names or module in names else None
        if found is None or not hasattr(found, "run"):
            continue
        for row in found.run():
            name, ours, peer, ratio, bar = row if isinstance(row, tuple) else _fields(row)
            met = "" if ratio >= bar else "  BELOW THE BAR"
            missed += ratio < bar
            print(f"{module:<20} {name:<50} {ours:12.4g} {peer:12.4g} {ratio:8.1f} x (bar {bar:g}){met}", flush=True)
    return 1 if missed else 0


def _fields(row: dict[str, object]) -> tuple[object, ...]:
    return tuple(row[key] for key in ("name", "ours", "peer", "ratio", "bar"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
