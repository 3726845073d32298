"""Constants with their source. SI units; frequencies in Hz."""

from __future__ import annotations

SPEED_OF_LIGHT = 299_792_458.0
"""m/s, exact (SI)."""

GPS_PI = 3.1415926535898
"""The truncated pi of the ICDs, for semicircles to radians (IS-GPS-200 20.3.3.4.3)."""

REFERENCE_FREQUENCY = 1_575.42e6
"""Hz; slant ionosphere is given at this frequency for every system."""

TEC_TO_DELAY = 40.3e16
"""Delay [m] = 40.3e16 TEC [TECU] / f^2 [Hz^2]; the field's constant (exact 40.308193)."""

EARTH_ROTATION = 7.292_115_1467e-5
"""rad/s, WGS 84 value of IS-GPS-200; used for Sagnac and light time."""
