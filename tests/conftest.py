"""What every test shares: hypothesis without unseeded randomness."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "corsnet", derandomize=True, deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("corsnet")
