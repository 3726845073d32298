"""A navigation file as a value: every record as printed, and the ephemerides, ionosphere and time relations in them.

Records are rows of arrays; `NavigationRecord` values and ephemerides are made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cors.gnss.ephemeris import Ephemeris
from cors.gnss.satellites import LETTERS, satellite_name
from cors.rinex.diagnostics import Diagnostic
from cors.rinex.navigation import _kernels as k
from cors.rinex.navigation.ephemerides import ephemeris_of
from cors.rinex.navigation.header import NavigationHeader
from cors.rinex.navigation.kinds import KINDS, Kind
from cors.rinex.text import Text


@dataclass(frozen=True, slots=True)
class NavigationRecord:
    """One record as printed."""

    kind: Kind
    satellite: str
    """"G05"; a letter alone where the record names no satellite."""
    subtype: str
    calendar: int
    """Epoch of the first line, ns in the constellation's own time system."""
    values: tuple[float, ...]
    """By position (`Kind.names`), NaN blank."""
    line: int
    """1-based line of its first data line."""
    lines: int
    """Data lines."""
    texts: tuple[str, str, str] = ("", "", "")
    """STO: offset code, SBAS id, UTC id."""

    @property
    def fields(self) -> dict[str, float | None]:
        """Values by RINEX name, None blank."""
        named = zip(self.kind.names, self.values, strict=True)
        return {name: None if value != value else value for name, value in named if name}

    def data_lines(self) -> list[list[float | None]]:
        """Values line by line as printed: three on the first, four on the others, None blank."""
        plain = [None if value != value else value for value in self.values]
        return [plain[:3], *(plain[4 * n - 1 : 4 * n + 3] for n in range(1, self.lines))]


@dataclass(frozen=True, slots=True)
class IonosphereModel:
    """Parameters of a broadcast ionosphere model."""

    model: str
    """KLOBUCHAR (alpha 0..3, beta 0..3), NEQUICK_G (ai0 ai1 ai2) or BDGIM (alpha 1..9)."""
    system: str
    """Constellation letter of the message."""
    coefficients: tuple[float, ...]
    satellite: str = ""
    calendar: int | None = None
    """Transmission time, ns; None from a header."""
    hour: int | None = None
    """Hour of transmission a RINEX 3 header told."""


@dataclass(frozen=True)
class NavigationFile:
    """What `read_navigation` gives; n records in file order."""

    name: str
    header: NavigationHeader
    heads: NDArray[np.int64]
    """[n, 8] of the index kernel."""
    kinds: NDArray[np.int16]
    """[n] index into `KINDS`."""
    values: NDArray[np.float64]
    """[n, FIELDS] by position, NaN blank."""
    times: NDArray[np.int64]
    """[n, 3] toe, toc and transmission time, gpst ns; the smallest int where there is none."""
    usable: NDArray[np.bool_]
    """[n] True where an ephemeris can be made."""
    diagnostics: tuple[Diagnostic, ...]
    diagnostic_counts: Mapping[str, int]
    text: Text

    def __len__(self) -> int:
        """Records."""
        return int(self.kinds.size)

    def satellite(self, index: int) -> str:
        """Name of a record's satellite, its letter alone where no number is printed."""
        packed = int(self.heads[index, k.H_SATELLITE])
        return satellite_name(packed) if packed >= 0 else LETTERS[k.NO_SATELLITE - 1 - packed]

    def record(self, index: int) -> NavigationRecord:
        """One record as printed."""
        head, kind = self.heads[index], KINDS[self.kinds[index]]
        texts = ("", "", "")
        if kind.record_class == "STO":
            line, _ = self.text.line(int(head[k.H_BEGIN]))
            texts = line[24:42].strip(), line[43:61].strip(), line[62:80].strip()
        subtype = int(head[k.H_SUBTYPE]).to_bytes(8, "little").rstrip(b"\0").decode("latin-1")
        return NavigationRecord(
            kind, self.satellite(index), subtype, int(head[k.H_CALENDAR]), tuple(self.values[index].tolist()),
            int(head[k.H_LINE]), int(head[k.H_LINES]), texts,
        )  # fmt: skip

    def records(self) -> Iterator[NavigationRecord]:
        """All records in file order."""
        return (self.record(n) for n in range(len(self)))

    @cached_property
    def ephemerides(self) -> tuple[Ephemeris, ...]:
        """All usable ephemerides in file order, duplicates included."""
        rows = np.flatnonzero(self.usable)
        made = zip(
            self.heads[rows, k.H_SATELLITE].tolist(), self.kinds[rows].tolist(), self.values[rows].tolist(),
            self.times[rows].tolist(), self.heads[rows, k.H_CALENDAR].tolist(), strict=True,
        )  # fmt: skip
        return tuple(
            ephemeris_of(satellite, KINDS[kind], values, times, calendar, self.header.version)
            for satellite, kind, values, times, calendar in made
        )

    @property
    def glonass_channels(self) -> dict[int, int]:
        """Frequency channel by slot number, of the newest set of each satellite."""
        channels: dict[int, tuple[int, int]] = {}
        for e in self.ephemerides:
            if e.message == "FDMA" and -7 <= getattr(e, "channel", -128) <= 13:
                slot = (e.satellite & 63) + 1
                channels[slot] = max(
                    channels.get(slot, (e.toe, getattr(e, "channel", 0))), (e.toe, getattr(e, "channel", 0))
                )
        return {slot: channel for slot, (_, channel) in sorted(channels.items())}

    @cached_property
    def ionosphere(self) -> tuple[IonosphereModel, ...]:
        """Models of header and ION records, in file order."""
        return (*_header_models(self.header), *(_record_model(self.record(n)) for n in self._of_class("ION")))

    def of_class(self, record_class: str) -> Iterator[NavigationRecord]:
        """Records of one class: EPH, STO (system time offsets), EOP (Earth orientation), ION."""
        return (self.record(n) for n in self._of_class(record_class))

    def _of_class(self, record_class: str) -> list[int]:
        wanted = np.array([kind.record_class == record_class for kind in KINDS])
        return np.flatnonzero(wanted[self.kinds]).tolist() if self.kinds.size else []


def _record_model(record: NavigationRecord) -> IonosphereModel:
    names = [name for name in record.kind.names if name and name not in ("region", "disturbance_flags")]
    fields = record.fields
    coefficients = tuple(float("nan") if fields[name] is None else float(fields[name] or 0.0) for name in names)
    model = "NEQUICK_G" if names[0] == "ai0" else "BDGIM" if names[0] == "a1" else "KLOBUCHAR"
    return IonosphereModel(model, record.satellite[0], coefficients, record.satellite, record.calendar)


_SYSTEM_IDS = {"GPS": "G", "QZS": "J", "BDS": "C", "IRN": "I"}


def _header_models(header: NavigationHeader) -> Iterator[IonosphereModel]:
    """Pairs of A and B records of one satellite and hour, and Galileo's."""
    betas = {(c.id, c.hour, c.satellite): c.coefficients for c in header.ionosphere if c.id.endswith("B")}
    for c in header.ionosphere:
        if c.id == "GAL":
            yield IonosphereModel("NEQUICK_G", "E", c.coefficients[:3])
        beta = betas.get((c.id[:-1] + "B", c.hour, c.satellite)) if c.id.endswith("A") else None
        if beta is not None and c.id[:3] in _SYSTEM_IDS:
            system = _SYSTEM_IDS[c.id[:3]]
            satellite = f"{system}{c.satellite:02d}" if c.satellite else ""
            yield IonosphereModel("KLOBUCHAR", system, c.coefficients + beta, satellite, hour=c.hour)
