"""What stands where in each kind of navigation record: names of the fields, line by line.

Three fields on the first line, four on every other; an empty name is a spare. Names of group delays are those of
`cors.gnss.ephemeris`. Source: RINEX 3.05 tables A6-A16, 4.02 tables A8-A33; L1NV, L1OC and L3OC (4.02) were never seen
on data (unverified).
"""

from __future__ import annotations

from dataclasses import dataclass

from cors.gnss.ephemeris import NavigationMessage
from cors.rinex.navigation._kernels import FIELDS


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record."""

    record_class: str
    """EPH, STO, EOP or ION."""
    systems: str
    message: str
    """Message name on a RINEX 4 header line."""
    names: tuple[str, ...]
    """[FIELDS] by position, empty for spares."""
    lines: int
    """Data lines."""
    fewest: int
    """Data lines of older versions."""

    @property
    def navigation_message(self) -> NavigationMessage | None:
        """The vocabulary's message; None for records that are no ephemeris."""
        return NavigationMessage(self.message) if self.record_class == "EPH" else None


def _kind(record_class: str, systems: str, message: str, layout: str, fewest: int | None = None) -> Kind:
    """`layout`: lines divided by `|`, names by blanks, `-` for spares."""
    lines = [line.split() for line in layout.split("|")]
    names = [""] * FIELDS
    for number, line in enumerate(lines):
        for k, name in enumerate(line):
            names[k if number == 0 else 4 * number - 1 + k] = "" if name == "-" else name
    return Kind(record_class, systems, message, tuple(names), len(lines), fewest or len(lines))


_CLOCK = "af0 af1 af2"
_ORBIT = "Cuc e Cus sqrtA | toe Cic OMEGA0 Cis | i0 Crc omega OMEGADOT"
_CNAV_ORBIT = "Cuc e Cus sqrtA | t_op Cic OMEGA0 Cis | i0 Crc omega OMEGADOT"
_CNAV = (
    f"{_CLOCK} | A_DOT Crs DeltaN0 M0 | {_CNAV_ORBIT} | IDOT DeltaN0_dot URAI_NED0 URAI_NED1 "
    "| URAI_ED health TGD URAI_NED2 | ISC_L1CA ISC_L2C ISC_L5I5 ISC_L5Q5"
)
_BCNAV = (
    f"{_CLOCK} | A_DOT Crs DeltaN0 M0 | {_ORBIT} | IDOT DeltaN0_dot SatType t_op "
    "| SISAI_oe SISAI_ocb SISAI_oc1 SISAI_oc2"
)
_STATE = "X VX AX health | Y VY AY {y} | Z VZ AZ {z}"
_KLOBUCHAR = "alpha0 alpha1 alpha2 | alpha3 beta0 beta1 beta2 | beta3 region"

