"""Observation files as text: from rows as they come, or back from what was read."""
