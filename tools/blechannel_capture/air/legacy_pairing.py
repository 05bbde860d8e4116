"""LE legacy pairing, as an eavesdropper sees it: a temporary key that can be searched.

Source: Core Specification, Vol 3 Part H, 2.2.3 (c1), 2.2.4 (s1), 2.3.5 (TK). The attack: M. Ryan, "Bluetooth: With Low
Energy Comes Low Security", WOOT 2013.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from blechannel_capture.air.encryption import aes
from blechannel_capture.events import Side

PAIRING_REQUEST, PAIRING_RESPONSE, PAIRING_CONFIRM, PAIRING_RANDOM = 0x01, 0x02, 0x03, 0x04
PAIRING_FAILED: Final = 0x05
ENCRYPTION_INFORMATION, CENTRAL_IDENTIFICATION, PUBLIC_KEY = 0x06, 0x07, 0x0C
PASSKEYS: Final = 1_000_000
SECURE_CONNECTIONS: Final = 0x08
"""In AuthReq: where both sides set it there is no temporary key to be searched."""
MITM: Final = 0x04


@dataclass(slots=True)
class Exchange:
    """One pairing's messages, most significant byte first; empty where they were not captured."""

    request: bytes = b""
    response: bytes = b""
    confirm_central: bytes = b""
    random_central: bytes = b""
    random_peripheral: bytes = b""
    central: bytes = b""
    """Address, most significant byte first."""
    peripheral: bytes = b""
    central_is_random: bool = False
    peripheral_is_random: bool = False

    def hear(self, code: int, value: bytes, sender: Side) -> None:
        """One SMP PDU."""
        if code == PAIRING_REQUEST:
            self.response = self.confirm_central = self.random_central = self.random_peripheral = b""
            self.request = (bytes([code]) + value)[::-1]
        elif code == PAIRING_RESPONSE:
            self.response = (bytes([code]) + value)[::-1]
        elif code == PAIRING_CONFIRM and sender is not Side.PERIPHERAL:
            self.confirm_central = self.confirm_central or value[::-1]
        elif code == PAIRING_RANDOM:
            if sender is Side.PERIPHERAL:
                self.random_peripheral = value[::-1]
            else:
                self.random_central = value[::-1]

    @property
    def is_complete(self) -> bool:
        """Whether everything is there that the search takes; the addresses stand in CONNECT_IND."""
        sixteen = (self.confirm_central, self.random_central, self.random_peripheral)
        has_messages = len(self.request) == 7 == len(self.response) and all(len(each) == 16 for each in sixteen)
        return has_messages and len(self.central) == 6 == len(self.peripheral)

    @property
    def is_legacy(self) -> bool:
        """Whether the sides have agreed on legacy pairing."""
        return not self.request[-4] & self.response[-4] & SECURE_CONNECTIONS

    @property
    def is_just_works(self) -> bool:
        """Whether neither side asks for more: there is one temporary key then."""
        return not (self.request[-4] | self.response[-4]) & MITM

    @property
    def key_bytes(self) -> int:
        """The encryption key's size, 7 to 16."""
        return min(self.request[-5], self.response[-5])


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def c1(tk: bytes, random: bytes, p1: bytes, p2: bytes) -> bytes:
    """The confirm value function."""
    return aes(tk, _xor(aes(tk, _xor(random, p1)), p2))


def temporary_keys(exchange: Exchange) -> Iterator[bytes]:
    """All there are: that of Just Works first, then the passkeys'."""
    for passkey in range(1 if exchange.is_just_works else PASSKEYS):
        yield passkey.to_bytes(16, "big")


def search(exchange: Exchange) -> tuple[int, bytes] | None:
    """The passkey (0 for Just Works) and the short term key; None where none fits (an out-of-band key).

    Takes some ten seconds for a high passkey.
    """
    kinds = bytes([exchange.peripheral_is_random, exchange.central_is_random])
    p1 = exchange.response + exchange.request + kinds
    p2 = bytes(4) + exchange.central + exchange.peripheral
    for passkey, tk in enumerate(temporary_keys(exchange)):
        if c1(tk, exchange.random_central, p1, p2) == exchange.confirm_central:
            halves = exchange.random_peripheral[8:] + exchange.random_central[8:]
            return passkey, shortened(aes(tk, halves), exchange.key_bytes)
    return None


def shortened(key: bytes, size: int) -> bytes:
    """A key of that many bytes, the rest zero (Vol 3 Part H, 2.3.4)."""
    return bytes(16 - size) + key[16 - size :]
