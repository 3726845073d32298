"""The collection of broadcast sets: one a set whoever tells it, bounded against nonsense, aged by the ICDs' limits."""

from __future__ import annotations

from dataclasses import replace

from cors.epochs.assembler import EpochAssembler
from cors.epochs.ephemerides import SETS_A_SATELLITE, EphemerisCollection
from cors.gnss.ephemeris import KeplerEphemeris, NavigationMessage, StateEphemeris
from cors.gnss.satellites import parse_satellite
from cors.gnss.time import NS, gpst_from_week

TOE = gpst_from_week(2437, 266_400)


def kepler(name: str = "G07", toe: int = TOE, iode: int = 44, **other: float) -> KeplerEphemeris:
    values = dict(
        sqrt_a=5153.7, eccentricity=0.01, m0=0.1, delta_n=4e-9, omega0=1.0, i0=0.96, omega=0.5, omega_dot=-8e-9,
        idot=1e-10, cuc=1e-6, cus=1e-6, crc=200.0, crs=50.0, cic=1e-7, cis=1e-7, af0=1e-4, af1=1e-12, af2=0.0,
    )  # fmt: skip
    return KeplerEphemeris(
        parse_satellite(name), NavigationMessage.LNAV, toe, toe, None, iode, iode, 0, 2.0, 14_400.0, **values | other
    )


def test_one_set_whoever_tells_it() -> None:
    collection = EphemerisCollection()
    for station in ("A", "B", "C"):
        collection.add(station, [replace(kepler(), transmission=TOE - hash(station) % 7 * NS)])
    assert len(collection.current(TOE)) == 1


def test_the_same_issue_with_other_content_is_kept_beside_and_the_one_most_tell_comes_first() -> None:
    collection = EphemerisCollection()
    wrong = kepler(m0=0.2)
    collection.add("A", [wrong])
    collection.add("B", [kepler()])
    collection.add("C", [kepler()])
    assert collection.current(TOE) == (kepler(), wrong)


def test_nonsense_of_one_station_does_not_push_out_what_two_tell() -> None:
    collection = EphemerisCollection()
    collection.add("A", [kepler()])
    collection.add("B", [kepler()])
    collection.add("Z", (kepler(iode=n % 256, m0=n * 1e-3) for n in range(1000)))
    sets = collection.current(TOE)
    assert kepler() == sets[0] and len(sets) == SETS_A_SATELLITE
    assert collection.displaced == 1001 - SETS_A_SATELLITE


def test_sets_leave_by_their_age() -> None:
    glonass = StateEphemeris(
        parse_satellite("R05"), NavigationMessage.FDMA, TOE, None, 8, 0, 5.0, (1.1e7, 1.2e7, 1.9e7), (0.0, 1e3, 2e3),
        (0.0, 0.0, 0.0), 1e-5, 0.0, 1,
    )  # fmt: skip
    collection = EphemerisCollection()
    collection.add("A", [kepler(), glonass, kepler("E11")])
    assert [e.satellite for e in collection.current(TOE)] == [parse_satellite(n) for n in ("E11", "G07", "R05")]
    assert glonass not in collection.current(TOE + 1900 * NS)  # GLONASS ICD: 30 min
    assert len(collection.current(TOE + 7300 * NS)) == 1  # GPS: two hours; the E11 set names four hours of validity
    assert collection.current(TOE + 20_000 * NS) == ()


def test_batches_carry_them_also_when_they_came_without_rows() -> None:
    from tests.cors.epochs.test_assembler import rows

    assembler = EpochAssembler()
    assembler.add_ephemerides("B", [kepler()])
    assembler.add("A", TOE, rows(0, 0), [kepler("G08")], 0.0)
    (batch,) = assembler.ready(1.0)
    assert [e.satellite for e in batch.ephemerides] == [parse_satellite("G07"), parse_satellite("G08")]
