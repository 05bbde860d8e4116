"""Bleak: the operating system's own Bluetooth, for phones, on Linux (BlueZ), macOS and Windows.

Needs the extra `bleak`.

Raises:
    MissingExtra: on import, when bleak is not installed.
"""

from blechannel.errors import MissingExtra

try:
    from blechannel.transports.bleak.backoff import Backoff
    from blechannel.transports.bleak.central import BleakPhoneTransport
    from blechannel.transports.bleak.stack import Stack
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "bleak":
        raise
    raise MissingExtra("bleak", "blechannel.transports.bleak") from error

__all__ = ["Backoff", "BleakPhoneTransport", "Stack"]
