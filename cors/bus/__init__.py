"""What carries opaque bytes between roles: in-process here."""
