"""Codecs, streams and vocabulary: from a station's bytes to an epoch of the whole network."""
