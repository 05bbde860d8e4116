"""A connection on the air, made frame by frame, in the clear or encrypted."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from blechannel_capture.air.crc import ADVERTISING_INIT, crc24
from blechannel_capture.air.encryption import EncryptionStart
from blechannel_capture.air.link_decoder import ADVERTISING_ACCESS_ADDRESS
from blechannel_capture.events import Side
from blechannel_capture.l2cap import ATT_CID, SMP_CID
from tests.capture.traffic import l2cap
from tests.capture.writing import START_NS, AirSaid

ACCESS_ADDRESS: Final = 0x50654CA7
CRC_INIT: Final = 0x123456
CENTRAL, PERIPHERAL = bytes.fromhex("0be18e3e0801"), bytes.fromhex("e8dd6ee5c5c0")
INTERVAL_NS: Final = 30_000_000
FRAME_NS: Final = 400_000
"""From one frame's beginning to the answer's."""


class AirTraffic:
    """Grows frame by frame. Each connection event is one frame of the central and one of the peripheral."""

    def __init__(self) -> None:
        self.said: list[AirSaid] = []
        self.now_ns = START_NS
        self._sequence = {Side.CENTRAL: 0, Side.PERIPHERAL: 0}
        self._channel = 0
        self._keys: AESCCM | None = None
        self._iv = b""
        self._counters = {Side.CENTRAL: 0, Side.PERIPHERAL: 0}

    def advertise(self, data: bytes, *, kind: int = 0x00, address: bytes = PERIPHERAL, is_random: bool = True) -> None:
        """One advertisement, a scan response and so on."""
        self._advertising(kind | (0x40 if is_random else 0), address + data)

    def connect(self, *, interval: int = 24) -> None:
        """CONNECT_IND."""
        link = struct.pack("<I", ACCESS_ADDRESS) + CRC_INIT.to_bytes(3, "little")
        timing = struct.pack("<BHHHH", 2, 6, interval, 1, 72)
        self._advertising(0xC5, CENTRAL + PERIPHERAL + link + timing + b"\xff\xff\xff\xff\x1f\x05")
        self.now_ns += INTERVAL_NS

    def frame(self, sender: Side, llid: int, payload: bytes) -> None:
        """One data channel PDU, numbered and acknowledging, sealed if the link is."""
        own, expected = self._sequence[sender], self._sequence[sender.other]
        header = llid | expected << 2 | own << 3
        if self._keys is not None and payload:
            payload = self._sealed(sender, header, payload)
        self._sequence[sender] ^= 1
        self._add(ACCESS_ADDRESS, bytes([header, len(payload)]) + payload, CRC_INIT, sender, self._channel)

    def send(self, sender: Side, llid: int, payload: bytes) -> None:
        """One connection event in which that side says something, and the other nothing."""
        said = bytes([llid]) + payload
        quiet = b"\x01"
        self._channel = (self._channel + 7) % 37
        for side in (Side.CENTRAL, Side.PERIPHERAL):
            each = said if side is sender else quiet
            self.frame(side, each[0], each[1:])
            self.now_ns += FRAME_NS
        self.now_ns += INTERVAL_NS - 2 * FRAME_NS

    def control(self, sender: Side, opcode: int, body: bytes = b"") -> None:
        """A control PDU."""
        self.send(sender, 3, bytes([opcode]) + body)

    def pdu(self, sender: Side, cid: int, payload: bytes, *, piece_bytes: int = 27) -> None:
        """A PDU of L2CAP, in as many events as it takes."""
        whole = l2cap(cid, payload)
        for at in range(0, len(whole), piece_bytes):
            self.send(sender, 1 if at else 2, whole[at : at + piece_bytes])

    def att(self, sender: Side, pdu: bytes) -> None:
        """A PDU of the Attribute Protocol."""
        self.pdu(sender, ATT_CID, pdu)

    def smp(self, sender: Side, pdu: bytes) -> None:
        """A PDU of the Security Manager."""
        self.pdu(sender, SMP_CID, pdu)

    def write(self, handle: int, value: bytes) -> None:
        """The central writes without response."""
        self.att(Side.CENTRAL, struct.pack("<BH", 0x52, handle) + value)

    def notify(self, handle: int, value: bytes) -> None:
        """The peripheral notifies."""
        self.att(Side.PERIPHERAL, struct.pack("<BH", 0x1B, handle) + value)

    def encrypt(self, key: bytes, *, seed: int = 1) -> None:
        """Start encryption under that long or short term key; every control PDU of it passes."""
        start = EncryptionStart(
            bytes(8), bytes(2), bytes([seed] * 8), bytes([seed + 1] * 4), bytes([seed + 2] * 8), bytes([seed + 3] * 4)
        )
        self.control(Side.CENTRAL, 0x03, start.rand + start.ediv + start.skd_central + start.iv_central)
        self.control(Side.PERIPHERAL, 0x04, start.skd_peripheral + start.iv_peripheral)
        self.control(Side.PERIPHERAL, 0x05)
        self._keys, self._iv = AESCCM(start.session_key(key), tag_length=4), start.iv
        self._counters = {Side.CENTRAL: 0, Side.PERIPHERAL: 0}
        self.control(Side.CENTRAL, 0x06)
        self.control(Side.PERIPHERAL, 0x06)

    def pause_encryption(self) -> None:
        """As before a new key is used; the last control PDU of it passes in the clear."""
        self.control(Side.CENTRAL, 0x0A)
        self.control(Side.PERIPHERAL, 0x0B)
        self._keys = None
        self.control(Side.CENTRAL, 0x0B)

    def _sealed(self, sender: Side, header: int, payload: bytes) -> bytes:
        assert self._keys is not None
        counter = self._counters[sender]
        self._counters[sender] += 1
        nonce = (counter | (1 << 39 if sender is Side.CENTRAL else 0)).to_bytes(5, "little") + self._iv
        return self._keys.encrypt(nonce, payload, bytes([header & 0xE3]))

    def _advertising(self, kind: int, body: bytes) -> None:
        pdu = bytes([kind, len(body)]) + body
        self._add(ADVERTISING_ACCESS_ADDRESS, pdu, ADVERTISING_INIT, Side.UNKNOWN, 37)
        self.now_ns += 10_000_000

    def _add(self, access_address: int, pdu: bytes, crc_init: int, sender: Side, channel: int) -> None:
        self.said.append(AirSaid(access_address, pdu, crc24(pdu, crc_init), sender, self.now_ns, channel))


def retried(said: Sequence[AirSaid], central: int, *, both: bool) -> list[AirSaid]:
    """The same, where the connection event of that frame of the central comes twice: the peripheral did not hear it,
    or (`both`) the central did not hear the answer."""
    count = 2 if both else 1
    first = [replace(each, channel=(each.channel + 3) % 37) for each in said[central : central + count]]
    later = [replace(each, time_ns=each.time_ns + INTERVAL_NS) for each in said[central:]]
    return [*said[:central], *first, *later]
