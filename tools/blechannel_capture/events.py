"""What a capture says, one event at a time, in the order of the file.

Every event has the number of the packet that completed it and that packet's time in nanoseconds (see `Packet`). Events
are read, never changed; they are plain for speed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Side(Enum):
    """Who sent something on a connection."""

    CENTRAL = "central"
    PERIPHERAL = "peripheral"
    UNKNOWN = "unknown"

    __hash__ = object.__hash__  # an enumeration's own is slow, and looked for with every packet

    @property
    def other(self) -> Side:
        """The other end; unknown stays unknown."""
        return _OTHER[self]


_OTHER = {Side.CENTRAL: Side.PERIPHERAL, Side.PERIPHERAL: Side.CENTRAL, Side.UNKNOWN: Side.UNKNOWN}


class Known(Enum):
    """How it is known who sent something, best first."""

    SEEN = "the connection's beginning was captured"
    FLAGGED = "the capture's flag says so"
    GUESSED = "inferred from what was said"
    UNKNOWN = "not known"


@dataclass(slots=True, eq=False)
class Connection:
    """One LE connection, as far as the capture tells; told apart by identity."""

    number: int
    """From 1, in the order of appearance."""
    handle: int
    """HCI's connection handle, or on the air the access address."""
    central: str = ""
    """Address, most significant byte first, "(random)" behind a random one; empty where it was not captured."""
    peripheral: str = ""
    interval_us: int = 0
    """0 while unknown."""
    latency: int = 0
    supervision_timeout_ms: int = 0
    began_ns: int = 0
    local: Side = Side.UNKNOWN
    """Which side the capturing host is; unknown on the air."""
    local_known: Known = Known.UNKNOWN
    encrypted: bool = False


@dataclass(slots=True)
class Event:
    """What all events have."""

    packet: int
    time_ns: int


@dataclass(slots=True)
class Connected(Event):
    """A connection begins; where the capture began later, this comes with its first packet and knows little."""

    connection: Connection
    seen: bool
    """Whether the beginning itself was captured."""


@dataclass(slots=True)
class Disconnected(Event):
    """A connection ended."""

    connection: Connection
    reason: int
    """An error code of the Core Specification, Vol 1 Part F."""


@dataclass(slots=True)
class ParametersChanged(Event):
    """The connection's interval, latency or time-out is another."""

    connection: Connection


@dataclass(slots=True)
class EncryptionChanged(Event):
    """The link is encrypted from now on, or no longer."""

    connection: Connection
    encrypted: bool


@dataclass(slots=True)
class Advertised(Event):
    """One advertisement or scan response."""

    address: str
    kind: str
    """Such as "ADV_IND"."""
    data: bytes
    """AD structures."""
    rssi_dbm: int | None


@dataclass(slots=True)
class LongTermKey(Event):
    """The capture holds a link's long term key: whoever has it can read that link."""

    connection: Connection
    key: bytes = field(repr=False)
    """16 bytes, most significant first."""
    source: str


@dataclass(slots=True)
class AttPdu(Event):
    """One whole PDU of the Attribute Protocol (Core Specification, Vol 3 Part F, 3.4)."""

    connection: Connection
    sender: Side
    opcode: int
    handle: int
    """The attribute's; 0 where the PDU names none."""
    value: bytes
    """What follows the opcode and, where there is one, the handle."""


@dataclass(slots=True)
class StandardValue(Event):
    """What a value says that passed in the clear, where a profile of `gatt_profiles` declares its characteristic."""

    connection: Connection
    sender: Side
    handle: int
    characteristic: str
    """Its name in the specification."""
    value: object
    """An instance of the profile's class."""


@dataclass(slots=True)
class SmpPdu(Event):
    """One PDU of the Security Manager (Vol 3 Part H, 3)."""

    connection: Connection
    sender: Side
    code: int
    value: bytes = field(repr=False)
    """What follows the code; a secret where `holds_key` says so."""

    @property
    def holds_key(self) -> bool:
        """Whether it distributes a key: a link's, the one that resolves addresses, or the one that signs."""
        return self.code in _KEY_PDUS


_KEY_PDUS = frozenset({0x06, 0x08, 0x0A})
"""Encryption Information (LTK), Identity Information (IRK), Signing Information (CSRK)."""


@dataclass(slots=True)
class Signal(Event):
    """One signalling PDU of L2CAP (Vol 3 Part A, 4)."""

    connection: Connection
    sender: Side
    code: int
    identifier: int
    value: bytes


@dataclass(slots=True)
class CocData(Event):
    """One SDU, whole, on a connection-oriented channel of L2CAP."""

    connection: Connection
    sender: Side
    channel: int
    """The receiver's channel identifier."""
    sdu: bytes


@dataclass(slots=True)
class OtherPdu(Event):
    """An L2CAP PDU of a channel about which nothing is known."""

    connection: Connection
    sender: Side
    channel: int
    value: bytes


class Verdict(Enum):
    """What became of something that was sealed, and why."""

    OK = "opened"
    NO_KEY = "no key is known"
    WRONG_KEY = "the keys that are known do not fit"
    TAG_FAILURE = "the key fits what came before, and this was changed or damaged"
    CAPTURE_GAP = "something before it is missing in the capture, and what is known does not open it"
    NOT_OURS = "not of this protocol"
    REPLAYED = "a record that was sent before"
    NONCE_REUSED = "sealed under a number that was used before"


@dataclass(slots=True)
class SealedPdu(Event):
    """A PDU of an encrypted link that stays closed."""

    connection: Connection
    sender: Side
    length: int
    """In bytes, with its tag."""
    verdict: Verdict


@dataclass(slots=True)
class LinkControl(Event):
    """A control PDU of the link layer (Vol 6 Part B, 2.4.2)."""

    connection: Connection
    sender: Side
    opcode: int
    value: bytes


@dataclass(slots=True)
class LinkDecrypted(Event):
    """The link's encryption was taken off from here on."""

    connection: Connection
    key: bytes = field(repr=False)
    """The long or short term key, 16 bytes, most significant first."""
    source: str
    """Where the key comes from."""
