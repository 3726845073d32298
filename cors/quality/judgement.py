"""What the tracker says of one epoch: the rows with their flags, why, and how the station as a whole does."""

from __future__ import annotations

from enum import IntFlag, StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cors.gnss.observations import Observations
from cors.gnss.reasons import Reason
from cors.quality import columns as k


class Cause(IntFlag):
    """Why a row was flagged. All from RECEIVER to CLOCK are slips; NEW_ARC is the start of an arc and none."""

    NEW_ARC = k.NEW_ARC
    """First row ever, or after more than a minute without."""
    RECEIVER = k.RECEIVER
    """The receiver said so (RINEX LLI bit 0)."""
    LOCK_TIME = k.LOCK_TIME
    HALF_CYCLE = k.HALF
    """The half-cycle flag changed and no test could show that the phase went on."""
    RANGE = k.RANGE
    """Phase minus computed range jumped against the other satellites."""
    GEOMETRY_FREE = k.GEOMETRY_FREE
    WIDE_LANE = k.WIDE_LANE
    DOPPLER = k.DOPPLER
    CLOCK = k.CLOCK
    """The receiver's clock jumped in the phases alone."""
    LOW_CN0 = k.LOW_CN0
    CODE_OUTLIER = k.CODE_OUTLIER
    OFFENDER = k.OFFENDER
    """Three slips in five minutes: the phase is set aside for the next five."""
    FROZEN = k.FROZEN
    DUPLICATE = k.DUPLICATE
    """A second row of the same signal in one epoch."""


SLIPS = Cause(k.SLIPS)
"""The causes that are cycle slips."""


class ClockJump(StrEnum):
    """What jumped by whole milliseconds."""

    NONE = "NONE"
    CODE = "CODE"
    """Codes alone: the phases were carried along, no ambiguity changed."""
    CODE_AND_PHASE = "CODE_AND_PHASE"
    """The receiver reset its clock; nothing is changed."""
    PHASE = "PHASE"
    """Phases alone: every one of them slipped."""


class ModelledRanges(NamedTuple):
    """What the observations should be, row by row; made by whoever knows orbits and models (rtk.models)."""

    range_m: NDArray[np.float64]
    """[n] m: range at the true time of reception, satellite clock, troposphere: all but the receiver's clock; NaN."""
    elevation: NDArray[np.float64]
    """[n] rad, NaN unknown."""
    issue: NDArray[np.int64]
    """[n] any number that changes when the satellite's ephemeris does: over a change ranges are not compared."""


class Judgement(NamedTuple):
    """One epoch of one station, judged."""

    observations: Observations
    """Sorted by satellite and signal, flags set, phases carried over code-only clock jumps."""
    cause: NDArray[np.int32]
    """[n] Cause bits."""
    arc_age_s: NDArray[np.float32]
    """[n] s since the phase's last slip or start."""
    reason: Reason
    """OK, or STREAM_FROZEN."""
    clock_jump: ClockJump
    clock_jump_ms: int
    """Whole milliseconds, signed as the codes (or, phases alone, the phases) moved."""
