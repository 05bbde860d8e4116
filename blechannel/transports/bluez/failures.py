"""The one place where what the message bus raises becomes an error of ours."""

from __future__ import annotations

from dbus_fast import AuthError, DBusError

from blechannel.errors import TransportError
from blechannel.transports.bluetoothd import FINAL, FORBIDDEN, NO_BUS, PASSING

BUS_LOST = "the message bus closed the connection"


def explained(error: BaseException, doing: str) -> TransportError:
    """The same failure as an error of ours, with advice where there is any."""
    return TransportError(f"{doing}: {_words(error)}")


def _words(error: BaseException) -> str:
    match error:
        case DBusError():
            return FINAL.get(error.type) or PASSING.get(error.type) or f"{error.text} ({error.type})"
        case FileNotFoundError() | ConnectionRefusedError():
            return NO_BUS
        case AuthError() | PermissionError():
            return FORBIDDEN
        case EOFError() | ConnectionError():
            return BUS_LOST
        case _:
            return str(error) or type(error).__name__
