"""Engine.step(batch, now) -> NetworkState; the only holder of filter state."""
