"""Whether a set of integers may be believed: ratio with a fixed failure rate, and a guard against a wrong model.

The ratio test holds the failure rate only while the covariance is right; for partial sets chosen at a success rate
above 1 - failure rate it accepts anything. So the guard and confirmation by later epochs are the real test: s1/n small
says the model fits, s2 - s1 large says no other integers do. Sources: Verhagen & Teunissen (2013); Hou, Verhagen
& Wu (2016), table in ffrt_hou2016.csv; limits of the guard from simulation with time-correlated multipath.
"""

from __future__ import annotations

import csv
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import NamedTuple

FAILURE_RATE = 0.001
"""Wrong sets among accepted and rejected ones, if the covariance is right."""
GUARD_MISFIT = 2.0
"""s1 / n at most."""
GUARD_DISCRIMINATION = 15.0
"""s2 - s1 at least."""


class Refusal(StrEnum):
    """Why integers are not believed."""

    NO_DECISION = "NO_DECISION"
    """The search met its ceiling, or the covariance was unusable."""
    TOO_FEW = "TOO_FEW"
    RATIO = "RATIO"
    MISFIT = "MISFIT"
    """s1 / n too large: multipath, wrong weights, a slip, an earlier wrong fix."""
    AMBIGUOUS = "AMBIGUOUS"
    """s2 - s1 too small: other integers fit nearly as well."""


class Verdict(NamedTuple):
    """What was decided about one set."""

    refusal: Refusal | None
    """None: accepted."""
    size: int
    ratio: float
    """s2 / s1, as receivers print it."""
    misfit: float
    """s1 / n."""
    discrimination: float
    """s2 - s1."""

    @property
    def accepted(self) -> bool:
        """True when the integers may be used."""
        return self.refusal is None


@cache
def _coefficients() -> dict[tuple[int, float], tuple[float, float, float]]:
    text = resources.files(__package__).joinpath("ffrt_hou2016.csv").read_text(encoding="ascii")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {(int(r["n"]), float(r["max_failure_rate"])): (float(r["p1"]), float(r["p2"]), float(r["p3"])) for r in rows}


def ratio_threshold(n: int, failure_ils: float, failure_rate: float = FAILURE_RATE) -> float:
    """Largest s1/s2 that holds the failure rate: 0 rejects all, 1 accepts all; n ambiguities (66 and more alike).

    failure_ils is that of integer least squares, about 1 - bootstrapped success. Raises KeyError for a failure rate
    that is not in the table (0.0005 .. 0.01).
    """
    if failure_ils <= failure_rate:
        return 1.0
    if failure_ils > 0.2:
        return 0.0
    p1, p2, p3 = _coefficients()[min(max(n, 1), 66), failure_rate]
    return float(min(1.0, max(0.0, p1 * failure_ils**p2 + p3)))


def judge(n: int, norms: tuple[float, float], success: float, failure_rate: float = FAILURE_RATE) -> Verdict:
    """Ratio test and guard for n fixed ambiguities with squared norms s1 <= s2 and bootstrapped success."""
    s1, s2 = norms
    ratio = s2 / s1 if s1 > 0.0 else float("inf")
    refusal = None
    if s1 > s2 * ratio_threshold(n, 1.0 - success, failure_rate):
        refusal = Refusal.RATIO
    elif s1 > GUARD_MISFIT * n:
        refusal = Refusal.MISFIT
    elif s2 - s1 < GUARD_DISCRIMINATION:
        refusal = Refusal.AMBIGUOUS
    return Verdict(refusal, n, ratio, s1 / n, s2 - s1)


def refuse(refusal: Refusal, n: int = 0) -> Verdict:
    """The verdict on a set that was not even compared."""
    return Verdict(refusal, n, float("nan"), float("nan"), float("nan"))
