"""Heights for a table of points: every line comes back as it was, with the results appended.

Decides: the appended columns are `zeta_m, H_normal_m, sigma_m, status, reason` (`h_ell_m` in the second place for the
inverse; `N_m, H_orthometric_m` where the model says it is a geoid, because those are not normal heights). Metres with
four decimals. Comments and blank lines pass through. A row in error keeps its place: status `bad_row`, the reason names
column, text and what was expected, and the rest goes on. Work goes in blocks of `ROWS`, so memory does not grow.
Refuses (TableError) a table whose columns cannot be told, or whose latitudes and longitudes are evidently swapped.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from geoid import angles, delimited
from geoid.angles import Angles
from geoid.columns import Columns, Told, find_columns, told_columns
from geoid.delimited import BLANKS, Block, quoted
from geoid.errors import TableError, shown
from geoid.height import Heights, Model, heights, reason
from geoid.interpolate import STATUSES, Status

ROWS = 65_536
"""Rows worked on at a time."""
_SHOWN_ROWS = 20
_LOWEST, _HIGHEST = -200.0, 9000.0
"""Heights on Earth; beyond them a row is converted, but with a remark."""
_AXES = ("latitude", "longitude", "height")
_LARGEST = {"latitude": 90.0, "longitude": 360.0, "height": math.inf}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user said about table and conversion; None = find out, or the model's own."""

    columns: Told | None = None
    angles: Angles = Angles.DECIMAL
    delimiter: str | None = None
    method: str | None = None
    sigma_h: float | None = None
    """For rows that bring none of their own, m."""
    inverse: bool = False
    frame: str | None = None


@dataclass(slots=True)
class Summary:
    """What became of the table; complete once all output has been taken."""

    delimiter: str = ""
    encoding: str | None = None
    columns: Columns | None = None
    header: list[str] = field(default_factory=list)
    """Names of the input's columns; empty where the table has none."""
    statuses: Counter[Status] = field(default_factory=Counter)
    remarks: int = 0
    """Converted rows that carry a reason all the same."""
    first_troubles: list[str] = field(default_factory=list)
    """The first rows without a height: line and reason."""

    @property
    def rows(self) -> int:
        """Rows that were not blank or comment."""
        return self.statuses.total()

    @property
    def converted(self) -> int:
        """Rows that got a height."""
        return self.statuses[Status.OK] + self.statuses[Status.EXTRAPOLATED]


def convert(lines: Iterable[str], model: Model, options: Options, summary: Summary) -> Iterator[str]:
    """The table's text with results appended, in pieces of many lines, from an iterable of lines with their ends.

    `summary` is filled on the way. Raises TableError, and ModelError on an unknown method or frame, before any results.
    """
    source = iter(lines)
    head, first = _until_first_row(source)
    if first is None:
        raise TableError("the table has no rows")
    text = first.rstrip("\r\n")
    if options.delimiter is not None and (len(options.delimiter) != 1 or options.delimiter in '"\r\n'):
        raise TableError(f"a delimiter is one character, not {options.delimiter!r}")
    summary.delimiter = options.delimiter or delimited.detect_delimiter(text.lstrip("#% "))
    table = _Table(model, options, summary, "\r\n" if first.endswith("\r\n") else "\n")
    has_header = table.starts_with_header(text)
    yield "".join(head) + (table.header_line(text) if has_header else "")
    rows = source if has_header else itertools.chain([first], source)
    first_line = len(head) + (2 if has_header else 1)
    for block in delimited.blocks(rows, summary.delimiter, table.width, ROWS, first_line):
        yield table.converted(block)


def convert_stream(source: BinaryIO, target: BinaryIO, model: Model, options: Options) -> Summary:
    """Convert a file of bytes into another in the same encoding. Raises as `convert` does, and OSError."""
    summary = Summary()
    decoded = delimited.decode(source)
    summary.encoding = encoding = decoded.encoding
    for text in convert(decoded.lines, model, options, summary):
        target.write(text.encode(encoding, "replace"))
        encoding = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)  # the mark stands only once
    return summary


def _until_first_row(source: Iterator[str]) -> tuple[list[str], str | None]:
    """Leading comments and blank lines, and the first line that could be a header or a row."""
    head: list[str] = []
    for line in source:
        plain = line if head else line.removeprefix("\ufeff")
        text = plain.strip()
        if text and (text[0] not in "#%" or _names_columns(text.lstrip("#% "))):
            return head, plain
        head.append(plain)
        if len(head) > ROWS:
            break
    return head, None


def _names_columns(comment: str) -> bool:
    """Whether a commented line is really the header."""
    cells = delimited.split(comment, delimited.detect_delimiter(comment))
    for inverse in (False, True):
        try:
            find_columns(cells, inverse)
        except TableError:
            continue
        return True
    return False


