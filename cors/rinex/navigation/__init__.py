"""Navigation files: records as printed, and ephemerides of `cors.gnss`."""
