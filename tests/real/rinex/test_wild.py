"""Real files, odd and plain, against the programs that read them too: georinex, RTKLIB, RNXCMP."""

from __future__ import annotations

import csv
import re
import subprocess
import warnings
from pathlib import Path
from typing import Any

import georinex
import hatanaka
import numpy as np
import pyrtklib5 as rtklib
import pytest

from cors.gnss.ephemeris import Ephemeris, KeplerEphemeris
from cors.gnss.satellites import parse_satellite, satellite_name
from cors.gnss.signals import carrier_frequency, parse_signal, signal_code
from cors.gnss.time import NS, parse_time
from cors.rinex.compact.restoring import restore
from cors.rinex.diagnostics import DiagnosticLog
from cors.rinex.errors import CompactRinexError, NotRinexError
from cors.rinex.inspection import read_rinex, records, summary
from cors.rinex.navigation.reading import read_navigation
from cors.rinex.navigation.writing import rewrite_navigation, write_navigation
from cors.rinex.observation.file import ObservationFile
from cors.rinex.observation.reading import read_observations
from cors.rinex.observation.records import epoch_records
from cors.rinex.observation.writing.rewriting import Rewriter
from cors.rinex.sp3 import read_sp3
from cors.rinex.transport import unpack
from tests.programs import program
from tests.real.conftest import data_path

CASES = data_path("gnss", "rinex_cases")
GEORINEX = CASES / "georinex"
C = 299_792_458.0
OTHER_KINDS = ("sp3", ".15m", ".00m", ".96m", ".19m", "_MM.", "example1.txt", "README")
"""Not observation nor navigation: meteorological files and orbits."""


def wild() -> list[Path]:
    return sorted(p for p in CASES.rglob("*") if p.is_file() and not any(kind in p.name for kind in OTHER_KINDS))


