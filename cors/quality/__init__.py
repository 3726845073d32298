"""One station's stream judged alone: cycle slips, gross errors, clock jumps, multipath."""
