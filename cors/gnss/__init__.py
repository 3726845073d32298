"""The vocabulary every room speaks: time, satellites, signals, observations, ephemerides, orbits, coordinates.

Values only: nothing here reads a clock, a file or a socket.
"""