def name_of(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", wild(), ids=name_of)
def test_every_file_is_read_or_refused_clearly(path: Path) -> None:
    if path.name.startswith("hubu"):
        with pytest.raises(CompactRinexError, match="line 1265"):
            read_rinex(path)
        return
    file = read_rinex(path)
    assert summary(file)["file"] == path.name
    blank = "blank" in path.name or "badtime" in path.name
    assert next(iter(records(file)))["kind"] == "header"
    if isinstance(file, ObservationFile):
        assert blank or file.observations.satellite.size > 2
    else:
        assert blank or len(file.ephemerides) == len(file) or file.header.version >= 4.0


@pytest.mark.parametrize(
    "path", [p for p in CASES.rglob("*") if any(k in p.name for k in ("_MM.", ".15m", "POTS", "sp3c"))], ids=name_of
)
def test_other_kinds_are_no_observations(path: Path) -> None:
    with pytest.raises(NotRinexError, match="expected"):
        read_observations(path)


PAIRS = [
    ("ACOR00ESP_R_20213550000_01D_30S_MO.crx.gz", "ACOR00ESP_R_20213550000_01D_30S_MO.rnx.gz"),
    ("AJAC3550.21D.gz", "AJAC3550.21O.gz"), ("DUTH0630.22D.gz", "DUTH0630.22O.gz"),
    ("KOSG0010.95D.gz", "KOSG0010.95O.gz"), ("aopr0010.17d.gz", "aopr0010.17o.gz"),
    ("flrs0010.12d.gz", "flrs0010.12o.gz"), ("npaz3550.21d.gz", "npaz3550.21o.gz"),
    ("pdel0010.21d.gz", "pdel0010.21o.gz"), ("bkg/brst155h.20d.gz", "bkg/brst155h.20o.gz"),
    ("georinex/P43300USA_R_20190012056_17M_15S_MO.crx.gz", "georinex/P43300USA_R_20190012056_17M_15S_MO.crx.bz2"),
]  # fmt: skip


@pytest.mark.parametrize(("compact", "plain"), PAIRS)
def test_compact_and_plain_say_the_same(compact: str, plain: str) -> None:
    ours, theirs = read_observations(CASES / compact), read_observations(CASES / plain)
    for a, b in zip(ours.observations, theirs.observations, strict=True):
        np.testing.assert_array_equal(a, b)
    for mine, other in zip(epoch_records(ours), epoch_records(theirs), strict=True):
        assert mine[:5] == other[:5] and mine.values == other.values


COMPACT = [
    p
    for p in data_path("gnss").rglob("*")
    if re.search(r"(\.crx|\.\d\dd)(\.gz|\.bz2)?$", p.name, re.IGNORECASE) and not p.name.startswith("hubu")
]


@pytest.mark.parametrize("path", COMPACT, ids=name_of)
def test_compact_files_are_restored_as_rnxcmp_does(path: Path) -> None:
    compact, log = unpack(path.read_bytes(), DiagnosticLog()), DiagnosticLog()
    text = restore(compact, log, 10**9)
    assert (
        text.raw(0, text.size) == re.sub(rb" (-?)\.(?=\d)", rb"\g<1>0.", hatanaka.crx2rnx(compact)) and not log.counts
    )


# --- georinex ---------------------------------------------------------------------------------------------------

OBSERVED = [
    "14601736.18o.gz", "ABMF00GLP_R_20181330000_01D_30S_MO.zip", "ab430140.18o.zip", "ac660270.18o.Z", "demo.10o.gz",
    "demo3.10o.gz", "minimal2.10o.gz", "minimal3.10o.gz", "rinex2onesat.10o.gz", "wrong_obs2_count.10o.gz",
    "junk_time_obs3.10o.gz", "default_time_system3.10o.gz", "../AJAC3550.21O.gz", "../LARM0630.22O.gz",
    "../barq071q.19d.gz", "../delf0010.21d.gz", "../zegv0010.21d.gz", "../KUNZ00CZE.crx.gz", "../KOSG0010.95O.gz",
]  # fmt: skip


def by_georinex(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return georinex.load(path)


@pytest.mark.parametrize("name", OBSERVED)
def test_georinex_reads_the_same_values(name: str) -> None:
    """Every value, loss-of-lock and signal-strength digit of the file, and no other."""
    data = by_georinex(GEORINEX / name)
    epoch = np.datetime64("1980-01-06", "ns")
    times = {int(t): n for n, t in enumerate((data.time.values.astype("datetime64[ns]") - epoch).astype(np.int64))}
    satellites = {str(s).replace(" ", "0"): n for n, s in enumerate(data.sv.values)}
    arrays = {str(code): data[code].values for code in data.data_vars}
    count = 0
    for record in epoch_records(read_observations(GEORINEX / name)):
        for satellite, values in record.values.items():
            place = times[record.calendar], satellites[satellite]
            for code, (value, lli, _) in values.items():
                assert arrays[code][place] == pytest.approx(value, abs=1e-9)
                if lli is not None and f"{code}lli" in arrays:
                    assert arrays[f"{code}lli"][place] == lli
                count += 1
    real = [values for code, values in arrays.items() if len(code) <= 3]
    zeros = sum(int((arrays[code] == 0.0).sum()) for code in arrays if len(code) <= 3 and code[0] != "D")
    assert count == sum(int(np.isfinite(values).sum()) for values in real) - zeros


NAMES = {
    "SVclockBias": "af0", "SVclockDrift": "af1", "SVclockDriftRate": "af2", "Crs": "Crs", "M0": "M0", "Cuc": "Cuc",
    "Eccentricity": "e", "sqrtA": "sqrtA", "Toe": "toe", "Omega0": "OMEGA0", "omega": "omega", "OmegaDot": "OMEGADOT",
    "IDOT": "IDOT", "health": "health", "TGD": "TGD", "TransTime": "t_tm",
}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["14601736.18n.gz", "ab422100.18n.gz", "brdc2420.18n.gz", "demo_nav3.17n.gz", "ceda2100.18e.gz",
             "qzss_nav3.14n.gz", "spirentGSS9000.zip"]
)  # fmt: skip
def test_georinex_reads_the_same_ephemerides(name: str) -> None:
    data = by_georinex(GEORINEX / name)
    epoch = np.datetime64("1980-01-06", "ns")
    times = {int(t): n for n, t in enumerate((data.time.values.astype("datetime64[ns]") - epoch).astype(np.int64))}
    compared = 0
    for record in read_navigation(GEORINEX / name).records():
        column = data.sel(sv=record.satellite) if record.satellite in data.sv.values else None
        if column is None or record.kind.record_class != "EPH" or "sqrtA" not in record.kind.names:
            continue
        for theirs, ours in NAMES.items():
            value = record.fields.get(ours)
            if theirs in data.data_vars and value is not None:
                found = float(column[theirs].values[times[record.calendar]])
                assert found == value or (ours == "t_tm" and np.isnan(found)), (record.satellite, theirs)
                compared += 1
    assert compared >= 15 * min(len(times), 4)


# --- RTKLIB -----------------------------------------------------------------------------------------------------

ESBC = data_path("gnss", "stations", "esbc_2020177")


@pytest.fixture(scope="module")
def esbc() -> ObservationFile:
    return read_observations(ESBC / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz")


def test_a_whole_day_has_as_many_rows_as_were_published(esbc: ObservationFile) -> None:
    """432,050 rows of six constellations, 2,880 epochs, no gap."""
    assert esbc.observations.satellite.size == 432_050 and esbc.diagnostics == ()
    assert np.unique(np.diff(esbc.epochs.tags)).tolist() == [30 * NS]
    keys = esbc.observations.satellite.astype(np.int64) << 16 | esbc.observations.signal
    first = np.zeros(keys.size, np.bool_)
    first[esbc.offsets[:-1]] = True
    assert (np.diff(keys) > 0)[~first[1:]].all()


def test_rtklib_reads_the_same_day(esbc: ObservationFile, tmp_path: Path) -> None:
    """What RTKLIB keeps of the first 40 epochs (one code a frequency): same codes, phases, Dopplers, strengths."""
    end = int(esbc.spans[40, 0])
    path = tmp_path / "esbc.rnx"
    path.write_bytes(esbc.text.raw(0, end))
    theirs = rtklib.obs_t()
    assert rtklib.readrnx(str(path), 1, "", theirs, rtklib.nav_t(), rtklib.sta_t()) == 1
    ours = {
        (int(tag), int(s), int(g)): values
        for n, tag in enumerate(esbc.epochs.tags[:40])
        for s, g, *values in zip(*esbc.epoch(n)[:6], strict=True)
    }
    compared = 0
    for n in range(theirs.n):
        row, name = theirs.data[n], rtklib.Arr1Dchar(8)
        rtklib.satno2id(row.sat, name)
        satellite = f"S{int(name[0]) - 100:02d}" if str(name[0]).isdigit() else str(name[0])
        tag = (row.time.time - 315_964_800) * NS + round(row.time.sec * 1e9)
        for k in range(3):
            if not row.code[k]:
                continue
            signal = parse_signal(satellite[0] + rtklib.code2obs(row.code[k]))
            code, phase, rate, cn0 = ours[tag, parse_satellite(satellite), signal]
            channel = esbc.header.glonass_channels.get(int(satellite[1:]), 0)
            wavelength = C / carrier_frequency(signal, channel)
            mine = np.array([code, phase / wavelength, -rate / wavelength, cn0])
            peer = np.array([row.P[k], row.L[k], row.D[k], row.SNR[k]])
            there = peer != 0.0
            np.testing.assert_allclose(mine[there], peer[there], rtol=0, atol=6e-4)  # D and S are single there
            compared += int(there.sum())
    assert compared > 12_000


@pytest.mark.parametrize("version", [2.11, 3.05, 4.02])
def test_convbin_reads_what_is_written(version: float, tmp_path: Path) -> None:
    file = read_observations(data_path("gnss", "stations", "gras_2022315", "GRAS00FRA_R_20223151700_15M_01S_MO.crx.gz"))
    chosen = np.arange(file.epochs.tags.size) < 20
    source, target = tmp_path / "in.rnx", tmp_path / "out.obs"
    source.write_bytes(Rewriter(file, version, epochs=chosen).text())
    subprocess.run(
        [program("convbin"), "-r", "rinex", "-v", "3.04", "-od", "-os", "-o", target, source], check=True, timeout=60,
        capture_output=True,
    )  # fmt: skip
    written, theirs = read_observations(source), read_observations(target)
    for name in ("satellite", "signal", "pseudorange", "cn0"):
        np.testing.assert_array_equal(getattr(theirs.observations, name), getattr(written.observations, name))
    assert written.observations.satellite.size > 1800
    np.testing.assert_array_equal(theirs.epochs.tags, written.epochs.tags)


def test_convbin_reads_navigation_that_is_written(tmp_path: Path) -> None:
    file = read_navigation(ESBC / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz")
    sets = file.ephemerides[::10]
    source, target = tmp_path / "in.rnx", tmp_path / "out.nav"
    source.write_bytes(write_navigation(sets, 3.05, file.header))
    command = [program("convbin"), "-r", "rinex", "-v", "3.04", "-n", str(target), str(source)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    assert sorted(map(clock_of, read_navigation(target).ephemerides)) == sorted(map(clock_of, sets))


def clock_of(e: Ephemeris) -> tuple[int, int, str]:
    """Satellite, toe and clock as far as convbin prints it."""
    return e.satellite, e.toe, f"{e.af0 if isinstance(e, KeplerEphemeris) else e.clock_bias:.6E}"


# --- plain properties of real files -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["CREU0770", "EBRE0770", "GARR0770", "MATA0770"])
def test_the_catalonian_references(name: str) -> None:
    """RINEX 2.11 of 2010: 2,880 epochs at 30 s (MATA 2,879), P(Y) on L2, positions of the register."""
    folder = data_path("gnss", "network", "catalonia_2010077")
    file = read_observations(folder / f"{name}.10d.gz")
    assert file.diagnostics == () and file.epochs.tags.size == 2880 - (name == "MATA0770")
    assert file.epochs.tags[0] == parse_time("2010-03-18T00:00:00")
    assert {signal_code(int(s)) for s in np.unique(file.observations.signal)} <= {"1C", "2W"}
    register = {row["station"]: row for row in csv.DictReader((folder / "stations.csv").open())}[name[:4]]
    marker = [float(register[f"marker_{axis}_m"]) for axis in "xyz"]
    np.testing.assert_allclose(file.header.position, marker, rtol=0, atol=1e-4)
    again = read_observations(Rewriter(file, 2.11, epochs=np.arange(file.epochs.tags.size) < 60).text())
    np.testing.assert_array_equal(again.observations.phaserange, file.observations.phaserange[: file.offsets[60]])


def test_the_rinex_4_day_comes_back_byte_for_byte() -> None:
    """36 records of all classes of the broadcast file of 2026-03-09: only the program's name and blanks differ."""
    path = data_path("rinex", "TEST00CHN_R_20260680000_01D_MN.rnx")
    original = [line.rstrip().replace("e+", "E+").replace("e-", "E-") for line in path.read_text().splitlines()]
    rewritten, left_out = rewrite_navigation(read_navigation(path), 4.02)
    assert not left_out
    assert [line.rstrip() for line in rewritten.decode().splitlines()][2:] == original[2:]


def test_counts_of_the_rinex_4_day() -> None:
    """The counts of messages and of wrong satellite types published with the file."""
    file = read_navigation(data_path("gnss", "products", "nav", "BRD400DLR_S_20260680000_01D_MN.rnx.gz"))
    found = summary(file)["messages"]
    assert isinstance(found, dict)
    assert (found["EPH E INAV"], found["EPH E FNAV"], found["EPH C CNV2"]) == (2944, 2892, 2177)
    assert file.diagnostic_counts == {"nav.bds.sattype_conflict": 677}
    sources = np.array([r.fields["data_sources"] for r in file.of_class("EPH") if r.satellite[0] == "E"])
    values, counts = np.unique(sources, return_counts=True)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {258.0: 2892, 513.0: 1, 516.0: 702, 517.0: 2241}


@pytest.mark.parametrize(
    ("name", "satellites", "epochs"),
    [(("products", "orbit", "Sta21114.sp3.gz"), 121, 97), (("stations", "roap_2009181", "igs15382.sp3.gz"), 31, 96),
     (("products", "orbit", "emr08874.sp3.gz"), 25, 96), (("rinex_cases", "georinex", "igs19362.sp3c.gz"), 32, 96)],
)  # fmt: skip
def test_orbit_files(name: tuple[str, ...], satellites: int, epochs: int) -> None:
    orbits = read_sp3(data_path("gnss", *name))
    assert orbits.position.shape == (epochs, satellites, 3)
    radius = np.linalg.norm(orbits.position, axis=2)
    assert np.nanmin(radius) > 2.3e7 and np.nanmax(radius) < 5e7
    assert np.nanmax(np.abs(orbits.clock)) < 1e-2


def test_sp3_case_of_121_satellites() -> None:
    orbits = read_sp3(data_path("rinex", "Sta21114.sp3"))
    assert orbits.diagnostics == () and orbits.version == "d" and orbits.satellites.size == 121
    column = [satellite_name(s) for s in orbits.satellites.tolist()].index("C60")
    np.testing.assert_allclose(orbits.position[0, column], [7327257.985, 41514493.054, 915002.827], rtol=0, atol=1e-3)
    assert orbits.clock[0, column] == pytest.approx(-0.49441e-6, abs=1e-15)
