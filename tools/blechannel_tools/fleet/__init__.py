"""Thousands of watches and the phones that serve them, all real, in one process over the loopback."""
