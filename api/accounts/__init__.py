"""Users, passwords and what they may do."""
