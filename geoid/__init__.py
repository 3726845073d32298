"""Height reference surfaces: grids, their formats, interpolation and heights. Imports nothing else of corsnet."""
