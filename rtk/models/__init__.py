"""What is computed and taken off: ranges, troposphere, ionosphere, antennas, tides."""
