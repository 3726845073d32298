"""What came in, kept: raw frames in hourly files that survive a crash.

`raw_archive` queues and writes, `hour_file` mends and appends, `time_tags` is RTKLIB's `.tag`, `places` names the
files, `reading` gives them back merged by time.
"""
