"""A capture without addresses, names and keys that point to somebody; the same thing always becomes the same thing.

Addresses keep the two bits that tell a random address's kind. Where they stand is the Core Specification's, Vol 4
Part E, 7.7 and 7.8 (HCI), Vol 6 Part B, 2.3 (air), Vol 3 Part H, 3.6 (SMP). What is not known to hold one is searched
for the addresses that are known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from blechannel_capture import att
from blechannel_capture.air import frames as air_frames
from blechannel_capture.air.crc import ADVERTISING_INIT, crc24, crc_init_of
from blechannel_capture.air.link_decoder import ADVERTISING_ACCESS_ADDRESS
from blechannel_capture.channel.events import ChannelFrame, OddFragment
from blechannel_capture.events import AttPdu, Event, SmpPdu
from blechannel_capture.host import hci_packets
from blechannel_capture.l2cap import ATT_CID, HEADER_BYTES, SMP_CID
from blechannel_capture.packet import Packet

ADDRESS_BYTES: Final = 6
_NAMES: Final = (0x08, 0x09)
"""AD types of local names."""
_COMMAND_ADDRESSES: Final = {
    0x2005: (0,),
    0x200D: (6,),
    0x2011: (1,),
    0x2012: (1,),
    0x2027: (1,),
    0x2028: (1,),
    0x2035: (1,),
    0x2043: (3,),
    0x204E: (1,),
    0x0405: (0,),
    0x0419: (0,),
}
"""Where addresses stand in a command's parameters."""
_COMMAND_KEYS: Final = {0x2019: ((12, 28),), 0x201A: ((2, 18),), 0x2027: ((7, 23), (23, 39))}
"""Where keys stand: those of links, and those that resolve addresses."""
_COMMAND_NAMES: Final = frozenset({0x2008, 0x2009, 0x0C13})
_META_ADDRESSES: Final = {0x01: (6,), 0x0A: (6, 12, 18), 0x29: (6, 12, 18)}
_EVENT_ADDRESSES: Final = {0x03: (3,), 0x04: (0,), 0x07: (1,), 0x12: (1,), 0x2F: (1,)}
_COMMAND_COMPLETE, _LE_META, _READ_ADDRESS = 0x0E, 0x3E, 0x1009
_REMOTE_NAME: Final = 0x07
_SMP_SECRETS: Final = frozenset({0x06, 0x08, 0x09, 0x0A})
"""Keys and identities that pairing distributes."""
_DISCOVERY: Final = frozenset(
    {
        *(att.ERROR_RESPONSE, att.EXCHANGE_MTU_REQUEST, att.EXCHANGE_MTU_RESPONSE),
        *(att.FIND_INFORMATION_REQUEST, att.FIND_INFORMATION_RESPONSE, att.FIND_BY_TYPE_VALUE_REQUEST),
        *(att.FIND_BY_TYPE_VALUE_RESPONSE, att.READ_BY_TYPE_REQUEST, att.READ_BY_GROUP_TYPE_REQUEST),
        *(att.READ_BY_GROUP_TYPE_RESPONSE, att.READ_REQUEST, att.READ_BLOB_REQUEST),
    }
)
"""What tells how a device is built, and nothing of who wears it."""


