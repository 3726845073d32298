"""What the simulated satellites broadcast: sets of elements near the truth, renewed at each system's cadence.

A set is the true orbit at its reference time, moved by an error in radial, along-track and cross-track direction
(slow, and stepping when the issue changes) and rounded as the message rounds it. LNAV every 2 h (QZSS 1 h), I/NAV and
F/NAV every 10 min, D1 and D2 every hour, GLONASS every 30 min. Sources: IS-GPS-200, Galileo OS SIS ICD, BDS-SIS-ICD,
GLONASS ICD for units; sizes of errors of algorithms C.2 (RMS of broadcast orbits against COD products).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cors.gnss.constants import EARTH_ROTATION, GPS_PI, SPEED_OF_LIGHT
from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, NavigationMessage
from cors.gnss.satellites import Constellation, is_beidou_geo, parse_satellite
from cors.gnss.time import BDT_OFFSET_S, NS, WEEK_NS, glonass_time, gpst_from_utc_ns, utc_ns
from rtk.simulation.constellations import NominalSatellite
from rtk.simulation.elements import Elements, elements_from_state, rotation, state_from_elements
from rtk.simulation.faults import Unhealthy, WrongEphemeris
from rtk.simulation.transmitters import Transmitter

Triple = tuple[float, float, float]

CADENCE_S = {
    Constellation.GPS: 7200, Constellation.GLONASS: 1800, Constellation.GALILEO: 600, Constellation.QZSS: 3600,
    Constellation.BEIDOU: 3600,
}  # fmt: skip
"""Seconds between issues."""

ORBIT_ERROR_M = (0.3, 1.0, 0.5)
"""RMS radial, along, cross."""
CLOCK_ERROR_M = 0.5
_SLOW, _STEP = 0.94, 0.34  # shares of the error that drifts and that steps; squares add to 1

_SEMICIRCLE = GPS_PI
_ANGLES = {name: GPS_PI * 2.0**-31 for name in ("m0", "omega0", "i0", "omega")}
_RATES = {name: GPS_PI * 2.0**-43 for name in ("delta_n", "omega_dot", "idot")}
_CORRECTIONS = ("cuc", "cus", "cic", "cis")
_SHARED = {**_ANGLES, **_RATES, "sqrt_a": 2.0**-19, "eccentricity": 2.0**-33}
_GPS_UNITS = _SHARED | dict.fromkeys(_CORRECTIONS, 2.0**-29) | {
    "crc": 2.0**-5, "crs": 2.0**-5, "af0": 2.0**-31, "af1": 2.0**-43, "af2": 2.0**-55,
}  # fmt: skip
_GALILEO_UNITS = _GPS_UNITS | {"af0": 2.0**-34, "af1": 2.0**-46, "af2": 2.0**-59}
_BEIDOU_UNITS = _SHARED | dict.fromkeys(_CORRECTIONS, 2.0**-31) | {
    "crc": 2.0**-6, "crs": 2.0**-6, "af0": 2.0**-33, "af1": 2.0**-50, "af2": 2.0**-66,
}  # fmt: skip
FIELDS = tuple(_GPS_UNITS)
"""Fields a message rounds."""
_UNITS = {Constellation.GALILEO: _GALILEO_UNITS, Constellation.BEIDOU: _BEIDOU_UNITS}
_GLONASS_UNITS = (2.0**-11 * 1e3, 2.0**-20 * 1e3)
GLONASS_ACCELERATION_UNIT = 2.0**-30 * 1e3


def _wrapped(angle: float) -> float:
    return math.remainder(angle, 2.0 * math.pi)


def elements_at(nominal: NominalSatellite, elapsed_s: float) -> Elements:
    """The true ellipse at an instant, in the Earth's frame of that instant (BDS GEO: the tilted frame of D2)."""
    a, e, i, node, perigee, anomaly = nominal.orbit
    motion = math.sqrt(nominal.mu / a**3) + nominal.along_rate
    if not is_beidou_geo(nominal.satellite):
        node += (nominal.node_rate - nominal.earth_rate) * elapsed_s
        return Elements(a, e, i + nominal.idot * elapsed_s, node, perigee, anomaly + motion * elapsed_s)
    moved = nominal.orbit._replace(anomaly=anomaly + motion * elapsed_s)
    turn = rotation(0, math.radians(5.0)) @ rotation(2, nominal.earth_rate * elapsed_s)
    position, velocity = state_from_elements(moved, nominal.mu)
    return elements_from_state(turn @ position, turn @ velocity, nominal.mu)


