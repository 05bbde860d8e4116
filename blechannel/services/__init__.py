"""Services that most devices want, each on a port of its own."""
