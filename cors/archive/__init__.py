"""What came in, kept: raw frames in hourly files that survive a crash."""
