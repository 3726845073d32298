"""Many stations to one EpochBatch a deadline.

`assembler` decides, `expected` says whom it waits for, `ephemerides` collects broadcast sets, `station_log` counts,
`carried_slips` keeps what dropped rows would have told; `batch` is what comes out.
"""
