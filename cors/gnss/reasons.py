"""Why something is degraded, withheld or dropped, and how far down the ladder a rover's service is.

One list for engine, caster, log and API, so that a rover's owner reads one word everywhere.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Reason codes of stations, satellites, cells and sessions."""

    OK = "OK"
    FEW_SATELLITES = "FEW_SATELLITES"
    AMBIGUITY_LOST = "AMBIGUITY_LOST"
    IONO_RESIDUAL = "IONO_RESIDUAL"
    TROPO_RESIDUAL = "TROPO_RESIDUAL"
    STATION_GAP = "STATION_GAP"
    STATION_MOVED = "STATION_MOVED"
    STATION_INCONSISTENT = "STATION_INCONSISTENT"
    STATION_MISMATCH = "STATION_MISMATCH"
    """The data are another station's."""
    STREAM_FROZEN = "STREAM_FROZEN"
    """Bytes come, but time stands still or values repeat."""
    MASTER_CHANGED = "MASTER_CHANGED"
    OUTSIDE_NETWORK = "OUTSIDE_NETWORK"
    EXTRAPOLATED = "EXTRAPOLATED"
    LATENCY = "LATENCY"
    EPHEMERIS_AGE = "EPHEMERIS_AGE"
    EPHEMERIS_WRONG = "EPHEMERIS_WRONG"
    ENGINE_RESTART = "ENGINE_RESTART"
    OPERATOR = "OPERATOR"


class ServiceLevel(StrEnum):
    """The ladder of service, best first; down at once, up after 30 s of health."""

    NETWORK = "NETWORK"
    NETWORK_REDUCED = "NETWORK_REDUCED"
    NEAREST = "NEAREST"
    SINGLE_FAR = "SINGLE_FAR"
    DGNSS = "DGNSS"
    NONE = "NONE"
