"""Columns of the tracker's arrays and bits of its causes, shared by its kernels and their shells.

numba freezes these numbers when it compiles: after a change here the kernels' caches must go.
"""

from __future__ import annotations

from cors.gnss.observations import ObservationFlag

C_MS = 299_792.458
"""Metres of light in a millisecond."""
REFERENCE = 1_575.42e6

SLIP = int(ObservationFlag.SLIP)
HALF_CYCLE = int(ObservationFlag.HALF_CYCLE)
CODE_REJECTED = int(ObservationFlag.CODE_REJECTED)
PHASE_REJECTED = int(ObservationFlag.PHASE_REJECTED)

# Bits of a row's cause (cors.quality.judgement.Cause).
NEW_ARC, RECEIVER, LOCK_TIME, HALF, RANGE, GEOMETRY_FREE, WIDE_LANE, DOPPLER, CLOCK = 1, 2, 4, 8, 16, 32, 64, 128, 256
LOW_CN0, CODE_OUTLIER, OFFENDER, FROZEN, DUPLICATE = 512, 1024, 2048, 4096, 8192
SLIPS = RECEIVER | LOCK_TIME | HALF | RANGE | GEOMETRY_FREE | WIDE_LANE | DOPPLER | CLOCK

# Columns of a signal's state.
CODE, PHASE, RATE, LOCK, OC, ISSUE, IS_HALF, DRIFT, VARIANCE, SAMPLES, MISS = range(11)
PARTNER, OWN_ARC, PARTNER_ARC = range(11, 14)
HMW_MEAN, HMW_M2, HMW_N, HMW_RECENT = range(14, 18)
MP_MEAN, MP_N, MP_VARIANCE, MP_MISSES = range(18, 22)
SLIP_1, SLIP_2, REST_UNTIL, CARRY, STEP = range(22, 27)
SIGNAL_COLUMNS = 27

# Columns of a satellite's state: slant ionosphere at the reference frequency, m/s, the variance of its prediction;
# IF: variance of the ionosphere-free residual, m^2.
IONO_RATE, IONO_VARIANCE, IONO_N, SHAKEN, IF_VARIANCE, IF_N = range(6)
SATELLITE_COLUMNS = 6

# Columns of an epoch's working rows.
DT, DP, DL, DOC, LAMBDA, MU, FREQUENCY, RESIDUAL, LIMIT, CLEARED, SUSPECT, VOUCHED = range(12)
WORK_COLUMNS = 12
# CLEARED: against the other bands, which miss what is equal on both; against the range.
IN_DOUBT, BY_BANDS, BY_RANGE = 0.5, 1.0, 2.0

# Columns of the statistics table [signal, elevation bin].
ROWS, CN0_SUM, CN0_N, MP_SQUARES, MP_COUNT, SLIP_COUNT, CODES_REJECTED, PHASES_REJECTED = range(8)
TABLE_COLUMNS = 8
ELEVATION_BINS = 10
"""Nine of ten degrees and one for rows whose elevation is not known."""

# Entries of the epoch's result.
JUMP_CODE, JUMP_PHASE, CODE_STEP, CLOCK_DRIFT, SAME_ROWS, IS_FROZEN = range(6)
RESULT_SIZE = 6
