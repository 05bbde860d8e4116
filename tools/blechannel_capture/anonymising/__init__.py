"""A capture without addresses, names and keys that point to somebody; the same thing always becomes the same thing."""

from blechannel_capture.anonymising.anonymiser import Anonymiser

__all__ = ["Anonymiser"]
