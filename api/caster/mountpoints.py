"""A mountpoint as a value: what a name stands for, parsed once (interfaces.md, Mountpoints).

`VRS_MSM4_GPS_BDS` is product VRS in the form MSM4 with two systems: suffixes come in this order, systems in the order
of the table below. A name whose first word is no product is a station: its bytes are passed on as received, unless a
form is asked for. Names of the operator's own choice (`RTCM33_GRCEJ`) are made with `Mountpoint(...)` directly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from api.accounts.account import AccountLevel
from cors.gnss.satellites import Constellation

MAX_NAME = 32


class Product(StrEnum):
    """What is served."""

    STATION = "STATION"
    """One station's stream."""
    VRS = "VRS"
    MAC = "MAC"
    FKP = "FKP"
    NEAR = "NEAR"
    DGNSS = "DGNSS"
    SSR = "SSR"
    AUTO = "AUTO"
    """The best the account's level and the rover's position allow."""

    @property
    def needs_position(self) -> bool:
        """False where every rover gets the same bytes wherever it is."""
        return self not in (Product.STATION, Product.SSR)

    @property
    def is_network(self) -> bool:
        """True where more than one station stands behind it."""
        return self in (Product.VRS, Product.MAC, Product.FKP, Product.SSR, Product.AUTO)


class Form(StrEnum):
    """How observations are written."""

    RECEIVED = "RECEIVED"
    """As the station sent them."""
    MSM4 = "MSM4"
    MSM5 = "MSM5"
    MSM7 = "MSM7"
    LEGACY = "LEGACY"
    """1004, 1012 and relatives."""


SYSTEM_NAMES = {
    "GPS": Constellation.GPS, "GLO": Constellation.GLONASS, "GAL": Constellation.GALILEO, "BDS": Constellation.BEIDOU,
    "QZS": Constellation.QZSS, "SBAS": Constellation.SBAS, "NAVIC": Constellation.NAVIC,
}  # fmt: skip
"""As suffixes and in the sourcetable, in this order."""

_NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{MAX_NAME}}}\Z")
_FORMS = {form.value: form for form in Form if form is not Form.RECEIVED}


@dataclass(frozen=True, slots=True)
class Access:
    """Who may have a mountpoint."""

    level: AccountLevel = AccountLevel.METRE
    anonymous: bool = False
    """No credentials are asked for."""
    listed: bool = True
    """False: not in the sourcetable, and to those who may not have it as if it were not there."""


@dataclass(frozen=True, slots=True)
class Mountpoint:
    """One name and what it means. Raises ValueError for a name that no client could ask for."""

    name: str
    product: Product = Product.STATION
    form: Form = Form.RECEIVED
    systems: tuple[Constellation, ...] = ()
    """Empty: all there are."""
    frame: str = ""
    """CGCS2000, ITRF2020; empty: the network's."""
    access: Access = Access()

    def __post_init__(self) -> None:
        """Check the name."""
        if not _NAME.match(self.name):
            raise ValueError(f"mountpoint {self.name[:40]!r} (expected 1..{MAX_NAME} of A-Z a-z 0-9 _ . -)")

    @property
    def needs_position(self) -> bool:
        """The rover must say where it is."""
        return self.product.needs_position


def parse_mountpoint(name: str, *, frame: str = "", access: Access | None = None) -> Mountpoint:
    """The mountpoint that a name means. Raises ValueError for a name that no client could ask for."""
    base, form, systems = split_name(name)
    product = Product.__members__.get(base, Product.STATION)
    if form is None:
        as_received = product in (Product.STATION, Product.NEAR)
        form = Form.RECEIVED if as_received else Form.MSM5
    return Mountpoint(name, product, form, systems, frame, access or Access())


def split_name(name: str) -> tuple[str, Form | None, tuple[Constellation, ...]]:
    """Base name, form and systems of a name; words that are no suffix, or not in order, belong to the base."""
    words = name.split("_")
    order = list(SYSTEM_NAMES)
    systems: list[str] = []
    while len(words) > 1 and words[-1] in SYSTEM_NAMES:
        if systems and order.index(words[-1]) >= order.index(systems[0]):
            break
        systems.insert(0, words.pop())
    form = _FORMS[words.pop()] if len(words) > 1 and words[-1] in _FORMS else None
    return "_".join(words), form, tuple(SYSTEM_NAMES[system] for system in systems)
