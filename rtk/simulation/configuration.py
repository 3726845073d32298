"""What is simulated: who, when, how disturbed, what is broken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from cors.gnss.ephemeris import Ephemeris
from cors.gnss.time import NS
from rtk.simulation.delivery import Latency
from rtk.simulation.faults import Fault
from rtk.simulation.receivers import MAKES
from rtk.simulation.scenarios import CALM, Effects, Scenario
from rtk.simulation.sites import Site, network, rover


@dataclass(frozen=True, slots=True)
class Configuration:
    """Raises ValueError where it cannot be."""

    start: int
    """Nominal first epoch, gpst ns; whole seconds."""
    seed: int = 1
    interval_s: float = 1.0
    stations: tuple[Site, ...] = ()
    rovers: tuple[Site, ...] = ()
    scenario: Scenario = CALM
    effects: Effects = field(default_factory=Effects)
    systems: str = "GRECJ"
    signals: tuple[str, ...] | None = None
    """RINEX names ("G1C") that are tracked; None: all a make can."""
    ephemerides: tuple[Ephemeris, ...] = ()
    """Sets of a navigation file to follow instead of the simulator's own constellations."""
    faults: tuple[Fault, ...] = ()
    latency: Latency = field(default_factory=Latency)
    integer_spread: float = 2000.0
    """Integers are within this of zero; MSM carries phases within 1171 m of the code."""

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated."""
        names = [site.name for site in self.sites]
        if not names or len(set(names)) < len(names):
            raise ValueError("a simulation needs receivers with different names")
        if self.start % NS or self.seed < 0:
            raise ValueError(f"start {self.start} (expected whole seconds) or seed {self.seed} (expected 0 or more)")
        unknown = {site.make for site in self.sites} - set(MAKES)
        if unknown:
            raise ValueError(f"no simulated receiver {sorted(unknown)[0]!r} (expected one of {', '.join(MAKES)})")
        milliseconds = self.interval_s * 1e3
        if milliseconds < 10.0 or milliseconds != round(milliseconds):
            raise ValueError(f"interval of {self.interval_s} s (expected whole milliseconds, 0.01 s or more)")

    @property
    def sites(self) -> tuple[Site, ...]:
        """Stations, then rovers."""
        return self.stations + self.rovers

    def elapsed(self, number: int) -> int:
        """Nominal epoch `number` in ns after the start."""
        return number * round(self.interval_s * 1e3) * 1_000_000


def demo(start: int, seed: int = 1, stations: int = 8, spacing_km: float = 55.0, **changes: Any) -> Configuration:
    """The default network with a rover in it; `changes` are fields of `Configuration`."""
    sites = network(stations, spacing_km, seed)
    return replace(Configuration(start, seed, stations=sites, rovers=(rover(sites),)), **changes)
