"""Packed satellites and signals against the names of RINEX and the ids of RTCM."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cors.gnss import observations as obs
from cors.gnss import satellites as sat
from cors.gnss import signals as sig


@pytest.mark.parametrize(
    ("name", "constellation", "number"),
    [("G07", 0, 7), ("R24", 1, 24), ("E36", 2, 36), ("S20", 3, 1), ("S58", 3, 39), ("J01", 4, 1), ("C63", 5, 63),
     ("I14", 6, 14)],
)  # fmt: skip
def test_names_and_msm_ids(name: str, constellation: int, number: int) -> None:
    packed = sat.parse_satellite(name)
    assert packed == constellation << 6 | number - 1
    assert sat.satellite_name(packed) == name
    assert (sat.constellation(packed), sat.satellite_id(packed)) == (constellation, number)


@pytest.mark.parametrize("name", ["", "G", "X01", "G00", "G65", "S19", "Gxx"])
def test_what_is_no_satellite_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected for example G07"):
        sat.parse_satellite(name)


def test_blank_numbers_of_rinex_2() -> None:
    assert sat.parse_satellite("G 3") == sat.parse_satellite("G03") == sat.parse_satellite("G3")


def test_beidou_kinds() -> None:
    geo = [f"C{n:02d}" for n in range(1, 64) if sat.is_beidou_geo(sat.parse_satellite(f"C{n:02d}"))]
    assert geo == ["C01", "C02", "C03", "C04", "C05", "C59", "C60", "C61", "C62", "C63"]
    assert sat.is_beidou_2(sat.parse_satellite("C16")) and not sat.is_beidou_2(sat.parse_satellite("C19"))


@given(st.integers(0, sig.SIGNALS - 1))
def test_every_named_signal_comes_back_and_has_a_frequency(signal: int) -> None:
    name = sig.signal_name(signal)
    if "#" in name:
        assert math.isnan(sig.FREQUENCY[signal]) and not sig.is_encodable(signal)
    else:
        assert sig.parse_signal(name) == signal
        assert 1.1e9 < sig.FREQUENCY[signal] < 2.5e9
        assert sig.is_encodable(signal) <= (sig.signal_id(signal) <= 32)


def test_no_code_stands_twice() -> None:
    names = [sig.signal_name(s) for s in range(sig.SIGNALS) if "#" not in sig.signal_name(s)]
    assert len(names) == len(set(names))
    assert max(sum(1 for n in names if n[0] == letter) for letter in sat.LETTERS) <= 64


def test_glonass_carriers_need_a_channel() -> None:
    g1, g2 = sig.parse_signal("R1C"), sig.parse_signal("R2P")
    assert math.isnan(sig.carrier_frequency(g1))
    assert sig.carrier_frequency(g1, -7) == 1602e6 - 7 * 562_500
    assert sig.carrier_frequency(g2, 6) == 1246e6 + 6 * 437_500
    assert sig.carrier_frequency(sig.parse_signal("R3I")) == 1202.025e6  # CDMA has no channel


def test_rows_are_ordered_by_satellite_then_signal() -> None:
    rows = [(5 << 6 | 8, 5 << 6 | 1, 1.0, 2.0, 3.0, 40.0, 5.0, 0), (3, 21, 4.0, np.nan, 6.0, 41.0, 8.0, 1),
            (3, 1, 7.0, 8.0, 9.0, 42.0, 9.0, 2)]  # fmt: skip
    unsorted = obs.from_rows(rows)
    ordered = obs.take(unsorted, obs.sort_order(unsorted))
    assert ordered.pseudorange.tolist() == [7.0, 4.0, 1.0]
    assert [c.dtype for c in ordered] == [c.dtype for c in obs.empty_observations()]
    assert obs.concatenate([ordered, obs.empty_observations(), unsorted]).satellite.size == 6
