"""Differences, the sequential Kalman update and integer least squares."""