def true_set(nominal: NominalSatellite, transmitter: Transmitter, toe: int, elapsed_s: float) -> KeplerEphemeris:
    """The true motion as a set of elements with reference time `toe` (gpst ns), `elapsed_s` after the start."""
    system = Constellation(nominal.satellite >> 6)
    orbit = elements_at(nominal, elapsed_s)
    week_s = (toe - (BDT_OFFSET_S * NS if system is Constellation.BEIDOU else 0)) % WEEK_NS / NS
    message = {Constellation.GALILEO: NavigationMessage.INAV, Constellation.BEIDOU: NavigationMessage.D1}.get(
        system, NavigationMessage.LNAV
    )
    if is_beidou_geo(nominal.satellite):
        message = NavigationMessage.D2
    cuc, cus, crc, crs, cic, cis = nominal.harmonics
    return KeplerEphemeris(
        nominal.satellite, message, toe, toe, toe, 0, 0, 0, 2.4, 0.0,
        math.sqrt(orbit.a), orbit.e, _wrapped(orbit.anomaly), nominal.along_rate,
        _wrapped(orbit.node + nominal.earth_rate * week_s), orbit.i, _wrapped(orbit.perigee),
        nominal.node_rate, nominal.idot, cuc, cus, crc, crs, cic, cis,
        transmitter.offset + transmitter.drift * elapsed_s, transmitter.drift, 0.0,
        group_delays=dict(transmitter.group_delays),
    )  # fmt: skip


class SlowErrors:
    """Radial, along-track, cross-track and clock error (m) of what one satellite broadcasts."""

    def __init__(self, seed: int, satellite: int, orbit_scale: float, clock_scale: float) -> None:
        self._seed, self._satellite = seed, satellite
        rng = np.random.default_rng((seed, 104, satellite))
        self.frequency = 2.0 * math.pi / rng.uniform(2.0 * 3600.0, 12.0 * 3600.0, (4, 3))
        self.phase = rng.uniform(0.0, 2.0 * math.pi, (4, 3))
        self.scale = np.array([*(orbit_scale * m for m in ORBIT_ERROR_M), clock_scale * CLOCK_ERROR_M])

    def slow(self, elapsed_s: float) -> NDArray[np.float64]:
        """[4] m, the part without steps."""
        drifting: NDArray[np.float64] = slow_errors([self], np.array([elapsed_s]))[0, 0]
        return drifting

    def of_issue(self, issue: int, elapsed_s: float) -> NDArray[np.float64]:
        """[4] m for the issue with this number since the start and reference time `elapsed_s`."""
        step = np.random.default_rng((self._seed, 105, self._satellite, issue + 1_000_000)).standard_normal(4)
        return self.slow(elapsed_s) + _STEP * self.scale * step


def slow_errors(errors: Sequence[SlowErrors], elapsed_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, m, 4] m, the parts without steps of n satellites at m instants."""
    frequency, phase = (np.array([getattr(e, name) for e in errors]) for name in ("frequency", "phase"))
    scale = np.array([e.scale for e in errors])
    swing = np.cos(frequency[:, None] * elapsed_s[None, :, None, None] + phase[:, None]).sum(axis=3)
    drifting: NDArray[np.float64] = _SLOW * math.sqrt(2.0 / 3.0) * scale[:, None] * swing
    return drifting


def moved_set(ephemeris: KeplerEphemeris, error: NDArray[np.float64]) -> dict[str, float]:
    """Fields of a set whose satellite stands `error` = radial, along, cross (m), clock (m) from where it is."""
    radial, along, cross, clock = (float(x) for x in error)
    a = ephemeris.sqrt_a**2
    nu = ephemeris.m0 + 2.0 * ephemeris.eccentricity * math.sin(ephemeris.m0)
    u = ephemeris.omega + nu
    node = -cross * math.cos(u) / (a * math.sin(ephemeris.i0))
    return {
        "omega": ephemeris.omega + along / a - node * math.cos(ephemeris.i0),
        "omega0": ephemeris.omega0 + node,
        "i0": ephemeris.i0 + cross * math.sin(u) / a,
        "crc": ephemeris.crc + radial * math.cos(2.0 * u),
        "crs": ephemeris.crs + radial * math.sin(2.0 * u),
        "af0": ephemeris.af0 + clock / SPEED_OF_LIGHT,
    }


def rounded_fields(satellite: int, values: dict[str, float]) -> dict[str, float]:
    """Values as the satellite's message can hold them."""
    units = _UNITS.get(Constellation(satellite >> 6), _GPS_UNITS)
    return {name: round(_wrapped(v) / units[name] if name in _ANGLES else v / units[name]) * units[name]
            for name, v in values.items()}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IssueTimes:
    """When an issue starts to be sent, and its reference time; gpst ns."""

    transmission: int
    reference: int


