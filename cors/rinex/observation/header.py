"""The header of an observation file as a value: site, receiver, antenna, position, observation types, time system.

Unknown is None (or an empty text), never zero: an APPROX POSITION of zeros is no position. The lines as read stay in
`records`, so that what has no field here can be written back. Source: RINEX 2.11, 3.05, 4.02 table A2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cors.rinex.labels import HeaderRecord
from cors.rinex.timescale import TimeSystem

Vector = tuple[float, float, float]

MOVING_MARKERS = frozenset(
    ("NON_GEODETIC", "SPACEBORNE", "AIRBORNE", "WATER_CRAFT", "GROUND_CRAFT", "FIXED_BUOY", "FLOATING_BUOY",
     "FLOATING_ICE", "GLACIER", "BALLISTIC", "ANIMAL", "HUMAN", "NON_PHYSICAL")
)  # fmt: skip
"""Marker types whose position record may be missing or lie anywhere."""

ALL_SYSTEMS = ""
"""Key of `types` for the one list of RINEX 2, which holds for every system."""


@dataclass(frozen=True, slots=True)
class PhaseShift:
    """What a writer says it added to the phases of a signal, cycles. Information: readers apply nothing."""

    system: str
    code: str
    """Phase code ("L2L"); empty: the whole system's alignment is unknown."""
    cycles: float | None
    """None where the field is blank: the reference signal (with a code) or unknown (without)."""
    satellites: tuple[str, ...] = ()
    """Empty: all."""


@dataclass(frozen=True, slots=True)
class AppliedCorrection:
    """A SYS / DCBS APPLIED or SYS / PCVS APPLIED record."""

    system: str
    program: str
    source: str


@dataclass(frozen=True, slots=True)
class ObservationHeader:
    """Values of an observation header; also what a writer starts from."""

    version: float = 3.05
    system: str = "M"
    """File's constellation letter, M mixed."""
    program: str = ""
    run_by: str = ""
    date: str = ""
    marker_name: str = ""
    marker_number: str = ""
    """DOMES number where there is one."""
    marker_type: str = "GEODETIC"
    observer: str = ""
    agency: str = ""
    receiver_serial: str = ""
    receiver_type: str = ""
    receiver_firmware: str = ""
    antenna_serial: str = ""
    antenna_type: str = ""
    """IGS name without radome."""
    radome: str = ""
    position: Vector | None = None
    """Approximate ECEF of the marker, m."""
    antenna_delta_hen: Vector = (0.0, 0.0, 0.0)
    """Height of the ARP above the marker, then east and north, m."""
    antenna_delta_xyz: Vector | None = None
    """Body frame of a vehicle, m."""
    types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Observation codes by system letter (RINEX 2: two-letter codes under `ALL_SYSTEMS`), as printed."""
    signal_strength_unit: str = ""
    interval_s: float | None = None
    first_obs: int | None = None
    """Calendar ns in `time_system`."""
    last_obs: int | None = None
    time_system: TimeSystem = TimeSystem.GPS
    clock_offsets_applied: bool = False
    """True: tags, codes and phases are already corrected for the receiver clock offsets printed with the epochs."""
    dcbs: tuple[AppliedCorrection, ...] = ()
    pcvs: tuple[AppliedCorrection, ...] = ()
    scale_factors: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Printed value = true value times factor, by system letter and code."""
    phase_shifts: tuple[PhaseShift, ...] = ()
    glonass_channels: Mapping[int, int] = field(default_factory=dict)
    """Frequency channel k by slot number."""
    glonass_biases: Mapping[str, float | None] = field(default_factory=dict)
    """Code-phase bias by code (C1C C1P C2C C2P), m; None: unknown."""
    leap_seconds: int | None = None
    wavelength_factors: tuple[int, int] = (1, 1)
    """RINEX 2 default of L1 and L2: 1 full, 2 half cycles, 0 single frequency."""
    records: tuple[HeaderRecord, ...] = ()
    """Lines as read, without END OF HEADER."""

    @property
    def comments(self) -> tuple[str, ...]:
        """Texts of COMMENT lines."""
        return tuple(r.content.rstrip() for r in self.records if r.label == "COMMENT")

    @property
    def major(self) -> int:
        """2, 3 or 4: which layout the data have."""
        return max(int(self.version), 2)

    def codes(self, system: str) -> tuple[str, ...]:
        """Observation codes a satellite of a system has, in the order of its fields."""
        return self.types.get(ALL_SYSTEMS) or self.types.get(system, ())
