"""What stands around an antenna: reflectors whose multipath depends on azimuth and elevation alone, so that it repeats.

Path difference of a reflection is D . e for a fixed vector D (Hofmann-Wellenhof et al.: 2 h sin e over level ground,
2 d cos e cos az before a wall). With D of 2 to 14 m the errors swing in 3 to 15 minutes for satellites that move, in
hours for GEOs. Amplitudes at 10 degrees: code .15-.45 m, phase 2-5 mm each, of four reflectors (algorithms G).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

REFLECTORS = 4


def reflectors(seed: int, key: int, scale: float) -> NDArray[np.float64]:
    """[4, 6] path vector east, north, up (m), phase (rad), amplitude of code and phase (m) of one receiver's place."""
    rng = np.random.default_rng((seed, 205, key))
    found = np.empty((REFLECTORS, 6))
    for k in range(REFLECTORS):
        azimuth, away, up = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(2.0, 7.0), rng.uniform(1.0, 2.5)
        if k < 2:
            found[k, :3] = 0.0, 0.0, 2.0 * up
        else:
            found[k, :3] = 2.0 * away * math.sin(azimuth), 2.0 * away * math.cos(azimuth), 0.0
        found[k, 3] = rng.uniform(0.0, 2.0 * math.pi)
        found[k, 4] = scale * rng.uniform(0.15, 0.45)
        found[k, 5] = scale * rng.uniform(2e-3, 5e-3)
    return found
