"""Many stations to one EpochBatch a deadline."""
