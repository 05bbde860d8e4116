"""Bumble: Bluetooth's host in Python, over an HCI controller or over a virtual radio in this process.

Needs the extra `bumble`.

Raises:
    MissingExtra: on import, when bumble is not installed.
"""

from blechannel.errors import MissingExtra

try:
    from blechannel.transports.bumble.central import BumblePhoneTransport
    from blechannel.transports.bumble.peripheral import BumbleWatchTransport
    from blechannel.transports.bumble.timed import TimedAir
    from blechannel.transports.bumble.virtual import VirtualRadio
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "bumble":
        raise
    raise MissingExtra("bumble", "blechannel.transports.bumble") from error

__all__ = ["BumblePhoneTransport", "BumbleWatchTransport", "TimedAir", "VirtualRadio"]
