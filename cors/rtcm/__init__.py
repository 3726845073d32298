"""RTCM 10403.x (RTCM 3): frames, messages and MSM, decoded to arrays and encoded from them. Sans-I/O.

Reading a live stream: `stream.StreamDecoder` (frames, epochs, ephemerides, station messages, findings).
Reading files: `recording` (all rows at once), `observation_rows.decode_blocks` (any size), `summary`, `records`.
Frames alone: `frames`. Writing: `msm` and `observables` (observations), `station_messages`, `ephemerides`, and
`frames.encode_frame` around payloads. Any message by its data fields, both ways: `field_values`, from the layouts in
`tables`. Errors: `errors`. Time is an argument everywhere: `now`, or the `start` of a recording.
"""
