"""Pure computation: network RTK, positioning, corrections and the simulator. No clock, no I/O."""