class _Table:
    """One table under way: its columns once known, its width, and the counts it adds to the summary."""

    def __init__(self, model: Model, options: Options, summary: Summary, end: str) -> None:
        self.model, self.options, self.summary, self.end = model, options, summary, end
        self.delimiter = summary.delimiter
        self.columns = Columns(-1, -1, -1)
        self.width = 0
        self.checked = False

    def starts_with_header(self, text: str) -> bool:
        """Find the columns from the first line; whether it is a header and not yet a row."""
        fields = delimited.split(text.lstrip("#% "), self.delimiter)
        told = self.options.columns
        self.columns = told_columns(told, fields) if told else find_columns(fields, self.options.inverse)
        self.width, self.summary.columns = len(fields), self.columns
        read = zip(self.columns[:3], _AXES, strict=True)
        header = not told or not any(self._is_number(fields[position], axis) for position, axis in read)
        self.summary.header = [cell.strip() for cell in fields] if header else []
        return header

    def _is_number(self, cell: str, axis: str) -> bool:
        """Whether a cell is a number of its kind."""
        try:
            self._parser(axis)(cell.strip())
        except ValueError:
            return False
        return True

    def header_line(self, text: str) -> str:
        """The header with the names of the results; a name that is there already gets a number."""
        geoid = self.model.height_type == "orthometric"
        anomaly, sought = ("N_m", "H_orthometric_m") if geoid else ("zeta_m", "H_normal_m")
        names = [anomaly, "h_ell_m" if self.options.inverse else sought, "sigma_m", "status", "reason"]
        taken = set(self.summary.header)
        for k, name in enumerate(names):
            numbered = (f"{name}_{number}" for number in itertools.count(2))
            names[k] = next(fresh for fresh in itertools.chain([name], numbered) if fresh not in taken)
        return self.delimiter.join([text, *names]) + self.end

    def _parser(self, axis: str) -> Callable[[str], float]:
        """How a cell of this column becomes a number; raises ValueError saying what was expected."""
        how = self.options.angles
        if axis == "height":
            return _metres
        if how is Angles.PACKED:
            return angles.packed
        if how is Angles.SEXAGESIMAL:
            return lambda cell: angles.only_sexagesimal(cell, axis)
        return lambda cell: angles.sexagesimal(cell, axis)

    def converted(self, block: Block) -> str:
        """The lines of a block with their results."""
        if block.flat is not None:
            return self.end.join([*self._appended(block.texts, block.column, {}, block.lines), ""])
        rows = [k for k, cells in enumerate(block.fields) if cells is not None]
        texts, fields = [block.texts[k] for k in rows], [block.fields[k] or [] for k in rows]
        troubles = self._square(texts, fields)
        whole = list(block.texts)
        if rows:
            lines = [block.lines[k] for k in rows]
            done = self._appended(texts, lambda position: [row[position] for row in fields], troubles, lines)
            for k, text in zip(rows, done, strict=True):
                whole[k] = text
        return self.end.join([*whole, ""])

    def _square(self, texts: list[str], fields: list[list[str]]) -> dict[int, str]:
        """Bring texts and fields to the table's width, in place; returns what is wrong with rows that cannot be."""
        troubles: dict[int, str] = {}
        blanks = self.delimiter == BLANKS
        needed = max(self.columns) + 1
        for k, row in enumerate(fields):
            extra = len(row) - self.width
            if extra == 0 or (blanks and self.options.columns and len(row) >= needed):
                continue
            if extra < 0:
                fields[k] = row + [""] * -extra
                texts[k] += "" if blanks else self.delimiter * -extra
            elif not blanks and not any(cell.strip() for cell in row[self.width :]):
                texts[k] = texts[k].rsplit(self.delimiter, extra)[0]
                continue
            if extra > 0 or blanks:
                troubles[k] = f"the row has {len(row)} fields where {self.width} belong"
        return troubles

    def _appended(
        self, texts: list[str], column: Callable[[int], list[str]], troubles: dict[int, str], lines: Sequence[int]
    ) -> list[str]:
        """Texts with the five results."""
        options, places = self.options, self.columns
        latitude, longitude, height = (
            self._numbers(column(place), place, axis, troubles) for place, axis in zip(places[:3], _AXES, strict=True)
        )
        sigma = self._sigmas(column(places.sigma_h), troubles) if places.sigma_h >= 0 else options.sigma_h
        height[list(troubles)] = np.nan
        result = heights(
            self.model, latitude, longitude, height,
            method=options.method, sigma_h=sigma, inverse=options.inverse, frame=options.frame,
        )  # fmt: skip
        self._check_order(latitude, longitude, result)
        reasons = self._reasons(result, height, troubles, lines)
        sought = result.ellipsoidal_height if options.inverse else result.height
        numbers = [_decimals(values) for values in (result.height_anomaly, sought, result.sigma)]
        if self.delimiter == BLANKS:
            numbers = [[cell or "nan" for cell in cells] for cells in numbers]
        names = [STATUSES[code] for code in result.status.tolist()]
        return list(map(self.delimiter.join, zip(texts, *numbers, names, reasons, strict=True)))

    def _numbers(self, cells: list[str], position: int, axis: str, troubles: dict[int, str]) -> NDArray[np.float64]:
        """A column as numbers, NaN for what is none; what is none, or no coordinate, is told in `troubles`."""
        values = _floats(cells) if axis == "height" or self.options.angles is Angles.DECIMAL else None
        if values is None:
            values = np.full(len(cells), np.nan)
            parse = self._parser(axis)
            for k, cell in enumerate(cells):
                try:
                    values[k] = parse(cell.strip())
                except ValueError as error:
                    troubles.setdefault(k, self._complaint(position, axis, cell, str(error)))
        expected = f"expected at most {_LARGEST[axis]:g} degrees"
        for k in np.flatnonzero(np.abs(values) > _LARGEST[axis]).tolist():
            troubles.setdefault(k, self._complaint(position, axis, cells[k], expected))
        return values

    def _complaint(self, position: int, axis: str, cell: str, expected: str) -> str:
        return f"column {position + 1} ({axis}): found {shown(cell.strip())}, {expected}"

    def _sigmas(self, cells: list[str], troubles: dict[int, str]) -> NDArray[np.float64]:
        """Standard deviations of the input heights: the row's own, else the user's, else unknown."""
        for_all = math.nan if self.options.sigma_h is None else self.options.sigma_h
        values = np.full(len(cells), for_all)
        for k, cell in enumerate(cells):
            try:
                values[k] = _sigma(cell.strip()) if cell.strip() else for_all
            except ValueError as error:
                troubles.setdefault(k, self._complaint(self.columns.sigma_h, "sigma_h", cell, str(error)))
        return values

    def _check_order(self, latitude: NDArray[np.float64], longitude: NDArray[np.float64], result: Heights) -> None:
        """Refuse a table whose first block fails whole but would be right with latitude and longitude exchanged."""
        if self.checked:
            return
        self.checked = True
        usable = np.isfinite(latitude) & np.isfinite(longitude)
        outside = (result.status == Status.OUTSIDE_GRID.code) | (result.status == Status.BAD_ROW.code)
        if not usable.any() or not outside[usable].all():
            return
        trial = heights(self.model, longitude[usable], latitude[usable], 0.0, method=self.options.method)
        if (trial.status == Status.OK.code).all():
            where = f"{latitude[usable][0]:.9g} and {longitude[usable][0]:.9g}"
            raise TableError(
                f"latitude and longitude look swapped (first row: {where}); say which is which by --columns"
            )

    def _reasons(
        self, result: Heights, height: NDArray[np.float64], troubles: dict[int, str], lines: Sequence[int]
    ) -> list[str]:
        """The last column, ready to be written, and the summary's counts."""
        codes = result.status.tolist()
        self.summary.statuses.update({STATUSES[code]: count for code, count in Counter(codes).items()})
        reasons = [quoted("", self.delimiter)] * len(codes)
        for k in np.flatnonzero(result.status).tolist():
            status = STATUSES[codes[k]]
            text = (troubles.get(k) if status is Status.BAD_ROW else None) or reason(self.model, status) or ""
            reasons[k] = quoted(text, self.delimiter)
            if len(self.summary.first_troubles) < _SHOWN_ROWS:
                self.summary.first_troubles.append(f"line {lines[k]}: {status}: {text}")
        with np.errstate(invalid="ignore"):
            strange = ((height < _LOWEST) | (height > _HIGHEST)) & (result.status == Status.OK.code)
        for k in np.flatnonzero(strange).tolist():
            reasons[k] = quoted(f"height {height[k]:g} m is hardly one on land", self.delimiter)
        self.summary.remarks += int(np.count_nonzero(strange))
        return reasons


def _metres(cell: str) -> float:
    """A height or sigma in metres. Raises ValueError."""
    try:
        return angles.decimal(cell)
    except ValueError:
        raise ValueError("expected metres, such as 95.123") from None


def _sigma(cell: str) -> float:
    """A standard deviation in metres. Raises ValueError."""
    sigma = _metres(cell)
    if sigma < 0.0:
        raise ValueError("expected metres, not negative")
    return sigma


def _floats(cells: list[str]) -> NDArray[np.float64] | None:
    """All cells as plain numbers, or None if one is not."""
    if "_" in "".join(cells):
        return None
    try:
        values = np.array(list(map(float, cells)))
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None


def _decimals(values: NDArray[np.float64]) -> list[str]:
    """Metres to 0.1 mm; nothing where there is none."""
    if values.size and values.min() == values.max():  # one sigma for all is the usual case
        return [f"{values[0]:.4f}"] * values.size
    return [f"{value:.4f}" if value == value else "" for value in (np.round(values, 4) + 0.0).tolist()]
