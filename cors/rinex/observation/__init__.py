"""Observation files: rows of `cors.gnss.Observations`, and what is printed."""
