"""Test vectors: one pairing and one reconnect between two live sides with fixed randomness."""

from blechannel_tools.vectors.page import vectors_page

__all__ = ["vectors_page"]
