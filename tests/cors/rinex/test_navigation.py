"""Navigation files: what the ICDs and RINEX 3.05 / 4.02 say about the printed numbers, and the way back to text."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris, NavigationMessage, StateEphemeris
from cors.gnss.satellites import satellite_name
from cors.gnss.selection import healthy
from cors.gnss.signals import UNKNOWN_CHANNEL
from cors.gnss.time import gpst_from_bdt, gpst_from_week, parse_time
from cors.rinex.errors import NotRinexError, UnwritableError
from cors.rinex.navigation.ephemerides import deduplicated
from cors.rinex.navigation.file import NavigationFile
from cors.rinex.navigation.reading import read_navigation
from cors.rinex.navigation.writing import NavigationWriter, rewrite_navigation, write_navigation
from tests.cors.rinex.texts import NAVIGATION_2, NAVIGATION_3

FIFTH_LINE = "     1.830000000000E+02 9.313225746155E-09 2.000000000000E+00 3.000000000000E+00\n"


def read(text: str) -> NavigationFile:
    return read_navigation(text.encode())


def only(file: NavigationFile, name: str) -> Ephemeris:
    found = [e for e in file.ephemerides if satellite_name(e.satellite) == name]
    assert len(found) == 1
    return found[0]


def kepler(file: NavigationFile, name: str) -> KeplerEphemeris:
    ephemeris = only(file, name)
    assert isinstance(ephemeris, KeplerEphemeris)
    return ephemeris


def state(file: NavigationFile, name: str) -> StateEphemeris:
    ephemeris = only(file, name)
    assert isinstance(ephemeris, StateEphemeris)
    return ephemeris


@pytest.mark.kernel
def test_the_five_constellations_of_a_mixed_file() -> None:
    file = read(NAVIGATION_3)
    assert file.diagnostics == () and len(file) == 5
    gps = kepler(file, "G01")
    assert (gps.message, gps.iode, gps.iodc, gps.health, gps.accuracy_m) == (NavigationMessage.LNAV, 152, 920, 0, 2.0)
    assert gps.toe == gps.toc == gpst_from_week(2409, 86_400) and gps.transmission == gpst_from_week(2409, 79_218)
    assert (gps.fit_interval_s, gps.sqrt_a, gps.cuc) == (4 * 3600, 5153.623411179, -3.153458237648e-06)
    assert gps.group_delays == {"TGD": -9.313225746155e-09} and gps.extra == {"L2_codes": 1.0, "L2P_flag": 0.0}
    galileo = kepler(file, "E02")
    assert galileo.message is NavigationMessage.INAV and galileo.iode == 20 and math.isnan(galileo.fit_interval_s)
    assert galileo.group_delays == {"BGD_E1E5a": -3.725290298462e-09, "BGD_E1E5b": -4.656612873077e-09}
    beidou = kepler(file, "C06")
    assert beidou.message is NavigationMessage.D1  # an IGSO: inclined by 54 degrees
    assert beidou.toe == beidou.toc == gpst_from_bdt(1053, 86_400) and beidou.iodc == 0
    assert beidou.group_delays == {"TGD1": 8.4e-09, "TGD2": -1.4e-09}
    glonass = state(file, "R01")
    assert glonass.toe == parse_time("2026-03-09T00:15:00Z") and glonass.iode == 13  # (00:15 + 3 h) / 15 min
    assert glonass.transmission == parse_time("2026-03-09T00:00:00Z") and glonass.channel == 1
    assert glonass.position[0] == pytest.approx(10390483.39844) and glonass.velocity[2] == pytest.approx(392.1117782593)
    assert (glonass.clock_bias, glonass.delta_tau, glonass.accuracy_m) == (1.611243933439e-04, 9.313225746155e-09, 2.5)
    sbas = state(file, "S21")
    assert (sbas.iode, sbas.health) == (242, 63) and math.isnan(sbas.accuracy_m)


def test_header_of_rinex_3_and_2() -> None:
    file = read(NAVIGATION_3)
    leap = file.header.leap_seconds
    assert leap is not None and (leap.current, leap.future, leap.week, leap.day) == (18, 18, 1929, 7)
    assert file.ionosphere[0].coefficients[:2] == (2.6077e-08, 1.4901e-08) and file.ionosphere[0].system == "G"
    gaut = file.header.time_corrections[0]
    assert (gaut.a0, gaut.a1, gaut.reference_s, gaut.week) == (1.8626451492e-09, -8.881784197e-16, 432_000.0, 2138)
    old = read(NAVIGATION_2)
    assert old.ionosphere[0].coefficients == (0.1397e-7, 0.0, -0.596e-7, 0.596e-7, 0.1105e6, 0.0, -0.1966e6, 0.0)
    assert kepler(old, "G05").transmission == gpst_from_week(1426, 432_006)


def replaced(old: str, new: str) -> NavigationFile:
    assert NAVIGATION_3.count(old) == 1, old
    return read(NAVIGATION_3.replace(old, new))


def test_weeks_are_repaired_by_the_time_of_clock() -> None:
    for printed in ("2.408", "2.410", "3.610"):  # a week before, a week after
        file = replaced("1.000000000000E+00 2.409000000000E+03 0", f"1.000000000000E+00 {printed}000000000E+03 0")
        assert kepler(file, "G01").toe == gpst_from_week(2409, 86_400)
        assert [(d.code.value, d.line) for d in file.diagnostics] == [("nav.week.repaired", 13)]
    modulo = f"{2409 % 1024 / 1000:.12f}"
    file = replaced("1.000000000000E+00 2.409000000000E+03 0", f"1.000000000000E+00 {modulo}E+03 0")
    assert kepler(file, "G01").toe == gpst_from_week(2409, 86_400)


@pytest.mark.parametrize(
    ("sources", "message"),
    [("5.130000000000E+02", "INAV"), ("5.170000000000E+02", "INAV"), ("2.580000000000E+02", "FNAV"),
     ("1.000000000000E+00", "INAV"), ("2.000000000000E+00", "FNAV"), ("7.750000000000E+02", None),
     ("5.120000000000E+02", None), ("0.000000000000E+00", None)],
)  # fmt: skip
def test_galileo_by_its_data_sources(sources: str, message: str | None) -> None:
    file = replaced("5.160000000000E+02 2.409", f"{sources} 2.409")
    assert [e.message for e in file.ephemerides if satellite_name(e.satellite) == "E02"] == (
        [message] if message else []
    )
    assert ("nav.gal.sources" in file.diagnostic_counts) == (message is None) and len(file) == 5


def test_beidou_geos_by_their_orbit() -> None:
    file = replaced("     9.484550958989E-01-2.233125000000E+02", "     9.127494802510E-02-2.233125000000E+02")
    assert kepler(file, "C06").message is NavigationMessage.D2


def test_unknown_stands_for_itself() -> None:
    file = replaced("     7.921800000000E+04 4.000000000000E+00", "     9.999000000000E+08")
    assert kepler(file, "G01").transmission is None and kepler(file, "G01").fit_interval_s == 4 * 3600
    file = replaced(
        "1.830000000000E+02 9.313225746155E-09 2.000000000000E+00",
        "                   9.999999999990E+08 1.500000000000E+01",
    )
    assert math.isnan(state(file, "R01").delta_tau) and math.isnan(state(file, "R01").accuracy_m)
    file = replaced("     3.120000000000E+00 0.000000000000E+00", "    -1.000000000000E+00 0.000000000000E+00")
    assert math.isnan(kepler(file, "E02").accuracy_m) and not healthy(kepler(file, "E02"))
    for printed, channel in (("2.490000000000E+02", -7), ("1.400000000000E+02", UNKNOWN_CHANNEL)):
        file = replaced("-9.313225746155E-10 1.000000000000E+00", f"-9.313225746155E-10 {printed}")
        assert state(file, "R01").channel == channel


def test_glonass_is_unhealthy_by_either_flag() -> None:
    file = replaced(
        "9.313225746155E-09 2.000000000000E+00 3.000000000000E+00",
        "9.313225746155E-09 2.000000000000E+00 7.000000000000E+00",
    )
    assert not healthy(state(file, "R01"))  # l_n
    file = replaced(
        "3.135175704956E-01 0.000000000000E+00 0.000000000000E+00",
        "3.135175704956E-01 0.000000000000E+00 1.000000000000E+00",
    )
    assert not healthy(state(file, "R01"))  # B_n


@pytest.mark.parametrize(("version", "printed", "hours"), [(3.04, 0.0, 2), (3.04, 1.0, 4), (3.02, 6.0, 6)])
def test_fit_intervals_of_qzss(version: float, printed: float, hours: int) -> None:
    text = NAVIGATION_3.replace("G01 2026", "J01 2026").replace("     3.05", f"     {version:.2f}")
    file = read(text.replace("7.921800000000E+04 4.000000000000E+00", f"7.921800000000E+04 {printed:.12f}E+00"))
    assert kepler(file, "J01").fit_interval_s == hours * 3600


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "lost"),
    [
        ("G01 2026 03 09 00 00 00", "G01 2026 13 09 00 00 00", "nav.record.unreadable", 8, 1),
        ("     7.921800000000E+04 4.000000000000E+00\n", "", "nav.record.short", 8, 1),
        ("5.153623411179E+03", "5.15362x411179E+03", "nav.value.bad", 10, 1),
        ("5.153623411179E+03", "5.15362\x00411179E+03", "text.nul", 10, 1),
        ("9.200000000000E+02", "9.210000000000E+02", "nav.iode_mismatch", 14, 0),
        (FIFTH_LINE, "", "nav.glonass.extra_line", 32, 0),
        ("G01 2026 03 09", "    stray\nG01 2026 03 09", "nav.line.unexpected", 8, 0),
        ("S21 2026", "Q21 2026", "nav.line.unexpected", 37, 1),
    ],
)  # fmt: skip
def test_damage_is_local_and_reported(old: str, new: str, code: str, line: int, lost: int) -> None:
    file = replaced(old, new)
    assert (code, line) in [(d.code.value, d.line) for d in file.diagnostics]
    assert len(file.ephemerides) == 5 - lost


def test_duplicates_and_later_uploads() -> None:
    first = kepler(read(NAVIGATION_3), "C06")
    again = replace(first, transmission=first.transmission and first.transmission + 10**9)
    upload = replace(again, iode=2, eccentricity=0.006)
    assert deduplicated([first, again, upload]) == [first, upload]


@pytest.mark.parametrize("version", [3.05, 4.0, 4.02])
def test_ephemerides_written_read_back(version: float) -> None:
    file = read(NAVIGATION_3)
    again = read_navigation(write_navigation(file.ephemerides, version, file.header))
    assert again.diagnostics == () and again.ephemerides == file.ephemerides
    assert (again.header.ionosphere == file.header.ionosphere) == (version < 4.0)
    rewritten, left_out = rewrite_navigation(file, version)
    assert read_navigation(rewritten).ephemerides == file.ephemerides
    assert bool(left_out) == (version >= 4.0)  # header lines of ionosphere and time have no place there


def test_cnav_and_records_of_rinex_4_need_rinex_4() -> None:
    text = read(NAVIGATION_3)
    cnav = replace(
        kepler(text, "G01"), message=NavigationMessage.CNAV, accuracy_m=11.3, a_dot=0.5, iode=None, iodc=None,
        fit_interval_s=math.nan, extra={}, transmission=None,
    )  # fmt: skip
    assert read_navigation(write_navigation([cnav], 4.0)).ephemerides == (cnav,)
    writer = NavigationWriter(3.05)
    assert writer.ephemeris(cnav) == b"" and writer.left_out == {"EPH G CNAV": 1}
    with pytest.raises(UnwritableError, match=r"RINEX 3\.04"):
        NavigationWriter(3.04)


def test_glonass_frame_time_of_rinex_2_becomes_seconds_of_the_week() -> None:
    """2.11 table A11 counts it in the UTC day, 3.05 table A10 in the week; 2018-07-30 was a Monday."""
    text = "     2.11           G: GLONASS NAV DATA                     RINEX VERSION / TYPE\n"
    text += f"{'':<60}END OF HEADER\n"
    text += " 1 18  7 30  0 15  0.0 1.000000000000D-05 0.000000000000D+00 8.700000000000D+02\n"
    text += "    1.000000000000D+04 1.000000000000D+00 0.000000000000D+00 0.000000000000D+00\n" * 3
    file = read(text)
    rewritten, _ = rewrite_navigation(file, 3.05)
    again = read_navigation(rewritten)
    assert again.record(0).values[2] == 86_400 + 870 and again.diagnostics == ()
    assert state(again, "R01").transmission == state(file, "R01").transmission == parse_time("2018-07-30T00:14:30Z")


@pytest.mark.parametrize(
    "text",
    ["", "no RINEX at all", "     3.04           OBSERVATION DATA    M                   RINEX VERSION / TYPE\n"],
)
def test_what_is_no_navigation_file_is_refused(text: str) -> None:
    with pytest.raises(NotRinexError):
        read(text)
