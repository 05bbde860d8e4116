"""Capture files of every format, as one stream of packets."""
