"""Compact RINEX (Hatanaka): restored here, compressed by RNXCMP (the package `hatanaka`)."""
