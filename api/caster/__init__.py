"""The NTRIP caster: connections, fan-out, rover sessions, source uploads."""
