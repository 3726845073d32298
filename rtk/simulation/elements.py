"""Two-body elements to state and back, and the secular motion J2 gives. Radians, metres, seconds.

Source: Vallado, Fundamentals of Astrodynamics, chapters 2 (COE2RV, RV2COE) and 9 (secular rates).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

J2 = 1.08262668e-3
EARTH_RADIUS = 6_378_137.0


class Elements(NamedTuple):
    """Osculating ellipse in a frame that does not turn."""

    a: float
    e: float
    i: float
    node: float
    perigee: float
    anomaly: float
    """Mean anomaly."""


def rotation(axis: int, angle: float) -> NDArray[np.float64]:
    """Frame rotation R1, R3 of the ICDs about axis 0 or 2 by `angle` [3, 3]."""
    s, c = math.sin(angle), math.cos(angle)
    if axis == 0:
        return np.array([[1.0, 0.0, 0.0], [0.0, c, s], [0.0, -s, c]])
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


def state_from_elements(elements: Elements, mu: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Position m and velocity m/s in the elements' frame."""
    a, e, i, node, perigee, m = elements
    anomaly = m
    for _ in range(30):
        anomaly -= (anomaly - e * math.sin(anomaly) - m) / (1.0 - e * math.cos(anomaly))
    se, ce = math.sin(anomaly), math.cos(anomaly)
    root = math.sqrt(1.0 - e * e)
    speed = math.sqrt(mu * a) / (a * (1.0 - e * ce))
    plane = rotation(2, -node) @ rotation(0, -i) @ rotation(2, -perigee)
    position = plane @ np.array([a * (ce - e), a * root * se, 0.0])
    velocity = plane @ np.array([-speed * se, speed * root * ce, 0.0])
    return position, velocity


def elements_from_state(position: NDArray[np.float64], velocity: NDArray[np.float64], mu: float) -> Elements:
    """Elements of a position and velocity; neither circular nor equatorial to rounding."""
    r = float(np.linalg.norm(position))
    h = np.cross(position, velocity)
    a = 1.0 / (2.0 / r - float(velocity @ velocity) / mu)
    vector = np.cross(velocity, h) / mu - position / r
    e = float(np.linalg.norm(vector))
    i = math.atan2(math.hypot(h[0], h[1]), h[2])
    node = math.atan2(h[0], -h[1])
    ascending = np.array([math.cos(node), math.sin(node), 0.0])
    across = np.cross(h / np.linalg.norm(h), ascending)
    perigee = math.atan2(float(vector @ across), float(vector @ ascending))
    latitude = math.atan2(float(position @ across), float(position @ ascending))
    nu = latitude - perigee
    anomaly = math.atan2(math.sqrt(1.0 - e * e) * math.sin(nu), e + math.cos(nu))
    return Elements(a, e, i, node, perigee, anomaly - e * math.sin(anomaly))


def secular_rates(a: float, e: float, i: float, mu: float) -> tuple[float, float, float]:
    """Mean motion, what J2 adds to it along the orbit (perigee and anomaly together), node rate; rad/s."""
    n = math.sqrt(mu / a**3)
    factor = 0.75 * n * J2 * (EARTH_RADIUS / (a * (1.0 - e * e))) ** 2
    c2 = math.cos(i) ** 2
    along = factor * (5.0 * c2 - 1.0) + factor * math.sqrt(1.0 - e * e) * (3.0 * c2 - 1.0)
    return n, along, -2.0 * factor * math.cos(i)


def repeating_axis(revolutions: float, e: float, i: float, mu: float, earth_rate: float) -> float:
    """Semi-major axis that makes `revolutions` a day relative to the orbit's own node."""
    a = (mu / (revolutions * earth_rate) ** 2) ** (1.0 / 3.0)
    for _ in range(6):
        n, along, node = secular_rates(a, e, i, mu)
        a *= ((n + along) / (revolutions * (earth_rate - node))) ** (2.0 / 3.0)
    return float(a)
