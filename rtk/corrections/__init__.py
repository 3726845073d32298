"""A NetworkState turned into what a rover at a place should observe."""
