"""The simulated ionosphere and troposphere: random fields drawn once as sums of plane waves.

A sum of waves can be asked for anywhere and at any time, and its spectrum is its covariance: Gaussian for the
ionosphere's field, von Karman with the 2/3 law of turbulence for water vapour (Treuhaft & Lanyi 1987).
Mapping functions are the simulator's own: continued fractions fitted to rays traced through a spherical standard
atmosphere (20 degrees C, 6.5 K/km, isothermal above 11 km, wet scale height 2 km), 4-90 degrees, heights 0-2 km.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rtk.simulation.layout import Atmosphere, IonosphereField, TroposphereField
from rtk.simulation.scenarios import Effects, Ionosphere, Scenario, Troposphere

SHELL_HEIGHT_M = 400e3
EARTH_RADIUS_M = 6_371e3
# 0.162372 m a TECU at the reference frequency of 1575.42 MHz.
METRES_A_TECU = 40.3e16 / 1_575.42e6**2
_FIELD_WAVES, _VAPOUR_WAVES, _TRAVELLING = 40, 64, 4
_INNER_SCALE_KM = 0.5
_SYNOPTIC_KM = 1500.0
# a, b, c at height 0 and their change a km of height.
HYDROSTATIC_MAPPING = ((1.25171e-3, -2.70e-5), (2.7794e-3, -2.95e-5), (5.8070e-2, -1.5e-4))
WET_MAPPING = ((5.7011e-4, -3.20e-5), (1.44668e-3, -6.20e-5), (4.1245e-2, -1.36e-3))


def _heading(rng: np.random.Generator) -> tuple[float, float]:
    angle = rng.uniform(0.0, 2.0 * math.pi)
    return math.cos(angle), math.sin(angle)


def _gaussian_field(rng: np.random.Generator, sigma: float, length: float, time: float) -> NDArray[np.float64]:
    """Waves of a field with covariance sigma^2 exp(-(d/length)^2 / 2 - (t/time)^2 / 2)."""
    waves = np.empty((_FIELD_WAVES, 5))
    waves[:, :2] = rng.standard_normal((_FIELD_WAVES, 2)) / length
    waves[:, 2] = rng.standard_normal(_FIELD_WAVES) / time
    waves[:, 3] = rng.uniform(0.0, 2.0 * math.pi, _FIELD_WAVES)
    waves[:, 4] = sigma * math.sqrt(2.0 / _FIELD_WAVES)
    return waves


def _travelling(rng: np.random.Generator, model: Ionosphere) -> NDArray[np.float64]:
    """MSTID: plane waves that run equatorward in the main (Ding et al. 2011)."""
    waves = np.empty((_TRAVELLING, 5))
    for wave in waves:
        k = 2.0 * math.pi / rng.uniform(*model.wave_lengths)
        angle = math.radians(200.0 + rng.uniform(-50.0, 50.0))  # azimuth it runs to
        speed = rng.uniform(*model.wave_speeds) / 1e3
        wave[:] = k * math.sin(angle), k * math.cos(angle), k * speed, rng.uniform(0.0, 2.0 * math.pi), model.wave_ratio
    return waves


def _patches(rng: np.random.Generator) -> NDArray[np.float64]:
    """Scintillation: two waves of 300-500 km that drift east at about 100 m/s."""
    waves = np.empty((2, 5))
    for wave in waves:
        k = 2.0 * math.pi / rng.uniform(300.0, 500.0)
        angle = rng.uniform(-0.6, 0.6)
        wave[:] = k * math.cos(angle), k * math.sin(angle), k * rng.uniform(0.06, 0.14), rng.uniform(0.0, 6.28), 1.0
    return waves


def ionosphere_field(
    seed: int, model: Ionosphere, local_time_h: float, latitude: float, longitude: float, effects: Effects
) -> IonosphereField:
    """The shell over a network whose centre is at latitude, longitude (rad)."""
    rng = np.random.default_rng((seed, 301))
    field = _gaussian_field(rng, model.field_ratio, model.field_length, model.field_time)
    travelling = _travelling(np.random.default_rng((seed, 302)), model)
    field[:, 4] *= effects.ionosphere_field
    travelling[:, 4] *= effects.ionosphere_waves
    east, north = _heading(np.random.default_rng((seed, 303)))
    amount = model.front_gradient * 1e-3 * model.front_width / 1.5 / METRES_A_TECU
    on = float(effects.ionosphere)
    front = np.array([
        amount * on * effects.ionosphere_front, east, north, model.front_speed / 1e3, model.front_arrival,
        model.front_width, model.front_duration,
    ])  # fmt: skip
    return IonosphereField(
        EARTH_RADIUS_M + SHELL_HEIGHT_M, latitude, longitude, local_time_h * 3600.0, model.night * on, model.day * on,
        model.crest, np.vstack([field, travelling]), front, _patches(np.random.default_rng((seed, 304))),
        model.scintillation * effects.scintillation,
    )  # fmt: skip


def _vapour(rng: np.random.Generator, sigma: float, length: float, wind: tuple[float, float]) -> NDArray[np.float64]:
    """Waves of a field whose structure function rises as d^(2/3) and saturates beyond `length` km.

    Wave numbers follow the two-dimensional von Karman spectrum k (k0^2 + k^2)^(-4/3), one from each of equal shares;
    the field is frozen and drifts with `wind` (km/s), each wave with a fifth of it of its own.
    """
    share = (np.arange(_VAPOUR_WAVES) + rng.uniform(0.0, 1.0, _VAPOUR_WAVES)) / _VAPOUR_WAVES
    k = np.minimum(np.sqrt(share**-3.0 - 1.0) / length, 2.0 * math.pi / _INNER_SCALE_KM)
    angle = rng.uniform(0.0, 2.0 * math.pi, _VAPOUR_WAVES)
    waves = np.empty((_VAPOUR_WAVES, 5))
    waves[:, 0], waves[:, 1] = k * np.cos(angle), k * np.sin(angle)
    drift = waves[:, 0] * wind[0] + waves[:, 1] * wind[1]
    waves[:, 2] = drift + 0.2 * k * math.hypot(*wind) * rng.uniform(-1.0, 1.0, _VAPOUR_WAVES)
    waves[:, 3] = rng.uniform(0.0, 2.0 * math.pi, _VAPOUR_WAVES)
    waves[:, 4] = sigma * math.sqrt(2.0 / _VAPOUR_WAVES)
    return waves


def troposphere_field(seed: int, model: Troposphere, effects: Effects) -> TroposphereField:
    """The wet field and the mapping of both parts."""
    rng = np.random.default_rng((seed, 311))
    east, north = _heading(rng)
    wind = east * model.wind / 1e3, north * model.wind / 1e3
    waves = _vapour(rng, model.field * effects.wet * effects.wet_field, model.field_length, wind)
    k = 2.0 * math.pi / _SYNOPTIC_KM
    slope = np.random.default_rng((seed, 312))
    along, across = _heading(slope)
    amount = model.gradient / k * effects.wet * effects.wet_gradient
    synoptic = [k * along, k * across, k * model.wind / 1e3, math.pi / 2.0 + slope.uniform(-0.5, 0.5), amount]
    front = np.array([
        model.front * effects.wet * effects.wet_front, east, north, model.wind / 1e3, model.front_arrival,
        model.front_width,
    ])  # fmt: skip
    return TroposphereField(
        model.wet * effects.wet, model.wet_height, np.vstack([waves, synoptic]), front,
        np.array(HYDROSTATIC_MAPPING), np.array(WET_MAPPING),
    )  # fmt: skip


def hydrostatic_zenith(
    latitude: NDArray[np.float64], height: NDArray[np.float64], pressure: float
) -> NDArray[np.float64]:
    """Zenith hydrostatic delay (m) at latitudes (rad) and heights (m) from the sea-level pressure (hPa).

    Barometric formula at 298 K and 6 K/km, then Saastamoinen 1972 in the form of Davis et al. 1985.
    """
    local = pressure * (1.0 - 6.0e-3 * height / 298.0) ** (9.80665 / (287.054 * 6.0e-3))
    gravity = 1.0 - 0.00266 * np.cos(2.0 * latitude) - 0.00028 * height / 1e3
    delay: NDArray[np.float64] = 0.0022768 * local / gravity
    return delay


def draw_atmosphere(
    seed: int, scenario: Scenario, latitude: float, longitude: float, effects: Effects
) -> tuple[Atmosphere, float]:
    """Both fields, and the pressure at sea level in hPa (0 without hydrostatic delay)."""
    pressure = 1013.0 + np.random.default_rng((seed, 313)).uniform(-8.0, 8.0)
    iono = ionosphere_field(seed, scenario.ionosphere, scenario.local_time_h, latitude, longitude, effects)
    tropo = troposphere_field(seed, scenario.troposphere, effects)
    return Atmosphere(iono, tropo), pressure if effects.hydrostatic else 0.0