KINDS = (
    _kind("EPH", "GJ", "LNAV", f"{_CLOCK} | IODE Crs DeltaN M0 | {_ORBIT} | IDOT L2_codes week L2P_flag "
          "| URA health TGD IODC | t_tm fit"),
    _kind("EPH", "I", "LNAV", f"{_CLOCK} | IODEC Crs DeltaN M0 | {_ORBIT} | IDOT - week | URA health TGD | t_tm"),
    _kind("EPH", "E", "INAV", f"{_CLOCK} | IODnav Crs DeltaN M0 | {_ORBIT} | IDOT data_sources week "
          "| SISA health BGD_E1E5a BGD_E1E5b | t_tm"),
    _kind("EPH", "E", "FNAV", f"{_CLOCK} | IODnav Crs DeltaN M0 | {_ORBIT} | IDOT data_sources week "
          "| SISA health BGD_E1E5a BGD_E1E5b | t_tm"),
    _kind("EPH", "C", "D1", f"{_CLOCK} | AODE Crs DeltaN M0 | {_ORBIT} | IDOT - week | URA health TGD1 TGD2 "
          "| t_tm AODC"),
    _kind("EPH", "C", "D2", f"{_CLOCK} | AODE Crs DeltaN M0 | {_ORBIT} | IDOT - week | URA health TGD1 TGD2 "
          "| t_tm AODC"),
    _kind("EPH", "R", "FDMA", f"minus_tau_n gamma_n t_k | {_STATE.format(y='channel', z='age')} "
          "| status_flags delta_tau URAI health_flags", 4),
    _kind("EPH", "S", "SBAS", f"aGf0 aGf1 t_tm | {_STATE.format(y='URA', z='IODN')}"),
    _kind("EPH", "GJ", "CNAV", f"{_CNAV} | t_tm WN_op flags"),
    _kind("EPH", "GJ", "CNV2", f"{_CNAV} | ISC_L1CD ISC_L1CP | t_tm WN_op flags"),
    _kind("EPH", "C", "CNV1", f"{_BCNAV} | ISC_B1Cd - TGD_B1Cp TGD_B2ap | SISMAI health integrity_flags IODC "
          "| t_tm - - IODE"),
    _kind("EPH", "C", "CNV2", f"{_BCNAV} | - ISC_B2ad TGD_B1Cp TGD_B2ap | SISMAI health integrity_flags IODC "
          "| t_tm - - IODE"),
    _kind("EPH", "C", "CNV3", f"{_BCNAV} | SISMAI health integrity_flags TGD_B2bI | t_tm"),
    _kind("EPH", "I", "L1NV", f"{_CLOCK} | A_DOT Crs DeltaN0 M0 | Cuc e Cus sqrtA | IODEC Cic OMEGA0 Cis "
          "| i0 Crc omega OMEGADOT | IDOT DeltaN0_dot - RSF | URAI health TGD_L5 TGD_S | ISC_1 ISC_2 ISC_3 ISC_4 "
          "| t_tm"),
    *(_kind("EPH", "R", message, f"minus_tau_n gamma_n beta_n | {_STATE.format(y='validity', z='TGD')} "
            "| sat_type source_flags EE ET | attitude_P2 T_in tau_1 tau_2 | yaw yaw_sign yaw_rate yaw_acceleration "
            "| yaw_rate_max X_PC Y_PC Z_PC | FE FT - t_tm") for message in ("L1OC", "L3OC")),
    *(_kind("STO", "GREJCIS", message, "- | t_tm A0 A1 A2")
      for message in ("LNAV", "CNVX", "FDMA", "IFNV", "D1D2", "SBAS", "L1NV", "L1OC", "L3OC")),
    *(_kind("EOP", "GRJCI", message, "xp xp_rate xp_acceleration | - yp yp_rate yp_acceleration "
            "| t_tm dUT1 dUT1_rate dUT1_acceleration") for message in ("LNAV", "CNVX", "L1NV", "L1OC", "L3OC")),
    _kind("ION", "GJI", "LNAV", _KLOBUCHAR),
    _kind("ION", "GJ", "CNVX", _KLOBUCHAR),
    _kind("ION", "C", "D1D2", _KLOBUCHAR),
    _kind("ION", "E", "IFNV", "ai0 ai1 ai2 | disturbance_flags"),
    _kind("ION", "C", "CNVX", "a1 a2 a3 | a4 a5 a6 a7 | a8 a9"),
    _kind("ION", "I", "L1NV", _KLOBUCHAR),
    _kind("ION", "R", "L1OC", "c_A c_F10.7 c_Ap"),
    _kind("ION", "R", "L3OC", "c_A c_F10.7 c_Ap"),
)  # fmt: skip
"""All kinds; the first of a constellation is its kind in RINEX 2 and 3 (Galileo and BeiDou are told apart there)."""


def kind_index(record_class: str, system: str, message: str) -> int | None:
    """Index into `KINDS` of a RINEX 4 header line."""
    for index, kind in enumerate(KINDS):
        if kind.record_class == record_class and system in kind.systems and kind.message == message:
            return index
    return None


def position(kind: Kind, name: str) -> int | None:
    """Position of a field."""
    return kind.names.index(name) if name in kind.names else None
