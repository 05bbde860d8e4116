"""What a watch hands to a phone beside the radio, by NFC tag or QR code (protocol, "Pairing", method oob).

Whoever reads a ticket can pair, so it is shown only while a window is open, and serves one bond. A ticket knows no
time: its window ends it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import field
from enum import IntEnum
from typing import Final

from blechannel import codec
from blechannel.codec import U8, octets, on_air, one_of
from blechannel.errors import LocalProtocolError, MalformedFrame
from blechannel.values import dataclass

TICKET_VERSION: Final = 1
SECRET_BYTES: Final = 32
KEY_HASH_BYTES: Final = 16
"""Enough: to pass, a stranger needs a second preimage (2^128). With 32 a ticket would not fit the 144 bytes of the
smallest common tag."""
ADDRESS_BYTES: Final = 6
NO_ADDRESS: Final = bytes(ADDRESS_BYTES)


class AddressKind(IntEnum):
    """Whether a ticket says where the watch is reached, and how that address is meant."""

    NONE = 0
    PUBLIC = 1
    RANDOM = 2


@dataclass(frozen=True, slots=True)
class _Layout:
    """A ticket's bytes."""

    version: int = on_air(U8, "1")
    secret: bytes = on_air(octets(SECRET_BYTES), "random, for one window")
    key_hash: bytes = on_air(octets(KEY_HASH_BYTES), "SHA-256(the watch's static public key)[:16]")
    address_kind: AddressKind = on_air(one_of(AddressKind), "0 no address, 1 public, 2 random")
    address: bytes = on_air(octets(ADDRESS_BYTES), "the watch's radio address, most significant byte first, or zeros")


TICKET_BYTES: Final = 1 + SECRET_BYTES + KEY_HASH_BYTES + 1 + ADDRESS_BYTES


@dataclass(frozen=True, slots=True)
class RadioAddress:
    """Where a watch can be reached: six bytes, the most significant first, as they are printed.

    Raises:
        LocalProtocolError: not six bytes, or a kind that is none.
    """

    address: bytes
    kind: AddressKind = AddressKind.RANDOM

    def __post_init__(self) -> None:
        if len(self.address) != ADDRESS_BYTES or self.kind is AddressKind.NONE:
            raise LocalProtocolError(f"a radio address has {ADDRESS_BYTES} bytes and is public or random")

    def __str__(self) -> str:
        return self.address.hex(":").upper()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A one-time secret, and the hash that the watch's static key must have.

    Raises:
        LocalProtocolError: `secret` has not 32 bytes, or `key_hash` has not 16.
    """

    secret: bytes = field(repr=False)
    key_hash: bytes
    where: RadioAddress | None = None

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES or len(self.key_hash) != KEY_HASH_BYTES:
            raise LocalProtocolError(f"a ticket has {SECRET_BYTES} bytes of secret and {KEY_HASH_BYTES} of key hash")

    @classmethod
    def of(cls, static_public: bytes, *, secret: bytes, where: RadioAddress | None = None) -> Ticket:
        """The ticket of a watch with this static public key; `secret` is fresh in every window."""
        return cls(secret, static_key_hash(static_public), where)

    def matches(self, static_public: bytes) -> bool:
        """Whether this is the static public key that the ticket promises; takes the same time either way."""
        return hmac.compare_digest(static_key_hash(static_public), self.key_hash)

    def encode(self) -> bytes:
        """The ticket's `TICKET_BYTES` bytes. They hold the secret."""
        kind = self.where.kind if self.where else AddressKind.NONE
        address = self.where.address if self.where else NO_ADDRESS
        return codec.encode(_Layout(TICKET_VERSION, self.secret, self.key_hash, kind, address))

    @classmethod
    def decode(cls, data: bytes) -> Ticket:
        """Read a ticket.

        Raises:
            MalformedFrame: these bytes are none, or one of another version.
        """
        read = codec.decode(_Layout, data)
        if read.version != TICKET_VERSION:
            raise MalformedFrame(f"a ticket of version {read.version}; this program knows {TICKET_VERSION}")
        if read.address_kind is not AddressKind.NONE:
            return cls(read.secret, read.key_hash, RadioAddress(read.address, read.address_kind))
        if read.address != NO_ADDRESS:
            raise MalformedFrame("a ticket without an address that has one")
        return cls(read.secret, read.key_hash)


def static_key_hash(static_public: bytes) -> bytes:
    """16 bytes: SHA-256 of a static public key, truncated."""
    return hashlib.sha256(static_public).digest()[:KEY_HASH_BYTES]
