"""Pair a watch with a phone over Bluetooth LE and talk through a channel that nobody else can read.

`Phone` and `Watch` are the two sides; transports and stores are imported by name from `blechannel.transports` and
`blechannel.stores`. Everything raised is in `blechannel.errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blechannel.aio.phone import Phone
    from blechannel.aio.watch import Watch

__version__ = "0.1.0"
__all__ = ["Phone", "Watch", "__version__"]


def __getattr__(name: str) -> object:
    """Load a side when it is first asked for: reading the version costs no cryptography."""
    if name == "Phone":
        from blechannel.aio.phone import Phone

        return Phone
    if name == "Watch":
        from blechannel.aio.watch import Watch

        return Watch
    raise AttributeError(f"module 'blechannel' has no attribute {name!r}")
