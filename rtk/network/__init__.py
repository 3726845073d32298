"""Triangulation, edge filters, ambiguities, levels, atmosphere, interpolation and the NetworkState."""
