"""Faults that act on what a receiver measures: outages, slips, interference, and the new locks they leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cors.gnss.satellites import parse_satellite
from cors.gnss.signals import CHANNEL_STEP, FREQUENCY, signal_code
from rtk.simulation import _kernels
from rtk.simulation.faults import Fault, Interference, Killed, Outage, Slip
from rtk.simulation.layout import Rows

if TYPE_CHECKING:
    from rtk.simulation.simulation import Simulation

Mask = NDArray[np.bool_]


def _wavelength(rows: Rows, channel: NDArray[np.int64]) -> NDArray[np.float64]:
    wavelength: NDArray[np.float64] = _kernels.C / (FREQUENCY[rows.signal] + channel * CHANNEL_STEP[rows.signal])
    return wavelength


def _met(simulation: Simulation, rows: Rows, fault: Killed | Outage | Slip | Interference) -> Mask:
    """Rows of the station and satellite (and signal) a fault names."""
    met = np.ones(rows.satellite.size, bool)
    if fault.station is not None:
        met &= rows.station == simulation.names.index(fault.station)
    satellite = getattr(fault, "satellite", None)
    if satellite is not None:
        met &= rows.satellite == parse_satellite(satellite)
    signal = getattr(fault, "signal", None)
    if signal is not None:
        met &= np.array([signal_code(int(s)) == signal for s in rows.signal], bool)
    return met


def _add_cycles(rows: Rows, met: Mask, cycles: NDArray[np.float64], wavelength: NDArray[np.float64]) -> None:
    """Add cycles [row] to the phase, whole ones to the integers too."""
    whole = np.floor(cycles)
    rows.integer[met] += whole[met].astype(np.int64)
    rows.phase_bias[met] += ((cycles - whole) * wavelength)[met]
    rows.phaserange[met] += (cycles * wavelength)[met]


def _locked_anew(rows: Rows, met: Mask, fault: Fault, number: int, wavelength: NDArray[np.float64], t: float) -> None:
    """After an interruption until `fault.end`: locks start there, with other integers."""
    met = met & (rows.lock_from < fault.end)
    cycles = np.zeros(met.size)
    for row in np.flatnonzero(met):
        key = _kernels.key2(int(rows.satellite[row]) << 9 | int(rows.signal[row]) & 511, 6000 + number)
        cycles[row] = math.floor(200.0 * _kernels.uniform(key, int(rows.station[row]))) - 100.0
    _add_cycles(rows, met, cycles, wavelength)
    rows.lock_from[met] = fault.end
    rows.lock_time[met] = (t - fault.end) * 1e3


def _slip(rows: Rows, met: Mask, fault: Slip, wavelength: NDArray[np.float64], t: float) -> None:
    met = met & (rows.lock_from <= fault.start)
    everywhere = fault.cycles.get("*", 0.0)
    cycles = np.zeros(met.size)
    for row in np.flatnonzero(met):
        cycles[row] = fault.cycles.get(signal_code(int(rows.signal[row])), everywhere)
    met &= cycles != 0.0
    _add_cycles(rows, met, cycles, wavelength)
    if fault.announced:
        rows.lock_from[met] = fault.start
        rows.lock_time[met] = (t - fault.start) * 1e3


def _interference(rows: Rows, met: Mask, fault: Interference) -> None:
    rows.cn0[met] = np.maximum(rows.cn0[met] - fault.loss_db, 15.0)
    growth = 10.0 ** (fault.loss_db / 20.0) - 1.0
    rows.pseudorange[met] += growth * rows.code_error[met]
    rows.phaserange[met] += growth * rows.phase_error[met]
    rows.code_error[met] *= 1.0 + growth
    rows.phase_error[met] *= 1.0 + growth


def apply(simulation: Simulation, rows: Rows, link_satellite: NDArray[np.int64], t: float) -> Rows:
    """The rows as faults leave them at `t` s after the start."""
    faults = [f for f in simulation.configuration.faults if isinstance(f, Killed | Outage | Slip | Interference)]
    if not faults:
        return rows
    wavelength = _wavelength(rows, simulation.sky.channels[link_satellite[rows.link]])
    kept = np.ones(rows.satellite.size, bool)
    for number, fault in enumerate(faults):
        if t < fault.start:
            continue
        met = _met(simulation, rows, fault)
        if isinstance(fault, Killed | Outage):
            if fault.acts(t):
                kept &= ~met
            else:
                _locked_anew(rows, met, fault, number, wavelength, t)
        elif isinstance(fault, Slip) and fault.acts(t):
            _slip(rows, met, fault, wavelength, t)
        elif isinstance(fault, Interference) and fault.acts(t):
            _interference(rows, met, fault)
    selected: list[NDArray[Any]] = [column[kept] for column in rows]
    return Rows._make(selected)
