"""Height reference surfaces: grids, their formats, interpolation and heights. Imports nothing else of corsnet.

The way in, for a command or a service: `geoid.height.open_model`, `heights`, `records`, `describe`; for files of
points `geoid.height_table.convert`; to read or write a grid alone `geoid.files`. `docs/geoid.md` is the page.
"""
