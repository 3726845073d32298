"""Rows by satellite and signal, each pair once: what messages give in whatever order, and what encoders need."""

from __future__ import annotations

import numpy as np

from cors.gnss.observations import Observations, sort_order, take


def sorted_rows(observations: Observations) -> Observations:
    """The rows in order; of rows with satellite and signal alike the first stays. Rows in order come back as such."""
    key = observations.satellite.astype(np.int32) << 16 | observations.signal
    if np.all(np.diff(key) > 0):
        return observations
    order = sort_order(observations)
    return take(observations, order[np.append(True, np.diff(key[order]) > 0)])
