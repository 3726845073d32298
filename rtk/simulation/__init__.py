"""A network with known truth: the observations, messages and bytes a real one gives, and the truth beside them.

`Simulation(Configuration(...)).epoch(k)` is the k-th epoch of all receivers with its truth, `.batch(k)` what an
assembler would make of it, `streams.StationStream` a station's RTCM bytes. `configuration.demo` is the default network.

What the simulator shares with the engine it proves, so that errors in it would cancel and must be proven elsewhere:
the vocabulary with its broadcast orbits and coordinates (cors.gnss: against RTKLIB, SP3, PROJ), the solid tide
(rtk.models.tides: against the IERS routine) and, where bytes are asked for, the encoders (cors.rtcm: against decoders
of others). Its own are: light time (inertial frame, quadratic through three true positions), mapping functions (fitted
to traced rays), pressure and vapour, the ionosphere's shell, antennas (formulae; the engine reads their ANTEX), biases,
clocks, locks. Nothing is imported of rtk.engine, network, corrections, baseline, positioning, or of rtk.models but the
tides. Amplitudes and their sources: docs/simulation.md.
"""
