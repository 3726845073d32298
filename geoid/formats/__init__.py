"""Grid file formats, one module each."""
