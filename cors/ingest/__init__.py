"""Sources of station streams: NTRIP, TCP, files and replay, each supervised, none able to hurt another.

`supervisor` keeps a `station_source` a station, which opens (`ntrip_source`, `connection`, `file_source`) what an
`address` names and waits by `backoff`; a `station_feed` decodes what comes. `clock` tells the time. `replay`,
`recording`, `pacing` and `tcp_server` pour recordings out again.
"""
