"""The edge of the room: grids and their sidecars from and to disk. Everything else here works on bytes and values.

The sidecar of `hunan.gtx` is `hunan.json` beside it: the model's metadata, and the digest of the grid file so that a
sidecar that belongs to another file is noticed. What it says goes before what the grid file says.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from geoid import formats
from geoid.errors import GridFormatError, shown
from geoid.formats import gtx
from geoid.grid import Grid, describe
from geoid.metadata import parse_sidecar

_LARGEST_SIDECAR = 1 << 20


def read_grid(path: str | Path) -> Grid:
    """The grid of a file of any known format, completed by its sidecar. Raises GridFormatError, OSError."""
    path = Path(path)
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    grid = replace(formats.parse(data, path.name), sha256=digest)
    sidecar = path.with_suffix(".json")
    return _completed(grid, sidecar) if sidecar.is_file() else grid


def write_gtx(path: str | Path, grid: Grid) -> Grid:
    """Write a grid as GTX with its sidecar, whole or not at all; returns it as it will be read. Raises ModelError."""
    path = Path(path)
    data = gtx.encode(grid)
    written = replace(
        gtx.parse(data, path.name), metadata=grid.metadata, sha256=hashlib.sha256(data).hexdigest(), format=gtx.NAME
    )
    _replace(path, data)
    document = json.dumps(describe(written), indent=2, ensure_ascii=False)
    _replace(path.with_suffix(".json"), (document + "\n").encode())
    return written


def _completed(grid: Grid, path: Path) -> Grid:
    """The grid with the sidecar's statements over its own."""
    if path.stat().st_size > _LARGEST_SIDECAR:
        raise GridFormatError(path.name, "its length", f"{path.stat().st_size} bytes", f"at most {_LARGEST_SIDECAR}")
    sidecar = parse_sidecar(path.read_bytes().decode("utf-8-sig", "replace"), path.name)
    if sidecar.sha256 is not None and sidecar.sha256.lower() != grid.sha256:
        raise GridFormatError(
            path.name, "sha256", shown(sidecar.sha256), f"{grid.sha256}, the digest of the grid beside it"
        )
    shape = (grid.rows, grid.columns)
    if sidecar.rows not in (None, grid.rows) or sidecar.columns not in (None, grid.columns):
        raise GridFormatError(path.name, "rows and columns", (sidecar.rows, sidecar.columns), f"{shape}, the grid's")
    return replace(grid, metadata=sidecar.metadata.over(grid.metadata))


def _replace(path: Path, data: bytes) -> None:
    """Write beside, then rename: no reader ever sees half a file."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(data)
    temporary.replace(path)
