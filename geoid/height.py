"""Heights through a model: normal (orthometric) height = ellipsoidal height - height anomaly (undulation), and back.

Decides: the anomaly is positive where the surface lies above the ellipsoid, so it is subtracted on the way up from the
ellipsoid and added on the way back. sigma² = sigma_h² + sigma_model²; a part that is not known is left out and shown as
such. The model's part comes from an uncertainty grid where there is one (bilinear in sigma), else from its accuracy_m.
Refuses: to answer outside the grid, over missing data, or for a frame that is not known to be the model's: the numbers
are NaN and the status says why. Uncertainty and shift grids are no models.
Source: Heiskanen & Moritz 1967, sections 8-3 and 8-13.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoid import grid as grids
from geoid.errors import ModelError
from geoid.files import read_grid
from geoid.frames import parse_frame, same, stated_frame
from geoid.grid import Grid
from geoid.interpolate import STATUSES, Method, Status, evaluate
from geoid.metadata import Kind

_HEIGHT_TYPES = {Kind.QUASIGEOID: "normal", Kind.GEOID: "orthometric"}
_MICROMETRES = 6
"""Decimals of heights in records, metres: far below any model, above binary dust."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A grid that heights are computed with. Raises ModelError for a grid that is not such a surface."""

    grid: Grid
    name: str
    """As results show it: the metadata's name, else the file's."""
    uncertainty: Grid | None = None
    """Standard deviations of the anomalies, m."""

    def __post_init__(self) -> None:
        """Refuse grids of numbers that are not separations of surfaces."""
        if self.grid.metadata.kind in (Kind.UNCERTAINTY, Kind.SHIFT):
            raise ModelError(
                f"{self.name} is a grid of kind {self.grid.metadata.kind}; heights need a quasi-geoid or geoid"
            )
        if self.uncertainty is not None and np.nanmin(self.uncertainty.values, initial=0.0) < 0.0:
            raise ModelError(f"the uncertainty grid of {self.name} has negative standard deviations")

    @property
    def height_type(self) -> str | None:
        """`normal`, `orthometric`, or None where the grid does not say what it is."""
        kind = self.grid.metadata.kind
        return _HEIGHT_TYPES.get(kind) if kind is not None else None

    @property
    def method(self) -> Method:
        """The model's own interpolation, bicubic if it names none. Raises ModelError if it names one we have not."""
        return chosen_method(self.grid.metadata.interpolation or Method.BICUBIC)


class Heights(NamedTuple):
    """Results, every array of the points' shape, metres; NaN = not known or refused (then `status` says why)."""

    ellipsoidal_height: NDArray[np.float64]
    height: NDArray[np.float64]
    """Above the model's surface."""
    height_anomaly: NDArray[np.float64]
    sigma: NDArray[np.float64]
    """Of the computed height, from the parts that are known."""
    sigma_h: NDArray[np.float64]
    sigma_model: NDArray[np.float64]
    status: NDArray[np.uint8]
    """Positions in `geoid.interpolate.STATUSES`."""
    method: Method


def open_model(path: str | Path, uncertainty: str | Path | None = None) -> Model:
    """The model of a grid file, with an uncertainty grid if given. Raises GridFormatError, ModelError, OSError.

    Reads the whole file; a caller that serves many requests keeps the result, which is immutable.
    """
    grid = read_grid(path)
    sigmas = read_grid(uncertainty) if uncertainty is not None else None
    return Model(grid, grid.metadata.name or Path(path).stem, sigmas)


def chosen_method(name: str) -> Method:
    """An interpolation method by its name. Raises ModelError."""
    try:
        return Method(name)
    except ValueError:
        raise ModelError(f"no interpolation {name!r} here; choose one of {', '.join(Method)}") from None


def heights(
    model: Model,
    latitude: ArrayLike,
    longitude: ArrayLike,
    h: ArrayLike,
    *,
    method: str | None = None,
    sigma_h: ArrayLike | None = None,
    inverse: bool = False,
    frame: str | None = None,
) -> Heights:
    """Heights above the model's surface of points in degrees with ellipsoidal heights `h` in m, and their sigmas.

    With `inverse`, `h` are heights above the surface and the ellipsoidal ones are found. Inputs broadcast together;
    longitudes may run -180..180 or 0..360; `sigma_h` in m, None or NaN = not known. `frame` is NAME[@EPOCH] of the
    points: where given it must be the model's, else every status is `unknown_datum`; None takes them to be in the
    model's frame. Raises ModelError on a method or frame that cannot be understood.
    """
    given = (latitude, longitude, h, np.nan if sigma_h is None else sigma_h)
    lat, lon, known, sigma_in = np.broadcast_arrays(*(np.asarray(values, np.float64) for values in given))
    how = model.method if method is None else chosen_method(method)
    anomaly, status = evaluate(model.grid, lat, lon, how)
    with np.errstate(invalid="ignore"):
        bad = ~((np.abs(lat) <= 90.0) & (np.abs(lon) <= 360.0) & np.isfinite(known)) | (sigma_in < 0.0)
    status[bad] = Status.BAD_ROW.code
    if frame is not None and not _in_frame(model, frame):
        status[~bad] = Status.UNKNOWN_DATUM.code
    refused = status != Status.OK.code
    anomaly[refused] = np.nan
    sigma_model = _sigma_model(model, lat, lon)
    sigma_model[refused] = np.nan
    known, sigma_in = known + 0.0, np.where(refused, np.nan, sigma_in)
    sought = known + anomaly if inverse else known - anomaly
    ellipsoidal, height = (sought, known) if inverse else (known, sought)
    return Heights(ellipsoidal, height, anomaly, _combined(sigma_in, sigma_model), sigma_in, sigma_model, status, how)


