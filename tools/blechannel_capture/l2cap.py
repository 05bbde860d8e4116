"""L2CAP on LE: pieces to PDUs, PDUs to ATT, SMP, signalling and channels. The same above HCI and above the air.

Source: Core Specification, Vol 3 Part A, 3.1 (PDU), 4 (signalling).
"""

from __future__ import annotations

import struct
from typing import Final

from blechannel_capture.att import HAS_HANDLE
from blechannel_capture.credit_channels import CreditChannels, MalformedSdu
from blechannel_capture.events import AttPdu, CocData, Connection, Event, OtherPdu, Side, Signal, SmpPdu
from blechannel_capture.ledger import Damage, Ledger

ATT_CID, SIGNALLING_CID, SMP_CID = 0x0004, 0x0005, 0x0006
HEADER_BYTES: Final = 4
MAX_PDU_BYTES: Final = 0xFFFF + HEADER_BYTES
_ATT_HEAD: Final = struct.Struct("<BH")
"""Opcode and handle."""


class Assembly:
    """One direction of one connection: link-layer or ACL pieces become whole L2CAP PDUs."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._parts: bytearray | None = None
        self._wanted = 0
        self._begun = 0

    def begin(self, piece: bytes, packet: int) -> bytes | None:
        """A first piece; the whole PDU where it is one."""
        if self._parts is not None:
            self.drop("another PDU begins")
        if len(piece) >= HEADER_BYTES:
            wanted = (piece[0] | piece[1] << 8) + HEADER_BYTES
            if len(piece) == wanted:
                return piece
            if len(piece) > wanted:
                self._ledger.note(
                    Damage.MALFORMED, f"{len(piece) - wanted} bytes more than L2CAP's length says", packet=packet
                )
                return piece[:wanted]
        else:
            wanted = MAX_PDU_BYTES  # its length is still to come
        self._parts, self._wanted, self._begun = bytearray(piece), wanted, packet
        return None

    def go_on(self, piece: bytes, packet: int) -> bytes | None:
        """A further piece; the whole PDU where it was the last."""
        parts = self._parts
        if parts is None:
            self._ledger.note(Damage.ORPHAN, f"{len(piece)} bytes of an L2CAP PDU", packet=packet)
            return None
        parts += piece
        if len(parts) >= HEADER_BYTES:
            self._wanted = (parts[0] | parts[1] << 8) + HEADER_BYTES
        if len(parts) < self._wanted:
            return None
        self._parts = None
        if len(parts) > self._wanted:
            excess = len(parts) - self._wanted
            self._ledger.note(Damage.MALFORMED, f"{excess} bytes more than L2CAP's length says", packet=packet)
        return bytes(parts[: self._wanted])

    def drop(self, why: str) -> None:
        """What was begun will not be finished."""
        if self._parts is not None:
            have = f"{len(self._parts)} of {self._wanted} bytes of an L2CAP PDU: {why}"
            self._ledger.note(Damage.UNFINISHED, have, packet=self._begun)
            self._parts = None


class Channels:
    """One connection's L2CAP channels, both ways."""

    def __init__(self, connection: Connection, ledger: Ledger) -> None:
        self._connection = connection
        self._ledger = ledger
        self._credit_channels = CreditChannels()

    def take(self, pdu: bytes, sender: Side, packet: int, time_ns: int) -> Event | None:
        """What a whole L2CAP PDU says; None for a piece of an SDU, and for what contradicts itself."""
        cid = pdu[2] | pdu[3] << 8
        if cid == ATT_CID:
            return self._att(pdu, HEADER_BYTES, sender, packet, time_ns)
        if cid == SMP_CID:
            if len(pdu) > HEADER_BYTES:
                return SmpPdu(packet, time_ns, self._connection, sender, pdu[4], pdu[5:])
            self._malformed("an empty SMP PDU", packet)
            return None
        if cid == SIGNALLING_CID:
            return self._signal(pdu, sender, packet, time_ns)
        return self._data(cid, pdu[HEADER_BYTES:], sender, packet, time_ns)

    def _att(self, pdu: bytes, start: int, sender: Side, packet: int, time_ns: int) -> Event | None:
        size = len(pdu) - start
        if size >= _ATT_HEAD.size:
            opcode, handle = _ATT_HEAD.unpack_from(pdu, start)
            if HAS_HANDLE[opcode]:
                return AttPdu(packet, time_ns, self._connection, sender, opcode, handle, pdu[start + 3 :])
        elif not size:
            self._malformed("an empty ATT PDU", packet)
            return None
        return AttPdu(packet, time_ns, self._connection, sender, pdu[start], 0, pdu[start + 1 :])

    def _signal(self, pdu: bytes, sender: Side, packet: int, time_ns: int) -> Event | None:
        if len(pdu) < 8:
            self._malformed("a signalling PDU that is too short", packet)
            return None
        code, identifier, length = pdu[4], pdu[5], pdu[6] | pdu[7] << 8
        value = pdu[8 : 8 + length]
        if len(value) != length or len(pdu) != 8 + length:
            self._malformed(f"a signalling PDU of {len(pdu) - 8} bytes says {length}", packet)
            return None
        self._credit_channels.learn(code, identifier, value, sender)
        return Signal(packet, time_ns, self._connection, sender, code, identifier, value)

    def _data(self, cid: int, value: bytes, sender: Side, packet: int, time_ns: int) -> Event | None:
        channels = self._credit_channels
        if not channels.has(sender.other, cid):
            return OtherPdu(packet, time_ns, self._connection, sender, cid, value)
        try:
            sdu = channels.take(sender.other, cid, value)
        except MalformedSdu as error:
            self._malformed(str(error), packet)
            return None
        if sdu is None:
            return None
        if sdu.carries_att:
            return self._att(sdu.data, 0, sender, packet, time_ns)
        return CocData(packet, time_ns, self._connection, sender, cid, sdu.data)

    def _malformed(self, detail: str, packet: int) -> None:
        self._ledger.note(Damage.MALFORMED, detail, packet=packet)
