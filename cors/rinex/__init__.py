"""RINEX 2, 3 and 4: observation and navigation files, read as they are in the wild and written as validators want."""
