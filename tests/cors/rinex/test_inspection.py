"""Records and summaries for programs: the forms of the interface, and nothing JSON cannot hold."""

from __future__ import annotations

import json

from cors.rinex.inspection import read_rinex, records, summary
from tests.cors.rinex.texts import EVENTS_3, NAVIGATION_3, OBSERVATIONS_3


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(json.dumps(record, allow_nan=False)) for record in records(read_rinex(text.encode()))]


def test_observation_records() -> None:
    damaged = OBSERVATIONS_3.replace("105598895.471 6", "105598895.47196") + EVENTS_3
    found = lines(damaged)
    assert [r["kind"] for r in found] == ["header", "epoch", "epoch", "event", "event", "epoch", "diagnostic"]
    assert found[0]["records"][0] == {  # type: ignore[index]
        "label": "RINEX VERSION / TYPE", "content": "     3.04           OBSERVATION DATA    M", "line": 1,
    }  # fmt: skip
    first = found[1]
    assert (first["time"], first["time_system"], first["flag"], first["station"]) == (
        "2026-03-09T00:00:00.0000000", "GPS", 0, "TEST00CHN",
    )  # fmt: skip
    assert first["values"]["G05"]["C1C"] == [21223008.248, None, 7]  # type: ignore[index]
    assert first["values"]["C11"] == {"C2I": [22749008.774, None, None], "L2I": [118458266.717, None, None]}  # type: ignore[index]
    assert found[2]["clock_offset_s"] == 0.000123456789 and first["clock_offset_s"] is None
    assert found[3]["flag"] == 4 and found[3]["records"][0]["label"] == "COMMENT"  # type: ignore[index]
    assert {"code", "line", "column", "offset", "severity", "text"} <= found[-1].keys()
    assert found[-1]["code"] == "obs.lli.unknown"


def test_navigation_records() -> None:
    found = lines(NAVIGATION_3)
    assert [r["satellite"] for r in found[1:]] == ["G01", "E02", "C06", "R01", "S21"]
    assert found[1]["message"] == "LNAV" and found[1]["time"] == "2026-03-09T00:00:00"
    fields = found[1]["fields"]
    assert isinstance(fields, dict)
    assert (fields["IODE"], fields["sqrtA"], fields["TGD"]) == (152.0, 5153.623411179, -9.313225746155e-09)


def test_summaries() -> None:
    found = json.loads(json.dumps(summary(read_rinex((OBSERVATIONS_3 + EVENTS_3).encode())), allow_nan=False))
    assert (found["epochs"], found["interval_s"], found["gap_count"], found["slips"]) == (3, 30.0, 1, 2)
    assert found["gaps"] == [{"after": "2026-03-09T00:00:30.000", "before": "2026-03-09T00:01:30.000", "missing": 1}]
    assert found["codes"]["G"] == {"C1C": 3, "L1C": 3, "D1C": 2, "S1C": 2, "C2W": 1, "L2W": 1, "D2W": 1, "S2W": 1}
    assert found["satellites"] == ["G05", "R01", "C11"] and found["events"] == {"4": 1, "5": 1}
    found = json.loads(json.dumps(summary(read_rinex(NAVIGATION_3.encode())), allow_nan=False))
    assert found["messages"]["EPH G LNAV"] == 1 and found["unhealthy"] == 1 and found["leap_seconds"] == 18
