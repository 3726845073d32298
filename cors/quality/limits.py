"""Where a station's rows stop being good: every threshold of the tracker, in one value passed to its kernels.

A NamedTuple of floats because kernels take it as it is. Figures follow the usual single-receiver rules: Blewitt (1990,
TurboEdit) for wide lane and geometry-free combination, time-differenced phase residuals of a fixed receiver for the
primary test; how often each errs is measured in tests/real/test_quality_storm.py and docs/ingest.md.
"""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Thresholds; metres, seconds, cycles and dB-Hz as named."""

    range_slip_m: float = 0.06
    """Least jump of phase minus computed range, less the clock, that is a slip: a third of a cycle at 1 Hz."""
    range_sigmas: float = 5.0
    """The same in sigmas of the signal's own residuals."""
    decisive_cycles: float = 0.4
    """A test whose limit is above this part of a wavelength cannot clear a signal (0.5 is a half-cycle slip)."""
    ionosphere_free_sigmas: float = 5.0
    ionosphere_free_m: float = 0.15
    """Two bands whose ionosphere-free change has no wider limit vouch for each other (one cycle is 0.38 m)."""
    geometry_free_m: float = 0.03
    geometry_free_sigmas: float = 4.0
    geometry_free_vouched_m: float = 0.3
    """Limit for bands that vouch for each other: slips that hide from the ionosphere-free test show 0.4 m and more."""
    widelane_cycles: float = 1.0
    widelane_sigmas: float = 4.0
    widelane_smoothing_s: float = 10.0
    doppler_m: float = 0.1
    """Phase against the mean of two phase rates, only up to 2 s and where nothing better could look."""
    gap_s: float = 60.0
    """Phase is not carried over a longer gap: a new arc."""
    offender_window_s: float = 300.0
    """Three slips within it put the signal's phase to rest."""
    offender_rest_s: float = 300.0
    cn0_floor: float = 24.0
    cn0_floor_codeless: float = 8.0
    """For P(Y) tracked without the code (RINEX attributes W, D, N, Y), whose C/N0 is told after the squaring loss."""
    code_outlier_m: float = 100.0
    """Code minus computed range, less the system's median, at 1575.42 MHz (more below); a storm stays under it."""
    multipath_outlier_m: float = 5.0
    multipath_outlier_sigmas: float = 6.0
    multipath_start_m: float = 30.0
    """Before ten epochs of an arc have shown its sigma."""
    frozen_share: float = 0.9
    """Share of rows that repeat the epoch before to the last bit: a receiver or a link that replays itself."""


LIMITS = Limits()
