"""The truth as files: `truth.json`, the track of a moving rover, the atmosphere epoch by epoch (NDJSON).

Coordinates are those of the antenna reference point, tide-free, so that a station's description can be checked against
them; times are ISO 8601 UTC.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from cors.gnss.satellites import satellite_name
from cors.gnss.time import NS, iso_utc
from rtk.simulation.epoch import SimulatedEpoch
from rtk.simulation.simulation import Simulation
from rtk.simulation.sites import Site


def _site(simulation: Simulation, site: Site) -> dict[str, Any]:
    row = simulation.names.index(site.name)
    found: dict[str, Any] = {
        "name": site.name,
        "ecef": [round(float(v), 4) for v in simulation.places.position[row]],
        "rtcm_id": site.rtcm_id,
        "receiver": site.make,
        "antenna": site.antenna,
        "clock": str(site.clock),
    }
    if site.track is not None:
        found["track"] = track_name(site)
    return found


def track_name(site: Site) -> str:
    """File name of a moving site's track, beside truth.json."""
    return f"{site.name}_track.ndjson"


def truth_document(simulation: Simulation) -> dict[str, Any]:
    """What truth.json holds: seed, start, interval, scenario, stations, rovers, faults."""
    c = simulation.configuration
    return {
        "seed": c.seed,
        "start": iso_utc(c.start, 0),
        "interval_s": c.interval_s,
        "scenario": c.scenario.name,
        "frame": "CGCS2000",
        "stations": [_site(simulation, site) for site in c.stations],
        "rovers": [_site(simulation, site) for site in c.rovers],
        "faults": [
            {"kind": f.kind} | {name: _plain(getattr(f, name)) for name in type(f).__dataclass_fields__}
            for f in c.faults
        ],
    }


def _plain(value: object) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return None
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, dict) else value


def track_lines(simulation: Simulation, name: str, numbers: Iterable[int]) -> Iterator[str]:
    """Time and place of a rover at nominal epochs, a line each; the place is the one at the nominal instant."""
    row = simulation.names.index(name)
    for number in numbers:
        elapsed = simulation.configuration.elapsed(number)
        position = simulation.places.nominal(row, elapsed / NS)
        time = iso_utc(simulation.configuration.start + elapsed)
        yield json.dumps({"time": time, "ecef": [round(float(v), 4) for v in position]})


def atmosphere_lines(epoch: SimulatedEpoch) -> Iterator[str]:
    """Slant delays of every station and satellite of an epoch, a line each."""
    t = epoch.truth
    for k in range(t.link_station.size):
        yield json.dumps(
            {
                "time": iso_utc(epoch.gpst),
                "station": epoch.stations[int(t.link_station[k])],
                "satellite": satellite_name(int(t.link_satellite[k])),
                "azimuth": round(math.degrees(t.azimuth[k]), 3),
                "elevation": round(math.degrees(t.elevation[k]), 3),
                "ionosphere_m": round(float(t.ionosphere[k]), 5),
                "troposphere_m": round(float(t.troposphere[k]), 5),
            }
        )
