"""NTRIP 1 and 2 as it is spoken: heads, sourcetables, chunks and GGA, parsed and built. Sans-I/O."""