def _in_frame(model: Model, asked: str) -> bool:
    """Whether points of this frame may be looked up; a model that does not state its own cannot say so."""
    frame = parse_frame(asked)
    own = stated_frame(model.grid.metadata.frame, model.grid.metadata.epoch)
    return own is not None and same(frame, own)


def _sigma_model(model: Model, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of the anomalies, NaN where nothing is known of it."""
    accuracy = model.grid.metadata.accuracy_m
    everywhere = np.full(lat.shape, np.nan if accuracy is None else accuracy)
    if model.uncertainty is None:
        return everywhere
    local, status = evaluate(model.uncertainty, lat, lon, Method.BILINEAR)
    return np.where(status == Status.OK.code, local, everywhere)


def _combined(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root of the sum of the squares that are known; NaN where none is."""
    total = np.sqrt(np.nan_to_num(one) ** 2 + np.nan_to_num(other) ** 2)
    return np.where(np.isnan(one) & np.isnan(other), np.nan, total)


def reason(model: Model, status: Status) -> str | None:
    """Why a point got no height, one sentence without commas; None where it got one."""
    stated = model.grid.metadata.frame
    foreign = f"the model is in {stated}; the point is not" if stated else "the model does not state its frame"
    return {
        Status.OK: None,
        Status.OUTSIDE_GRID: f"outside the grid {model.grid.extent}",
        Status.NO_DATA: "a node that is needed here has no data",
        Status.UNKNOWN_DATUM: foreign,
        Status.BAD_ROW: "latitude longitude height or sigma is not a possible number",
        Status.EXTRAPOLATED: "beyond the marks the model was fitted to",
    }[status]


def records(model: Model, latitude: ArrayLike, longitude: ArrayLike, result: Heights) -> Iterator[dict[str, object]]:
    """One JSON-ready record a point, in order, by the public names; None where a number is not known."""
    said = model.grid.metadata
    lat, lon = np.broadcast_arrays(np.asarray(latitude, np.float64), np.asarray(longitude, np.float64))
    places = [np.broadcast_to(degrees, result.status.shape) for degrees in (lat, lon)]
    points = zip(*(column.reshape(-1).tolist() for column in (*places, *result[:7])), strict=True)
    for latitude_, longitude_, ellipsoidal, height, anomaly, sigma, sigma_h, sigma_model, code in points:
        status = STATUSES[code]
        yield {
            "latitude": _number(latitude_, None), "longitude": _number(longitude_, None),
            "ellipsoidal_height": _number(ellipsoidal), "height": _number(height), "height_anomaly": _number(anomaly),
            "sigma": _number(sigma), "sigma_h": _number(sigma_h), "sigma_model": _number(sigma_model),
            "model": model.name, "datum": said.height_datum, "height_type": model.height_type,
            "frame": said.frame, "epoch": said.epoch, "tide_system": said.tide_system,
            "method": result.method, "model_hash": model.grid.sha256,
            "status": status, "reason": reason(model, status),
        }  # fmt: skip


def _number(value: float, decimals: int | None = _MICROMETRES) -> float | None:
    """A number as JSON can hold it."""
    if not np.isfinite(value):
        return None
    return value if decimals is None else round(value, decimals) + 0.0


def describe(model: Model) -> dict[str, object]:
    """What `cors geoid info` shows: model metadata by its public names, and what else the grid tells."""
    values = model.grid.values
    known = values[~np.isnan(values)]
    return {
        **grids.describe(model.grid),
        "name": model.name,
        "format": model.grid.format,
        "height_type": model.height_type,
        "minimum": _number(float(known.min())) if known.size else None,
        "maximum": _number(float(known.max())) if known.size else None,
        "subgrids": len(model.grid.subgrids),
        "uncertainty": model.uncertainty.metadata.name if model.uncertainty is not None else None,
    }
