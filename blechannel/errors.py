"""Every error that leaves a public call.

::

    BlechannelError
    ├── LocalProtocolError          this program asked for what the state does not allow; nothing changed
    ├── RemoteProtocolError         the peer broke the protocol; the session is over
    │   ├── MalformedFrame          bytes that are no frame
    │   │   └── FragmentRefused     bytes that are no fragment, or one that breaks the flow rules (`.fault`)
    │   ├── UnexpectedFrame         a frame that the conversation has no row for
    │   ├── UnsupportedVersion      no version, suite or method in common, or fewer than this bond has seen
    │   ├── AuthenticationFailed    every bad tag, proof or point: one kind, so that none tells which
    │   ├── ReplayDetected          authenticated evidence of an old or copied bond
    │   └── PeerTimedOut            the peer stopped answering within the protocol's limits
    ├── PairingRefused              the peer or this side declined (`.reason`)
    │   └── PairingLocked           too many codes were tried; wait (`.wait_s`)
    ├── AccessDenied                the watch does not let this phone use that port; the channel goes on (`.port`)
    ├── AttributeRefused            the peer's GATT server refuses a read, a write or a subscription (`.code`)
    ├── BondError                   a bond or its store cannot be used
    │   ├── BondNotFound
    │   ├── BondSuperseded          another session of the same bond took over, or the bond was removed
    │   ├── StoreError              the store cannot be read or written (`.path`)
    │   ├── StoreLocked             another process uses the store
    │   └── WrongPassphrase
    ├── IdentityError               a certificate, its key, or the list of those believed cannot be used (`.path`)
    ├── TransportError              the link or its adapter failed
    │   ├── LinkLost                the link ended without an authenticated CLOSE: the session is cut off
    │   ├── TransportGone           closed, or its adapter is gone: only another transport helps
    │   └── WatchNotFound           nothing suitable was seen while scanning
    ├── DeliveryError               an outbox's message did not reach the peer's store
    │   ├── MessageExpired
    │   ├── MessageSuperseded
    │   ├── MessageRefused          it is too large for the peer
    │   └── QueueFull               there is no room for one more, and the caller does not wait
    ├── CarrierError                a tag, its reader or a file that carries a ticket cannot be used
    ├── CaptureError                a capture cannot be read as asked (what it is: `blechannel_capture.errors`)
    └── MissingExtra                an optional dependency is not installed (`.extra`)
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar


class BlechannelError(Exception):
    """Base of everything that blechannel raises."""


E = TypeVar("E", bound=BaseException)


def without_frames(error: E) -> E:
    """The same error, and what it came from, without tracebacks: who keeps it keeps nothing else alive."""
    link: BaseException | None = error
    while link is not None and link.__traceback__ is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


class LocalProtocolError(BlechannelError):
    """The caller may not do this in the current state; the state is unchanged."""


class RemoteProtocolError(BlechannelError):
    """The peer broke the protocol."""


class MalformedFrame(RemoteProtocolError):
    """Bytes that are no frame: truncated, trailing, out of range or over a limit."""


class FragmentFault(Enum):
    """Why a fragment was refused (protocol, "Fragments")."""

    WINDOW_INVALID = "the peer's window is outside the allowed range"
    PAYLOAD_TOO_SMALL = "the link's payload is below the smallest that BLE allows"
    TOO_SHORT = "a fragment shorter than its header"
    TOO_LONG = "a fragment longer than the link carries"
    EMPTY = "a data fragment without data"
    CONTROL_WITH_DATA = "a control fragment with data"
    NO_START = "a continuation without a start"
    SECOND_START = "a start inside an unfinished frame"
    LENGTH_LIES = "more or fewer bytes than the frame's length says"
    FRAME_TOO_LONG = "a frame over the limit"
    GAP = "a sequence number that is not the next one: a fragment was lost, repeated or reordered"
    WINDOW_OVERRUN = "more fragments than the window allows"
    ACK_OF_UNSENT = "an acknowledgement of what was never sent"
    FRAME_TOO_SLOW = "a frame that took too long"


class FragmentRefused(MalformedFrame):
    """A fragment that is refused; `fault` names the rule that it broke."""

    def __init__(self, fault: FragmentFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class UnexpectedFrame(RemoteProtocolError):
    """A well-formed frame that the conversation has no row for."""


class UnsupportedVersion(RemoteProtocolError):
    """Nothing in common, or less than this bond has already used (downgrade)."""


class AuthenticationFailed(RemoteProtocolError):
    """A tag, proof, point or commitment did not verify. One kind for all, so that none tells which."""

    def __init__(self, message: str = "authentication failed") -> None:
        super().__init__(message)


class ReplayDetected(RemoteProtocolError):
    """Authenticated evidence that a bond was copied, rolled back or replayed."""

    def __init__(self, message: str, *, bond_id: bytes = b"") -> None:
        super().__init__(message)
        self.bond_id = bond_id


class PeerTimedOut(RemoteProtocolError):
    """The peer did not answer within the protocol's limits."""


