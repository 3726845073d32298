"""A reference station as the network knows it: name, number, place, antenna."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Station:
    """One station; `position_ecef` is the antenna reference point (ARP) in the network's frame, metres."""

    name: str
    """Nine-character RINEX name, or the name the operator gave; the station's mountpoint."""
    rtcm_id: int
    """DF003, 1..1999 for physical stations."""
    position_ecef: tuple[float, float, float]
    frame: str = ""
    epoch: str = ""
    antenna: str = ""
    """IGS antenna name without radome; empty when unknown."""
    radome: str = ""
    antenna_serial: str = ""
    antenna_height: float = 0.0
    """ARP above the marker, m; the position is the ARP already."""
    receiver: str = ""
    receiver_firmware: str = ""
    receiver_serial: str = ""
