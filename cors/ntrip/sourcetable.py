"""The sourcetable's records and how they are written (ntrip 2.7); `cors.ntrip.table_reader` reads what others write.

Written with CR LF, in UTF-8, without quotes (nobody reads them): a `;` in a text becomes `,`, a control character a
blank. Coordinates have two decimals: the table says roughly where, for everybody.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

END = "ENDSOURCETABLE"

_MESSAGE = re.compile(r"\s*(\d{1,4})(?:\.\d+)?\s*(?:\(\s*(\d{1,6}(?:\.\d{0,6})?)\s*\))?\s*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """STR: a mountpoint. Texts as they came; numbers NaN or None where blank or unreadable."""

    mountpoint: str
    identifier: str = ""
    format: str = ""
    details: str = ""
    """`1005(10),1077(1)`; see `messages`."""
    carrier: int | None = None
    """0 none, 1 L1, 2 L1 and more."""
    systems: str = ""
    """`GPS+GLO+GAL+BDS+QZS+SBAS`, or what operators write."""
    network: str = ""
    country: str = ""
    latitude: float = math.nan
    longitude: float = math.nan
    """Degrees, -180..180."""
    nmea: bool = False
    """The client must send its position."""
    network_solution: bool = False
    generator: str = ""
    compression: str = ""
    authentication: str = ""
    """N, B or D."""
    fee: bool = False
    bitrate: int | None = None
    """bit/s."""
    misc: str = ""

    @property
    def messages(self) -> dict[int, float]:
        """RTCM message types of the details and their intervals, s (NaN where not told)."""
        found: dict[int, float] = {}
        for part in self.details.replace("/", ",").split(","):
            if match := _MESSAGE.match(part):
                found[int(match.group(1))] = float(match.group(2)) if match.group(2) else math.nan
        return found

    def fields(self) -> list[str]:
        """As written."""
        place = (_degrees(self.latitude), _degrees(self.longitude))
        return _texts(
            "STR", self.mountpoint, self.identifier, self.format, self.details, self.carrier, self.systems,
            self.network, self.country, *place, int(self.nmea), int(self.network_solution), self.generator,
            self.compression, self.authentication, _yes_no(self.fee), self.bitrate, self.misc,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CasterRecord:
    """CAS: a caster."""

    host: str
    port: int | None = None
    identifier: str = ""
    operator: str = ""
    nmea: bool = False
    country: str = ""
    latitude: float = math.nan
    longitude: float = math.nan
    fallback_host: str = "0.0.0.0"
    """`0.0.0.0`: none."""
    fallback_port: int | None = 0
    misc: str = ""

    def fields(self) -> list[str]:
        """As written."""
        place = (_degrees(self.latitude), _degrees(self.longitude))
        return _texts(
            "CAS", self.host, self.port, self.identifier, self.operator, int(self.nmea), self.country, *place,
            self.fallback_host, self.fallback_port, self.misc,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NetworkRecord:
    """NET: a network of mountpoints."""

    identifier: str
    operator: str = ""
    authentication: str = ""
    fee: bool = False
    web_network: str = ""
    web_streams: str = ""
    web_registration: str = ""
    misc: str = ""

    def fields(self) -> list[str]:
        """As written."""
        return _texts(
            "NET", self.identifier, self.operator, self.authentication, _yes_no(self.fee), self.web_network,
            self.web_streams, self.web_registration, self.misc,
        )  # fmt: skip


Record = StreamRecord | CasterRecord | NetworkRecord
MOST_FIELDS = {"STR": len(fields(StreamRecord)), "CAS": len(fields(CasterRecord)), "NET": len(fields(NetworkRecord))}
"""Fields behind the type."""


def _degrees(value: float) -> str:
    return "0.00" if math.isnan(value) else f"{value:.2f}"


def _yes_no(value: bool) -> str:
    return "Y" if value else "N"


def _texts(*values: str | int | None) -> list[str]:
    return [re.sub(r"[\x00-\x1f\x7f]", " ", "" if v is None else str(v).replace(";", ",")) for v in values]


def build_sourcetable(records: Sequence[Record]) -> bytes:
    """A table's body, ENDSOURCETABLE and its CR LF included."""
    lines = [";".join(record.fields()) for record in records]
    return "".join(f"{line}\r\n" for line in [*lines, END]).encode("utf-8", "replace")
