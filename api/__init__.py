"""The doors: everything that listens or is typed."""
