"""Dictionaries that do not grow with the capture."""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def remember(of: dict[Key, Value], key: Key, value: Value, most: int) -> None:
    """Enter it as the latest; of more than `most` the earliest is forgotten."""
    of.pop(key, None)
    of[key] = value
    if len(of) > most:
        del of[next(iter(of))]
