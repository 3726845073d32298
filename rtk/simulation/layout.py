"""Arrays the kernels take, side by side: s receivers, n satellites, k signals of a satellite, m makes of receivers.

Lengths are metres and times seconds unless a field says otherwise. numba's cache knows a NamedTuple by its name and the
types of its fields, not by their names or order: who renames or reorders fields also changes LAYOUT in `_kernels`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIGNALS_A_SATELLITE = 6

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Place(NamedTuple):
    """Receivers at one epoch."""

    position: Floats
    """[s, 3] ARP in ECEF, displaced by the tide."""
    velocity: Floats
    """[s, 3] m/s in ECEF."""
    rotation: Floats
    """[s, 3, 3] rows east, north, up."""
    plane: Floats
    """[s, 3] km east and north of the network's centre, height km."""
    zhd: Floats
    """[s] zenith hydrostatic delay."""
    reception: Floats
    """[s] true reception time minus nominal epoch."""
    clock: Floats
    """[s] receiver clock of the code."""
    phase_clock: Floats
    """[s] receiver clock of the phase: what a code-only clock reset leaves behind."""
    drift: Floats
    """[s] s/s."""
    active: NDArray[np.bool_]
    """[s]."""


class SatelliteEpoch(NamedTuple):
    """Satellites at one epoch."""

    position: Floats
    """[n, 3, 3] coefficients of a quadratic (outer index) in the inertial frame of the nominal epoch."""
    clock: Floats
    """[n, 2] s and s/s at the middle node."""
    usable: NDArray[np.bool_]
    packed: NDArray[np.int16]
    group: Integers
    """[n] row of the BDS-2 code table, -1 where it has none."""
    code_table: Floats
    """[group, band, 10] m at 0, 10, ... 90 degrees."""
    shapiro: bool


class ReceiverTables(NamedTuple):
    """Receivers, as long as the simulation lasts (biases: as long as a minute)."""

    make: Integers
    antenna: Integers
    key: Integers
    reflectors: Floats
    """[s, r, 6]."""
    coloured: Floats
    """[s, 2] code and phase."""
    noise: Floats
    """[s] scale of white noise."""
    cn0: Floats
    """[s] dB."""
    code_bias: Floats
    """[s, packed signal]."""
    phase_bias: Floats
    """[s, packed signal]."""
    glonass_code: Floats
    """[s, n] inter-frequency code bias."""


class SignalTables(NamedTuple):
    """Signals of each satellite at each make of receiver."""

    tracked: Integers
    """[m, n] how many signals."""
    signal: NDArray[np.uint16]
    """[m, n, k] packed, ascending."""
    frequency: Floats
    """[m, n, k] Hz."""
    chip: Floats
    """[m, n, k] white code noise at 45 dB-Hz."""
    multipath: Floats
    """[m, n, k] scale of code multipath."""
    cn0: Floats
    """[m, n, k] dB."""
    band: Integers
    """[m, n, k] row of the antenna tables."""
    beidou2_band: Integers
    """[m, n, k] row of the BDS-2 code table."""
    delay: Floats
    """[m, n, k] the satellite's code delay."""
    phase: Floats
    """[m, n, k] the satellite's phase bias, cycles."""
    cycles: Floats
    """[m, n] cycles a make adds to a class of satellites."""


class IonosphereField(NamedTuple):
    """Thin shell; lengths km, contents TECU, angles rad."""

    radius: float
    """m from the Earth's centre."""
    latitude: float
    longitude: float
    local_s: float
    """Local solar time at the start."""
    night: float
    day: float
    crest: float
    waves: Floats
    """[w, 5]."""
    front: Floats
    """[7] amount TECU, direction x, y, speed km/s, arrival s, width km, duration s."""
    patches: Floats
    """[p, 5]."""
    scintillation: float


class TroposphereField(NamedTuple):
    """Lengths of the field km, delays m."""

    wet: float
    wet_height: float
    waves: Floats
    """[w, 5]."""
    front: Floats
    """[6] change m, direction x, y, speed km/s, arrival s, width km."""
    hydrostatic_mapping: Floats
    """[3, 2] coefficients a, b, c and their change a km."""
    wet_mapping: Floats


class Atmosphere(NamedTuple):
    """Both."""

    iono: IonosphereField
    tropo: TroposphereField


class AntennaTables(NamedTuple):
    """By antenna type and band."""

    offset: Floats
    """[a, b, 3] north, east, up."""
    pattern: Floats
    """[a, b, 4] coefficients of sin^2 z, sin^4 z, sin^2 z cos 2(az - az0) in m, and az0."""


class Locks(NamedTuple):
    """What each receiver has locked on in one cell of a minute, and the one event that may change it."""

    lock_from: Floats
    """[s, n, k] since the start."""
    integer: Integers
    """[s, n, k] cycles."""
    half_until: Floats
    next_from: Floats
    next_integer: Integers
    next_half: Floats
    ends: Floats
    """[s, n] when the satellite sets."""
    event_at: Floats
    event_mask: Integers
    """[s, n] bits of the signals the event meets."""


class Rows(NamedTuple):
    """Observations with their truth, one row a station, satellite and signal."""

    satellite: NDArray[np.int16]
    signal: NDArray[np.uint16]
    pseudorange: Floats
    phaserange: Floats
    phaserange_rate: Floats
    cn0: NDArray[np.float32]
    lock_time: NDArray[np.float32]
    flags: NDArray[np.uint8]
    station: Integers
    link: Integers
    k: Integers
    integer: Integers
    code_bias: Floats
    phase_bias: Floats
    """All that is constant in the phase but whole cycles: hardware of both ends, open half cycles."""
    code_error: Floats
    """Noise and multipath."""
    phase_error: Floats
    lock_from: Floats
    """s since the start."""
    half_until: Floats
    """When the open half cycle closes; far in the past where there was none."""


class Links(NamedTuple):
    """One row a station and satellite."""

    station: Integers
    satellite: Integers
    """Row of the sky."""
    values: Floats
    """[11] as `_kernels.link` fills them."""


def new_locks(s: int, n: int) -> Locks:
    """Nothing is locked."""
    k = SIGNALS_A_SATELLITE
    return Locks(
        np.full((s, n, k), np.inf), np.zeros((s, n, k), np.int64), np.full((s, n, k), -np.inf),
        np.full((s, n, k), np.inf), np.zeros((s, n, k), np.int64), np.full((s, n, k), -np.inf),
        np.full((s, n), -np.inf), np.full((s, n), np.inf), np.zeros((s, n), np.int64),
    )  # fmt: skip


def new_rows(capacity: int) -> Rows:
    """Space for rows."""
    types = (
        np.int16, np.uint16, np.float64, np.float64, np.float64, np.float32, np.float32, np.uint8, np.int64, np.int64,
        np.int64, np.int64, np.float64, np.float64, np.float64, np.float64, np.float64, np.float64,
    )  # fmt: skip
    return Rows._make(np.zeros(capacity, t) for t in types)


def new_links(capacity: int) -> Links:
    """Space for links."""
    return Links(np.zeros(capacity, np.int64), np.zeros(capacity, np.int64), np.zeros((capacity, 11)))
