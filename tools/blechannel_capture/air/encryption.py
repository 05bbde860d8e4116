"""Taking a link's encryption off (Core Specification, Vol 6 Part B, 5.1.3 and Part E)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from blechannel_capture.events import Side

MIC_BYTES: Final = 4
_HEADER_MASK: Final = 0xE3
"""NESN, SN and MD change when a PDU is sent again, and are not authenticated."""
SKIPPED: Final = 64
"""How many PDUs that the sniffer has missed are counted over in search of the next one's number."""


def aes(key: bytes, block: bytes) -> bytes:
    """The security function e of Vol 3 Part H, 2.2.1; all values most significant byte first."""
    # One block under AES is what the specification builds everything from; nothing longer goes through it.
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


@dataclass(frozen=True, slots=True)
class EncryptionStart:
    """What LL_ENC_REQ and LL_ENC_RSP have agreed, as on the air: least significant byte first."""

    rand: bytes
    ediv: bytes
    skd_central: bytes
    iv_central: bytes
    skd_peripheral: bytes = b""
    iv_peripheral: bytes = b""

    def session_key(self, key: bytes) -> bytes:
        """The session's key under a long or short term key, most significant byte first."""
        return aes(key, (self.skd_central + self.skd_peripheral)[::-1])

    @property
    def iv(self) -> bytes:
        """The eight bytes of every nonce of this session."""
        return self.iv_central + self.iv_peripheral


@dataclass(slots=True)
class Decryption:
    """One encrypted session under one key; counts both directions' PDUs."""

    key: bytes = field(repr=False)
    """The long or short term key."""
    source: str
    iv: bytes
    aead: AESCCM = field(repr=False)
    counters: dict[Side, int] = field(default_factory=lambda: {Side.CENTRAL: 0, Side.PERIPHERAL: 0})
    opened: int = 0

    @classmethod
    def of(cls, key: bytes, source: str, start: EncryptionStart) -> Decryption:
        """A session that begins."""
        return cls(key, source, start.iv, AESCCM(start.session_key(key), tag_length=MIC_BYTES))

    def open(self, pdu: bytes, sender: Side) -> bytes | None:
        """The plain payload of a data PDU; None where it does not open. PDUs that were missed are counted over."""
        payload, header = pdu[2:], bytes([pdu[0] & _HEADER_MASK])
        first = self.counters[sender]
        for counter in range(first, first + SKIPPED):
            way = 0x80 if sender is Side.CENTRAL else 0
            nonce = (counter & 0x7FFFFFFFFF).to_bytes(5, "little")
            try:
                plain = self.aead.decrypt(nonce[:4] + bytes([nonce[4] | way]) + self.iv, payload, header)
            except InvalidTag:
                continue
            self.counters[sender] = counter + 1
            self.opened += 1
            return plain
        return None
