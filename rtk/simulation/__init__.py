"""A network with known truth, giving the same Observations a real one gives."""
