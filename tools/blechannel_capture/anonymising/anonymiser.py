"""Packets as they can be shown: what points to somebody is replaced where it stands, in HCI and on the air.

Source: Core Specification, Vol 4 Part E, 5.4 (HCI), Vol 6 Part B, 2.3 (air), Vol 3 Part H, 3.5 and 3.6 (SMP).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from blechannel_capture import att
from blechannel_capture.air import frames as air_frames
from blechannel_capture.air.crc import ADVERTISING_INIT, crc24, crc_init_of
from blechannel_capture.air.link_decoder import ADVERTISING_ACCESS_ADDRESS
from blechannel_capture.anonymising import places
from blechannel_capture.anonymising.identifying import REST, Identifying, Span
from blechannel_capture.anonymising.replacing import Replacing
from blechannel_capture.channel.events import ChannelFrame, OddFragment
from blechannel_capture.events import Connection, Event
from blechannel_capture.gatt_map import GattMap
from blechannel_capture.host import hci_packets
from blechannel_capture.l2cap import ATT_CID, HEADER_BYTES, SMP_CID
from blechannel_capture.packet import LinkType, Packet

_COMMAND_COMPLETE, _LE_META = 0x0E, 0x3E
_REPORTS: Final = {0x02: (9, 2, 8, 1), 0x0D: (24, 3, 23, 0)}
"""Of advertising reports: bytes before the data, where the address and the data's length are, bytes behind the data."""
_MONITOR_LINKS: Final = (LinkType.MONITOR, LinkType.SNOOP_MONITOR)
_NEW_INDEX, _MONITOR_HEAD_BYTES = 0, 4
_SMP_SECRETS: Final = frozenset({0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0C, 0x0D})
"""Keys and identities that pairing distributes, and all by which a listener could search a key."""
_DISCOVERY: Final = frozenset(
    {
        *(att.ERROR_RESPONSE, att.EXCHANGE_MTU_REQUEST, att.EXCHANGE_MTU_RESPONSE),
        *(att.FIND_INFORMATION_REQUEST, att.FIND_INFORMATION_RESPONSE, att.FIND_BY_TYPE_VALUE_REQUEST),
        *(att.FIND_BY_TYPE_VALUE_RESPONSE, att.READ_BY_TYPE_REQUEST, att.READ_BY_GROUP_TYPE_REQUEST),
        *(att.READ_BY_GROUP_TYPE_RESPONSE, att.READ_REQUEST, att.READ_BLOB_REQUEST),
    }
)
"""What tells how a device is built, and nothing of who wears it."""
_ADV_EXT, _CONNECT_IND = 0x07, 0x05
_TWO_ADDRESSES: Final = (0x01, 0x03, _CONNECT_IND)
_EXTENDED_FIELDS: Final = (6, 6, 1, 2, 3, 18, 1)
"""Bytes of an extended header's fields, in the order of its flags: the first two are addresses."""


