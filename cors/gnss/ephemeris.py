"""Broadcast ephemerides of all constellations, as values. SI units and radians; times int64 ns of GPS time.

Two kinds: Keplerian sets (GPS, Galileo, BeiDou, QZSS, NavIC) and state vectors (GLONASS, SBAS). The codecs make them,
`cors.gnss.orbits` evaluates them, `cors.gnss.selection` says which one may be used when.
Absent is NaN for floats and None for issue numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class NavigationMessage(StrEnum):
    """Message kinds by their RINEX 4 names; each has its own clock reference and group delays."""

    LNAV = "LNAV"
    CNAV = "CNAV"
    CNV1 = "CNV1"
    CNV2 = "CNV2"
    CNV3 = "CNV3"
    INAV = "INAV"
    FNAV = "FNAV"
    D1 = "D1"
    D2 = "D2"
    FDMA = "FDMA"
    SBAS = "SBAS"
    L1NV = "L1NV"
    """NavIC L1; RINEX 4.02."""
    L1OC = "L1OC"
    L3OC = "L3OC"
    """GLONASS CDMA on L1 and L3; RINEX 4.02."""


@dataclass(frozen=True, slots=True)
class KeplerEphemeris:
    """Elements of the ICDs' user algorithm; names as in the ICDs, RINEX field names for group delays."""

    satellite: int
    message: NavigationMessage
    toe: int
    """Reference time of the orbit, gpst ns."""
    toc: int
    """Reference time of the clock, gpst ns."""
    transmission: int | None
    """Transmission time of the message, gpst ns."""
    iode: int | None
    """IODE (GPS, QZSS), IODnav (Galileo), AODE or IODE (BeiDou), IODEC (NavIC)."""
    iodc: int | None
    """IODC, AODC; None where the message has none."""
    health: int
    """Health word as the message has it (RINEX field); `healthy` reads it."""
    accuracy_m: float
    """URA or SISA in m; NaN: no prediction."""
    fit_interval_s: float
    """Whole fit interval of the set, s; NaN where the message has none."""
    sqrt_a: float
    eccentricity: float
    m0: float
    delta_n: float
    omega0: float
    i0: float
    omega: float
    omega_dot: float
    idot: float
    cuc: float
    cus: float
    crc: float
    crs: float
    cic: float
    cis: float
    af0: float
    af1: float
    af2: float
    a_dot: float = 0.0
    """m/s, CNAV kinds only."""
    delta_n_dot: float = 0.0
    """rad/s^2, CNAV kinds only."""
    group_delays: Mapping[str, float] = field(default_factory=dict)
    """Seconds by RINEX name: TGD, ISC_L1CA, ISC_L2C, ISC_L5I5, ISC_L5Q5, ISC_L1CD, ISC_L1CP, BGD_E1E5a, BGD_E1E5b,
    TGD1, TGD2, TGD_B1Cp, TGD_B2ap, ISC_B1Cd, ISC_B2ad, TGD_B2bI."""
    extra: Mapping[str, float] = field(default_factory=dict)
    """What only a writer needs: RINEX fields without a meaning to the orbit (codes on L2, data sources, ...)."""


@dataclass(frozen=True, slots=True)
class StateEphemeris:
    """Position, velocity and acceleration in ECEF at a reference time (GLONASS FDMA in PZ-90.11, SBAS in WGS 84)."""

    satellite: int
    message: NavigationMessage
    toe: int
    """Reference time t_b or t_0, gpst ns."""
    transmission: int | None
    iode: int | None
    """GLONASS: t_b / 15 min of the Moscow day; SBAS: IODN."""
    health: int
    """0 good (GLONASS: MSB of Bn or l_n; SBAS: health word)."""
    accuracy_m: float
    position: tuple[float, float, float]
    velocity: tuple[float, float, float]
    acceleration: tuple[float, float, float]
    """m/s^2: lunisolar for GLONASS, total for SBAS."""
    clock_bias: float
    """s; GLONASS -tau_n, SBAS a_Gf0."""
    clock_rate: float
    """s/s; GLONASS gamma_n, SBAS a_Gf1."""
    channel: int = 0
    """GLONASS frequency channel k, -7..+6."""
    age_days: float = float("nan")
    delta_tau: float = float("nan")
    """GLONASS L2 - L1 equipment delay, s."""
    extra: Mapping[str, float] = field(default_factory=dict)


Ephemeris = KeplerEphemeris | StateEphemeris
