"""Sources of station streams: NTRIP, TCP, files and replay, each supervised, none able to hurt another."""