class Anonymiser:
    """`secret`: 16 random bytes; with the same ones the same names come out, and nobody else can go back."""

    def __init__(self, secret: bytes, *, values: bool) -> None:
        self._secret = secret
        self._values = values
        self._addresses: dict[bytes, bytes] = {}
        self._ours: set[int] = set()
        self._in_ours: dict[int, bool] = {}
        self.replaced = 0
        """How many addresses, names, keys and values were replaced."""

    def anonymised(self, packet: Packet, events: Sequence[Event]) -> Packet:
        """The packet to show; `events` are what it says."""
        for event in events:
            if isinstance(event, ChannelFrame | OddFragment):
                self._ours.add(event.connection.handle)
        if (unwrap := hci_packets.UNWRAP.get(packet.link_type)) is not None:
            hci = unwrap(packet)
            data = self._hci(hci.kind, bytearray(hci.data))
            return replace(packet, data=packet.data[: len(packet.data) - len(hci.data)] + bytes(data))
        frame = air_frames.UNWRAP[packet.link_type](packet)
        if frame is None:
            return packet
        return replace(packet, data=self._air(packet.data, frame, events))

    # --- HCI ---

    def _hci(self, kind: int, data: bytearray) -> bytearray:
        if kind == hci_packets.COMMAND and len(data) >= 3:
            self._command(data)
        elif kind == hci_packets.EVENT and len(data) >= 2:
            self._event(data)
        elif kind == hci_packets.ACL and len(data) >= 4:
            begins = data[1] >> 4 & 3 != 1
            handle = (data[0] | data[1] << 8) & 0x0FFF
            self._l2cap(data, 4, handle, begins=begins)
            return data
        self._known(data)
        return data

    def _command(self, data: bytearray) -> None:
        opcode = data[0] | data[1] << 8
        for at in _COMMAND_ADDRESSES.get(opcode, ()):
            self._address(data, 3 + at)
        for first, end in _COMMAND_KEYS.get(opcode, ()):
            self._wipe(data, 3 + first, 3 + end)
        if opcode in _COMMAND_NAMES:
            if opcode == 0x0C13:
                self._wipe(data, 3, len(data))
            else:
                self._names(data, 4, min(len(data), 4 + (data[3] if len(data) > 3 else 0)))

    def _event(self, data: bytearray) -> None:
        code = data[0]
        places: tuple[int, ...] = _EVENT_ADDRESSES.get(code, ())
        if code == _LE_META and len(data) > 2:
            places = _META_ADDRESSES.get(data[2], ())
            if data[2] == 0x02:
                self._reports(data, at=4, head=9, address_at=2, length_at=8, tail=1)
            elif data[2] == 0x0D:
                self._reports(data, at=4, head=24, address_at=3, length_at=23, tail=0)
        elif code == _COMMAND_COMPLETE and len(data) > 4 and data[3] | data[4] << 8 == _READ_ADDRESS:
            places = (4,)
        for at in places:
            self._address(data, 2 + at)
        if code == _REMOTE_NAME:
            self._wipe(data, 9, len(data))

    def _reports(self, data: bytearray, *, at: int, head: int, address_at: int, length_at: int, tail: int) -> None:
        while at + head <= len(data):
            length = data[at + length_at]
            self._address(data, at + address_at)
            self._names(data, at + head, min(len(data), at + head + length))
            at += head + length + tail

    # --- data ---

    def _l2cap(self, data: bytearray, at: int, handle: int, *, begins: bool) -> None:
        """From `at` on a PDU begins or goes on."""
        if not begins:
            if self._values and not self._in_ours.get(handle, True):
                self._value(data, at, len(data))
            return
        if len(data) < at + HEADER_BYTES + 1:
            return
        cid, start = data[at + 2] | data[at + 3] << 8, at + HEADER_BYTES
        self._in_ours[handle] = True
        if cid == SMP_CID and data[start] in _SMP_SECRETS:
            self._wipe(data, start + 1, len(data))
        elif cid == ATT_CID and self._values and data[start] not in _DISCOVERY:
            is_ours = handle in self._ours and (data[start] in (att.NOTIFICATION, att.WRITE_COMMAND, att.WRITE_REQUEST))
            self._in_ours[handle] = is_ours
            if not is_ours:
                self._value(data, start + (3 if att.has_handle(data[start]) else 1), len(data))

    # --- the air ---

    def _air(self, whole: bytes, frame: air_frames.AirFrame, events: Sequence[Event]) -> bytes:
        pdu = bytearray(frame.pdu)
        if frame.access_address == ADVERTISING_ACCESS_ADDRESS:
            kind = pdu[0] & 0x0F
            if kind != 0x07:
                self._address(pdu, 2)
            if kind in (0x01, 0x03, 0x05):
                self._address(pdu, 8)
            elif kind != 0x07:
                self._names(pdu, 8, len(pdu))
            self._known(pdu)
            crc = crc24(bytes(pdu), ADVERTISING_INIT) if self._was_sound(frame) else frame.crc
            return whole[: len(whole) - len(pdu) - len(crc)] + bytes(pdu) + crc
        is_plain = any(isinstance(event, AttPdu | SmpPdu) for event in events)
        if not is_plain or pdu[0] & 3 != 2:
            return whole
        self._l2cap(pdu, 2, frame.access_address, begins=True)
        crc = crc24(bytes(pdu), crc_init_of(frame.pdu, frame.crc)) if pdu != frame.pdu else frame.crc
        return whole[: len(whole) - len(pdu) - len(crc)] + bytes(pdu) + crc

    @staticmethod
    def _was_sound(frame: air_frames.AirFrame) -> bool:
        return crc24(frame.pdu, ADVERTISING_INIT) == frame.crc

    # --- what is replaced ---

    def _address(self, data: bytearray, at: int) -> None:
        """Replace the address there, if it is whole; one of zeros is none."""
        found = bytes(data[at : at + ADDRESS_BYTES])
        if len(found) < ADDRESS_BYTES or not any(found):
            return
        if found not in self._addresses:
            made = bytearray(self._made(b"address" + found, ADDRESS_BYTES))
            made[5] = made[5] & 0x3F | found[5] & 0xC0
            self._addresses[found] = bytes(made)
        data[at : at + ADDRESS_BYTES] = self._addresses[found]
        self.replaced += 1

    def _known(self, data: bytearray) -> None:
        """Replace known addresses wherever else they stand."""
        for known, made in self._addresses.items():
            at = data.find(known)
            while at >= 0:
                data[at : at + ADDRESS_BYTES] = made
                self.replaced += 1
                at = data.find(known, at + ADDRESS_BYTES)

    def _names(self, data: bytearray, start: int, end: int) -> None:
        """Replace the local names among AD structures."""
        at = start
        while at + 1 < end and data[at]:
            length = data[at]
            if data[at + 1] in _NAMES:
                name = bytes(data[at + 2 : min(end, at + 1 + length)])
                letters = bytes(97 + byte % 26 for byte in self._made(b"name" + name, len(name)))
                data[at + 2 : at + 2 + len(name)] = letters
                self.replaced += 1
            at += 1 + length

    def _wipe(self, data: bytearray, first: int, end: int) -> None:
        end = min(end, len(data))
        if first < end:
            data[first:end] = bytes(end - first)
            self.replaced += 1

    def _value(self, data: bytearray, first: int, end: int) -> None:
        if first < end:
            data[first:end] = self._made(b"value" + bytes(data[first:end]), end - first)
            self.replaced += 1

    def _made(self, of: bytes, count: int) -> bytes:
        """That many bytes that stand for `of`."""
        return hashlib.shake_256(self._secret + of).digest(count)
