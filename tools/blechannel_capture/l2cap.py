"""L2CAP on LE: pieces to PDUs, PDUs to ATT, SMP, signalling and channels. The same above HCI and above the air.

Source: Core Specification, Vol 3 Part A, 3.1 (PDU), 3.4 (credit-based channels), 4 (signalling).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from blechannel_capture.att import has_handle
from blechannel_capture.events import AttPdu, CocData, Connection, Event, OtherPdu, Side, Signal, SmpPdu
from blechannel_capture.ledger import Damage, Ledger

ATT_CID, SIGNALLING_CID, SMP_CID = 0x0004, 0x0005, 0x0006
HEADER_BYTES: Final = 4
MAX_PDU_BYTES: Final = 0xFFFF + HEADER_BYTES
CONNECT_REQUEST, CONNECT_RESPONSE = 0x14, 0x15
DISCONNECT_REQUEST: Final = 0x06
_ACCEPTED: Final = 0
_HEADER: Final = struct.Struct("<HH")


@dataclass(slots=True)
class _Coc:
    """One direction of a credit-based channel: an SDU that is being put together."""

    length: int = 0
    sdu: bytearray = field(default_factory=bytearray)


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
        self._requested: dict[tuple[Side, int], int] = {}
        self._cocs: dict[tuple[Side, int], _Coc] = {}
        """By the receiving side and its channel identifier."""

    def take(self, pdu: bytes, sender: Side, packet: int, time_ns: int) -> Event | None:
        """What a whole L2CAP PDU says; None for a piece of an SDU, and for what contradicts itself."""
        cid = pdu[2] | pdu[3] << 8
        if cid == ATT_CID:
            if len(pdu) > HEADER_BYTES:
                opcode = pdu[4]
                if has_handle(opcode) and len(pdu) >= 7:
                    handle = pdu[5] | pdu[6] << 8
                    return AttPdu(packet, time_ns, self._connection, sender, opcode, handle, pdu[7:])
                return AttPdu(packet, time_ns, self._connection, sender, opcode, 0, pdu[5:])
            self._malformed("an empty ATT PDU", packet)
            return None
        if cid == SMP_CID:
            if len(pdu) > HEADER_BYTES:
                return SmpPdu(packet, time_ns, self._connection, sender, pdu[4], pdu[5:])
            self._malformed("an empty SMP PDU", packet)
            return None
        if cid == SIGNALLING_CID:
            return self._signal(pdu, sender, packet, time_ns)
        return self._data(cid, pdu[HEADER_BYTES:], sender, packet, time_ns)

    def _signal(self, pdu: bytes, sender: Side, packet: int, time_ns: int) -> Event | None:
        if len(pdu) < 8:
            self._malformed("a signalling PDU that is too short", packet)
            return None
        code, identifier, length = pdu[4], pdu[5], pdu[6] | pdu[7] << 8
        value = pdu[8 : 8 + length]
        if len(value) != length or len(pdu) != 8 + length:
            self._malformed(f"a signalling PDU of {len(pdu) - 8} bytes says {length}", packet)
            return None
        self._learn(code, identifier, value, sender)
        return Signal(packet, time_ns, self._connection, sender, code, identifier, value)

    def _learn(self, code: int, identifier: int, value: bytes, sender: Side) -> None:
        """Which channel identifiers belong to credit-based channels."""
        if code == CONNECT_REQUEST and len(value) >= 4:
            self._requested[sender, identifier] = value[2] | value[3] << 8
        elif code == CONNECT_RESPONSE and len(value) >= 10:
            theirs = self._requested.pop((sender.other, identifier), None)
            if theirs is not None and value[8] | value[9] << 8 == _ACCEPTED:
                self._cocs[sender.other, theirs] = _Coc()
                self._cocs[sender, value[0] | value[1] << 8] = _Coc()
        elif code == DISCONNECT_REQUEST and len(value) >= 4:
            self._cocs.pop((sender.other, value[0] | value[1] << 8), None)
            self._cocs.pop((sender, value[2] | value[3] << 8), None)

    def _data(self, cid: int, value: bytes, sender: Side, packet: int, time_ns: int) -> Event | None:
        coc = self._cocs.get((sender.other, cid))
        if coc is None:
            return OtherPdu(packet, time_ns, self._connection, sender, cid, value)
        if not coc.sdu and not coc.length:
            if len(value) < 2:
                self._malformed("a first piece of an SDU without its length", packet)
                return None
            coc.length = value[0] | value[1] << 8
            value = value[2:]
        coc.sdu += value
        if len(coc.sdu) < coc.length:
            return None
        sdu, length = bytes(coc.sdu), coc.length
        coc.sdu, coc.length = bytearray(), 0
        if len(sdu) > length:
            self._malformed(f"an SDU of {len(sdu)} bytes says {length}", packet)
            return None
        return CocData(packet, time_ns, self._connection, sender, cid, sdu)

    def _malformed(self, detail: str, packet: int) -> None:
        self._ledger.note(Damage.MALFORMED, detail, packet=packet)