class Anonymiser:
    """`secret`: 16 random bytes; with the same ones the same names come out. `values`: all of ATT goes, too."""

    def __init__(self, secret: bytes, *, values: bool, gatt: Callable[[Connection], GattMap]) -> None:
        self._new = Replacing(secret)
        self._values = values
        self._identifying = Identifying(gatt)
        self._ours: set[int] = set()
        self._goes_on: dict[tuple[int, object], bool] = {}
        """By link and way: whether the pieces that follow are to be replaced."""

    @property
    def replaced(self) -> int:
        """How many addresses, names, keys and values were replaced."""
        return self._new.count

    def anonymised(self, packet: Packet, events: Sequence[Event]) -> Packet:
        """The packet to show; `events` are what it says."""
        for event in events:
            self._identifying.learn(event)
            if isinstance(event, ChannelFrame | OddFragment):
                self._ours.add(event.connection.handle)
        if (unwrap := hci_packets.UNWRAP.get(packet.link_type)) is not None:
            hci = unwrap(packet)
            head = packet.data[: len(packet.data) - len(hci.data)]
            if hci.kind == hci_packets.NOT_HCI and packet.link_type in _MONITOR_LINKS:
                return replace(packet, data=self._note(packet))
            data = self._hci(hci.kind, bytearray(hci.data), hci.direction)
            return replace(packet, data=head + bytes(data))
        frame = air_frames.UNWRAP[packet.link_type](packet)
        return packet if frame is None else replace(packet, data=self._air(packet.data, frame))

    # --- HCI ---

    def _note(self, packet: Packet) -> bytes:
        """What btmon writes beside HCI: an adapter's address and name, and texts and commands that hold anything."""
        data = bytearray(packet.data)
        start = _MONITOR_HEAD_BYTES if packet.link_type is LinkType.MONITOR else 0
        opcode = int.from_bytes(data[2:4], "big") if start else packet.flags & 0xFFFF
        if opcode == _NEW_INDEX:
            self._new.address(data, start + 2)
        else:
            self._new.wipe(data, start, len(data))
        return bytes(data)

    def _hci(self, kind: int, data: bytearray, way: object) -> bytearray:
        if kind == hci_packets.ACL and len(data) >= 4:
            self._l2cap(data, 4, (data[0] | (data[1] & 0x0F) << 8, way), begins=data[1] >> 4 & 3 != 1)
            return data
        if kind == hci_packets.COMMAND and len(data) >= 3:
            self._command(data)
        elif kind == hci_packets.EVENT and len(data) >= 2:
            self._event(data)
        self._new.known(data)
        return data

    def _command(self, data: bytearray) -> None:
        opcode = data[0] | data[1] << 8
        self._replace(data, 3, places.COMMAND_ADDRESSES.get(opcode, ()), places.COMMAND_SECRETS.get(opcode, ()))
        if (at := places.COMMAND_ADVERTS.get(opcode)) is not None:
            self._new.structures(data, 3 + at, len(data))

    def _event(self, data: bytearray) -> None:
        code, new = data[0], self._new
        if code == _LE_META and len(data) > 2:
            subevent = data[2]
            self._replace(data, 2, places.META_ADDRESSES.get(subevent, ()), places.META_SECRETS.get(subevent, ()))
            if (layout := _REPORTS.get(subevent)) is not None:
                self._reports(data, *layout)
        elif code == _COMMAND_COMPLETE and len(data) > 4:
            of = data[3] | data[4] << 8
            if of in places.RESULT_ADDRESSES:
                new.address(data, 6)
            elif of in places.RESULT_SECRETS:
                new.wipe(data, 6, len(data))
        else:
            if code == places.EXTENDED_INQUIRY:
                new.structures(data, 2 + places.EXTENDED_INQUIRY_DATA, len(data))
            self._replace(data, 2, places.EVENT_ADDRESSES.get(code, ()), places.EVENT_SECRETS.get(code, ()))

    def _replace(self, data: bytearray, start: int, addresses: Sequence[int], secrets: Sequence[Span]) -> None:
        for at in addresses:
            self._new.address(data, start + at)
        for first, end in secrets:
            self._new.wipe(data, start + first, start + end)

    def _reports(self, data: bytearray, head: int, address_at: int, length_at: int, tail: int) -> None:
        at = 4
        while at + head <= len(data):
            length = data[at + length_at]
            self._new.address(data, at + address_at)
            self._new.structures(data, at + head, min(len(data), at + head + length))
            at += head + length + tail

    # --- data ---

    def _l2cap(self, data: bytearray, at: int, stream: tuple[int, object], *, begins: bool) -> None:
        """From `at` on a PDU begins or goes on."""
        if not begins:
            if self._goes_on.get(stream):
                self._new.value(data, at, len(data))
            return
        if len(data) < at + HEADER_BYTES + 1:
            self._goes_on[stream] = True  # too short to tell what it is
            return
        cid, start = data[at + 2] | data[at + 3] << 8, at + HEADER_BYTES
        self._goes_on[stream] = False
        if cid == SMP_CID and data[start] in _SMP_SECRETS:
            self._new.wipe(data, start + 1, len(data))
            self._goes_on[stream] = True
        elif cid == ATT_CID:
            self._att(data, start, stream)

    def _att(self, data: bytearray, start: int, stream: tuple[int, object]) -> None:
        """What the values of a PDU name; all of it where that is wanted, but discovery and our sealed channel."""
        link, pdu = stream[0], bytes(data[start:])
        spans = list(self._identifying.spans(link, pdu))
        is_ours = link in self._ours and pdu[0] in (att.NOTIFICATION, att.WRITE_COMMAND, att.WRITE_REQUEST)
        if self._values and pdu[0] not in _DISCOVERY and not is_ours:
            spans = [(3 if att.HAS_HANDLE[pdu[0]] else 1, REST)]
        for first, end in spans:
            whole = end == REST
            (self._new.value if self._values else self._new.name)(data, start + first, min(len(data), start + end))
            self._goes_on[stream] |= whole
        if not self._values and not is_ours:
            self._new.known(data)

    # --- the air ---

    def _air(self, whole: bytes, frame: air_frames.AirFrame) -> bytes:
        pdu, seed = bytearray(frame.pdu), ADVERTISING_INIT
        if frame.access_address == ADVERTISING_ACCESS_ADDRESS:
            self._advertising(pdu)
            if crc24(frame.pdu, ADVERTISING_INIT) != frame.crc:
                seed = crc_init_of(frame.pdu, frame.crc)
        elif frame.decrypted or not self._identifying.is_encrypted(frame.access_address):
            seed = crc_init_of(frame.pdu, frame.crc)
            stream = frame.access_address, frame.sender
            if pdu[0] & 3 in (1, 2) and len(pdu) > 2:
                self._l2cap(pdu, 2, stream, begins=pdu[0] & 3 == 2)
        crc = crc24(bytes(pdu), seed) if pdu != frame.pdu else frame.crc
        return whole[: len(whole) - len(pdu) - len(crc)] + bytes(pdu) + crc

    def _advertising(self, pdu: bytearray) -> None:
        kind = pdu[0] & 0x0F
        if kind == _ADV_EXT:
            self._extended(pdu)
        else:
            self._new.address(pdu, 2)
            if kind in _TWO_ADDRESSES:
                self._new.address(pdu, 8)
            else:
                self._new.structures(pdu, 8, len(pdu))
        self._new.known(pdu)

    def _extended(self, pdu: bytearray) -> None:
        """The common extended advertising payload: a header with fields by flags, then data."""
        header_bytes = pdu[2] & 0x3F if len(pdu) > 2 else 0
        flags, at = pdu[3] if header_bytes and len(pdu) > 3 else 0, 4
        for bit, size in enumerate(_EXTENDED_FIELDS):
            if flags >> bit & 1:
                if bit < 2:
                    self._new.address(pdu, at)
                at += size
        self._new.structures(pdu, 3 + header_bytes, len(pdu))
