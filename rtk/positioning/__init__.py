"""A rover's side: single point, differential, kinematic RTK. Judges the network, so imports none of it."""
