"""RTKLIB (pyrtklib5) and pyrtcm as judges: their readings of a stream as plain values.

Faults of theirs that matter here: pyrtklib5 keeps three frequencies a satellite and drops the other signals, knows no
MSM1-3; pyrtcm gives milliseconds and flat attribute lists, raises on MSM2, and loses good frames after a bad one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyrtklib5 as rtklib
from pyrtcm import RTCMReader

from cors.gnss.satellites import Constellation, pack_satellite
from cors.gnss.signals import find_signal
from cors.gnss.time import NS, calendar

Key = tuple[int, int, int]
"""gpst ns, packed satellite, packed signal."""
Value = tuple[float, float, float, float]
"""Code m, phase cycles, Doppler Hz, C/N0 dB-Hz; 0 absent."""

_SYSTEMS = {0x01: Constellation.GPS, 0x02: Constellation.SBAS, 0x04: Constellation.GLONASS, 0x08: Constellation.GALILEO,
            0x10: Constellation.QZSS, 0x20: Constellation.BEIDOU, 0x40: Constellation.NAVIC}  # fmt: skip
_FIRST_PRN = {Constellation.SBAS: 120, Constellation.QZSS: 193}
_UNIX_GPS = 315_964_800


def _gtime(gpst: int) -> object:
    year, month, day, hour, minute, second_ns = calendar(gpst)
    parts = rtklib.Arr1Ddouble(6)
    for k, value in enumerate((year, month, day, hour, minute, second_ns / NS)):
        parts[k] = value
    return rtklib.epoch2time(parts)


def gpst_of(time: object) -> int:
    """gpst ns of a gtime_t, to the microsecond."""
    whole: int = time.time  # type: ignore[attr-defined]
    return (whole - _UNIX_GPS) * NS + round(time.sec * 1e6) * 1000  # type: ignore[attr-defined]


def packed_satellite(number: int) -> int:
    """Packed satellite of RTKLIB's satellite number."""
    prn = rtklib.Arr1Dint(1)
    system = _SYSTEMS[rtklib.satsys(number, prn)]
    return pack_satellite(system, prn[0] - _FIRST_PRN.get(system, 1) + 1)


class Rtklib:
    """One RTKLIB decoder; `feed` gives what changed by each byte's return code."""

    def __init__(self, start: int) -> None:
        self.rtcm = rtklib.rtcm_t()
        rtklib.init_rtcm(self.rtcm)
        self.rtcm.time = _gtime(start)

    def feed(self, data: bytes) -> Iterator[int]:
        for byte in data:
            code = rtklib.input_rtcm3(self.rtcm, byte)
            if code > 0:
                yield code

    def close(self) -> None:
        rtklib.free_rtcm(self.rtcm)

    def ephemeris(self) -> dict[str, float]:
        """The Keplerian set read last, by the vocabulary's names; toe and toc as gpst ns."""
        e = self.rtcm.nav.eph[self.rtcm.ephsat - 1 + (rtklib.MAXSAT if self.rtcm.ephset else 0)]
        names = {"e": "eccentricity", "M0": "m0", "deln": "delta_n", "OMG0": "omega0", "i0": "i0", "omg": "omega",
                 "OMGd": "omega_dot", "idot": "idot", "cuc": "cuc", "cus": "cus", "crc": "crc", "crs": "crs",
                 "cic": "cic", "cis": "cis", "f0": "af0", "f1": "af1", "f2": "af2", "iode": "iode"}  # fmt: skip
        values = {ours: getattr(e, theirs) for theirs, ours in names.items()}
        return values | {"sqrt_a": e.A**0.5, "toe": gpst_of(e.toe), "toc": gpst_of(e.toc), "health": e.svh,
                         "satellite": packed_satellite(e.sat), "delay_0": e.tgd[0], "delay_1": e.tgd[1]}  # fmt: skip

    def glonass(self, satellite: int) -> dict[str, object]:
        """The GLONASS set of a satellite; position km, as RTKLIB signs and counts."""
        g = self.rtcm.nav.geph[satellite & 63]
        return {"toe": gpst_of(g.toe), "position": tuple(g.pos[k] for k in range(3)),
                "velocity": tuple(g.vel[k] for k in range(3)), "acceleration": tuple(g.acc[k] for k in range(3)),
                "taun": g.taun, "gamn": g.gamn, "channel": g.frq, "health": g.svh, "iode": g.iode}  # fmt: skip

    def station(self) -> dict[str, object]:
        """Place, height and texts of the station read last."""
        s = self.rtcm.sta
        texts = {name: str(getattr(s, name)[0]) for name in ("antdes", "antsno", "rectype", "recver", "recsno")}
        return texts | {"position": tuple(s.pos[k] for k in range(3)), "height": s.hgt, "setup": s.antsetup,
                        "itrf": s.itrf}  # fmt: skip

    def observations(self) -> dict[Key, Value]:
        found = {}
        for k in range(self.rtcm.obs.n):
            row = self.rtcm.obs.data[k]
            satellite = packed_satellite(row.sat)
            for slot in range(rtklib.NFREQ):
                if row.code[slot]:
                    signal = find_signal(satellite >> 6, rtklib.code2obs(row.code[slot]))
                    if signal is not None:
                        values = row.P[slot], row.L[slot], row.D[slot], row.SNR[slot]
                        found[gpst_of(row.time), satellite, signal] = values
        return found


def rtklib_observations(data: bytes, start: int) -> dict[Key, Value]:
    """All observations RTKLIB reads from a stream."""
    decoder, found = Rtklib(start), {}
    for code in decoder.feed(data):
        if code == 1:
            found |= decoder.observations()
    decoder.close()
    return found


def pyrtcm_messages(data: bytes) -> list[object]:
    """Messages pyrtcm reads from good frames."""
    return [message for _, message in RTCMReader(io.BytesIO(data), quitonerror=0) if message is not None]