class PairingRefused(BlechannelError):
    """Pairing or reconnecting was declined; `reason` is a word for programs, the text one for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PairingLocked(PairingRefused):
    """Too many codes were tried: pairing is locked for `wait_s` seconds of powered-on time."""

    def __init__(self, wait_s: float, message: str) -> None:
        super().__init__("locked", message)
        self.wait_s = wait_s


class AccessDenied(BlechannelError):
    """The watch does not let this phone use that port; the channel and its other ports go on."""

    def __init__(self, port: str) -> None:
        super().__init__(f"this phone may not use port {port}: the watch's owner can allow it")
        self.port = port


class AttributeRefused(BlechannelError):
    """A GATT server refuses what was asked of a characteristic; `code` is ATT's error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} (ATT error 0x{code:02X})")
        self.code = code


class BondError(BlechannelError):
    """A bond, or the store that holds it, cannot be used."""


class BondNotFound(BondError):
    """No such bond."""


class BondSuperseded(BondError):
    """Another session of the same bond took over, or the bond was removed."""


class StoreError(BondError):
    """The bond store cannot be read or written; the file is left as it was."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{message}: {path}" if path else message)
        self.path = path


class StoreLocked(StoreError):
    """Another process uses this bond store."""


class WrongPassphrase(StoreError):
    """The passphrase does not open this bond store."""


class IdentityError(BlechannelError):
    """This side's key or certificate, or the list of the certificates that it believes, cannot be used."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{message}: {path}" if path else message)
        self.path = path


class TransportError(BlechannelError):
    """The link or the adapter under it failed."""


class LinkLost(TransportError):
    """The link ended without an authenticated CLOSE: what was in flight may be lost."""


class TransportGone(TransportError):
    """The transport was closed, or its adapter is gone for good: open another one."""


class WatchNotFound(TransportError):
    """No suitable watch was seen."""


class DeliveryError(BlechannelError):
    """A message that was given to an outbox is not, or no longer, on its way."""


class MessageExpired(DeliveryError):
    """Its time to live was over before the peer said that it had stored it."""


class MessageSuperseded(DeliveryError):
    """A newer message took its place before the peer said that it had stored it."""


class MessageRefused(DeliveryError):
    """It is longer than what the peer keeps of this port."""


class QueueFull(DeliveryError):
    """The peer has stored nothing for so long that no room is left."""


class CarrierError(BlechannelError):
    """What carries a ticket cannot be read or written: no reader, no tag, a tag taken away, or a file's fault."""


class CaptureError(BlechannelError):
    """A capture cannot be read as asked."""


class MissingExtra(BlechannelError):
    """An optional dependency is missing; the message says what to install."""

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(f"{what} needs an optional dependency: pip install 'blechannel[{extra}]'")
        self.extra = extra
