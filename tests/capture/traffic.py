"""A host's traffic with its controller, made step by step."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from blechannel.gatt import INBOX_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel_capture.events import Side
from blechannel_capture.host.hci_packets import ACL, COMMAND, EVENT
from blechannel_capture.l2cap import ATT_CID, SMP_CID
from tests.capture.writing import START_NS, HciSaid

STEP_NS = 1_000_000
HANDLE = 0x0040
SERVICE_HANDLE, INBOX, OUTBOX, LAST_HANDLE = 0x001F, 0x0021, 0x0024, 0x0028
PEER = bytes.fromhex("554433221180")


def l2cap(cid: int, payload: bytes) -> bytes:
    """A whole L2CAP PDU."""
    return struct.pack("<HH", len(payload), cid) + payload


class HostTraffic:
    """Grows packet by packet; every packet is a millisecond after the one before."""

    def __init__(self, local: Side = Side.CENTRAL, *, acl_bytes: int = 251) -> None:
        self.said: list[HciSaid] = []
        self._local = local
        self._acl_bytes = acl_bytes
        self.now_ns = START_NS

    def add(self, kind: int, data: bytes, *, sent: bool) -> None:
        """Any packet."""
        self.said.append(HciSaid(kind, sent, data, self.now_ns))
        self.now_ns += STEP_NS

    def event(self, code: int, body: bytes) -> None:
        """From the controller."""
        self.add(EVENT, bytes([code, len(body)]) + body, sent=False)

    def command(self, opcode: int, body: bytes) -> None:
        """To the controller."""
        self.add(COMMAND, struct.pack("<HB", opcode, len(body)) + body, sent=True)

    def connect(self, *, interval: int = 24, enhanced: int | None = None, handle: int = HANDLE) -> None:
        """LE Connection Complete, or the enhanced event of that subevent code."""
        head = struct.pack("<BBHBB", enhanced or 1, 0, handle, 0 if self._local is Side.CENTRAL else 1, 1) + PEER
        addresses = bytes(12) if enhanced else b""
        self.event(0x3E, head + addresses + struct.pack("<HHHB", interval, 2, 72, 0))

    def disconnect(self, reason: int = 0x13, *, handle: int = HANDLE) -> None:
        """Disconnection Complete."""
        self.event(0x05, struct.pack("<BHB", 0, handle, reason))

    def acl(self, piece: bytes, *, sent: bool, continues: bool = False, handle: int = HANDLE) -> None:
        """One packet of ACL data."""
        boundary = 1 if continues else 0 if sent else 2
        self.add(ACL, struct.pack("<HH", handle | boundary << 12, len(piece)) + piece, sent=sent)

    def pdu(self, sender: Side, cid: int, payload: bytes, *, handle: int = HANDLE) -> None:
        """A whole PDU of a channel, in as many pieces as it takes."""
        whole, sent = l2cap(cid, payload), sender is self._local
        for at in range(0, len(whole), self._acl_bytes):
            self.acl(whole[at : at + self._acl_bytes], sent=sent, continues=at > 0, handle=handle)

    def att(self, sender: Side, pdu: bytes, *, handle: int = HANDLE) -> None:
        """A PDU of the Attribute Protocol."""
        self.pdu(sender, ATT_CID, pdu, handle=handle)

    def smp(self, sender: Side, pdu: bytes) -> None:
        """A PDU of the Security Manager."""
        self.pdu(sender, SMP_CID, pdu)

    def write(self, handle: int, value: bytes) -> None:
        """The central writes without response."""
        self.att(Side.CENTRAL, struct.pack("<BH", 0x52, handle) + value)

    def notify(self, handle: int, value: bytes) -> None:
        """The peripheral notifies."""
        self.att(Side.PERIPHERAL, struct.pack("<BH", 0x1B, handle) + value)

    def discover(self) -> None:
        """The central finds our service, and the characteristics in it."""
        service, inbox, outbox = (
            bytes.fromhex(uuid.replace("-", ""))[::-1] for uuid in (SERVICE_UUID, INBOX_UUID, OUTBOX_UUID)
        )
        self.att(Side.CENTRAL, struct.pack("<BHHH", 0x10, 1, 0xFFFF, 0x2800))
        self.att(Side.PERIPHERAL, struct.pack("<BBHH", 0x11, 20, SERVICE_HANDLE, LAST_HANDLE) + service)
        self.att(Side.CENTRAL, struct.pack("<BHHH", 0x08, SERVICE_HANDLE, LAST_HANDLE, 0x2803))
        found = (
            struct.pack("<HBH", INBOX - 1, 0x0C, INBOX) + inbox + struct.pack("<HBH", OUTBOX - 1, 0x10, OUTBOX) + outbox
        )
        self.att(Side.PERIPHERAL, b"\x09\x15" + found)


def small_talk(traffic: HostTraffic, values: Iterable[bytes]) -> HostTraffic:
    """A connection on which each value is written and notified."""
    traffic.connect()
    for value in values:
        traffic.write(0x0021, value)
        traffic.notify(0x0024, value)
    traffic.disconnect()
    return traffic