def issue_number(system: Constellation, gpst: int) -> int:
    """Number of the issue that is sent at an instant."""
    if system is Constellation.GLONASS:
        return utc_ns(gpst) // (CADENCE_S[system] * NS)
    offset = BDT_OFFSET_S * NS if system is Constellation.BEIDOU else 0
    return (gpst - offset) // (CADENCE_S[system] * NS)


def issue_times(system: Constellation, number: int) -> IssueTimes:
    """Times of an issue by number."""
    start = number * CADENCE_S[system] * NS
    if system is Constellation.GLONASS:
        return IssueTimes(gpst_from_utc_ns(start), gpst_from_utc_ns(start + CADENCE_S[system] // 2 * NS))
    if system is Constellation.BEIDOU:
        return IssueTimes(start + BDT_OFFSET_S * NS, start + BDT_OFFSET_S * NS)
    ahead = CADENCE_S[system] * NS if system in (Constellation.GPS, Constellation.QZSS) else 0
    return IssueTimes(start, start + ahead)


def issue_words(system: Constellation, number: int) -> tuple[int, int | None]:
    """IODE and IODC (IODnav; AODE and AODC) of an issue by number."""
    if system in (Constellation.GPS, Constellation.QZSS):
        return number % 240, number % 240 + 256 * (number // 240 % 4)
    if system is Constellation.GALILEO:
        return number % 1024, None
    return number % 24, number % 24


def triple(values: NDArray[np.float64]) -> Triple:
    """Three floats."""
    x, y, z = (float(v) for v in values)
    return x, y, z


def rounded_state(values: NDArray[np.float64]) -> tuple[Triple, Triple]:
    """Position and velocity [6] as the GLONASS message holds them."""
    position, velocity = (
        np.round(part / unit) * unit for part, unit in zip((values[:3], values[3:]), _GLONASS_UNITS, strict=True)
    )
    return triple(position), triple(velocity)


def state_error(state: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Change [6] of a GLONASS state in ECEF that stands for a constant radial, along, cross error (m)."""
    moved = np.empty((3, 3))
    step = np.array([-1.0, 0.0, 1.0])[:, None]
    positions = state[:3] + step * state[3:]
    for k, position in enumerate(positions):
        radial = position / np.linalg.norm(position)
        cross = np.cross(position, state[3:] + np.cross([0.0, 0.0, EARTH_ROTATION], position))
        cross /= np.linalg.norm(cross)
        moved[k] = error[0] * radial + error[1] * np.cross(cross, radial) + error[2] * cross
    return np.concatenate([moved[1], (moved[2] - moved[0]) / 2.0])


def glonass_issue(toe: int) -> int:
    """t_b as the message numbers it: quarters of an hour of the Moscow day."""
    return glonass_time(toe)[1] // (900 * NS)


def _other_issue(ephemeris: KeplerEphemeris) -> dict[str, Any]:
    """Issue words no set near in time has."""
    system = Constellation(ephemeris.satellite >> 6)
    iode = ephemeris.iode or 0
    if system is Constellation.BEIDOU:
        return {"iode": 24 + iode % 8, "iodc": 24 + iode % 8}
    if system is Constellation.GALILEO:
        return {"iode": (iode + 512) % 1024}
    return {"iode": (iode + 128) % 256, "iodc": (ephemeris.iodc or 0) - iode + (iode + 128) % 256}


def _displaced(ephemeris: Ephemeris, metres: float) -> Ephemeris:
    """A wrong upload: the satellite `metres` ahead on its way, under an issue of its own."""
    if isinstance(ephemeris, KeplerEphemeris):
        ahead = ephemeris.omega + metres / ephemeris.sqrt_a**2
        fields: dict[str, Any] = rounded_fields(ephemeris.satellite, {"omega": ahead})
        return replace(ephemeris, **fields, **_other_issue(ephemeris))
    velocity = np.array(ephemeris.velocity)
    moved = np.array(ephemeris.position) + metres * velocity / np.linalg.norm(velocity)
    position, _ = rounded_state(np.concatenate([moved, velocity]))
    return replace(ephemeris, position=position)


def spoiled(sets: Sequence[Ephemeris], fault: WrongEphemeris | Unhealthy) -> tuple[Ephemeris, ...]:
    """The sets as a fault leaves them: those sent now, not the ones before them."""
    satellite = parse_satellite(fault.satellite)
    newest = max((e.toe for e in sets if e.satellite == satellite), default=None)
    found = []
    for e in sets:
        if e.satellite != satellite or e.toe != newest:
            found.append(e)
        elif isinstance(fault, WrongEphemeris):
            found.append(_displaced(e, fault.metres))
        else:
            unhealthy = 0b010_010_010 if Constellation(satellite >> 6) is Constellation.GALILEO else 1
            found.append(replace(e, health=unhealthy))
    return tuple(found)
