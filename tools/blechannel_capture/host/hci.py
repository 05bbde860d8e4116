"""One controller's HCI traffic: connections, encryption, keys, and what the ACL data carries.

Source: Core Specification, Vol 4 Part E, 5.4 (packets), 7.1, 7.7 and 7.8 (commands and events).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from blechannel_capture.addresses import address
from blechannel_capture.connections import Connections
from blechannel_capture.events import (
    Advertised,
    Connected,
    Connection,
    Disconnected,
    EncryptionChanged,
    Event,
    Known,
    LongTermKey,
    ParametersChanged,
    Side,
)
from blechannel_capture.host import att_sides
from blechannel_capture.host.hci_packets import ACL, COMMAND, EVENT, HciPacket
from blechannel_capture.l2cap import Assembly, Channels
from blechannel_capture.ledger import Damage, Ledger
from blechannel_capture.packet import Direction

CLASSIC_CONNECTION_COMPLETE, DISCONNECTION_COMPLETE, LE_META = 0x03, 0x05, 0x3E
ENCRYPTION_CHANGE: Final = (0x08, 0x59)
"""The second form also says how long the key is."""
LE_CONNECTION_COMPLETE, LE_ADVERTISING_REPORT, LE_CONNECTION_UPDATE = 0x01, 0x02, 0x03
LE_ENHANCED_CONNECTION_COMPLETE: Final = (0x0A, 0x29)
LE_EXTENDED_ADVERTISING_REPORT: Final = 0x0D
LE_ENABLE_ENCRYPTION, LE_LONG_TERM_KEY_REPLY = 0x2019, 0x201A
CONTINUES: Final = 1
_ACL_HEADER: Final = struct.Struct("<HH")
_UNKNOWN: Final = Known.UNKNOWN
_ADVERTISING: Final = ("ADV_IND", "ADV_DIRECT_IND", "ADV_SCAN_IND", "ADV_NONCONN_IND", "SCAN_RSP")


class _Traffic:
    """One connection's ACL data, both ways."""

    __slots__ = ("assemblies", "channels", "connection", "senders")

    def __init__(self, connection: Connection, ledger: Ledger) -> None:
        self.connection = connection
        self.assemblies = {each: Assembly(ledger) for each in Direction}
        self.channels = Channels(connection, ledger)
        self.senders: dict[Direction, Side] = {}
        """Who sends what goes which way."""
        self.take_sides()

    def take_sides(self) -> None:
        """From what is known of the connection now."""
        local = self.connection.local
        self.senders = {Direction.SENT: local, Direction.RECEIVED: local.other, Direction.UNKNOWN: Side.UNKNOWN}

    def end(self) -> None:
        for each in self.assemblies.values():
            each.drop("the connection ended")


class HciDecoder:
    """Feed one controller's packets in order. Malformed ones are entered into the ledger and skipped."""

    def __init__(self, connections: Connections, ledger: Ledger) -> None:
        self._connections = connections
        self._ledger = ledger
        self._links: dict[int, _Traffic] = {}
        self._classic: set[int] = set()
        """Handles of links that are not LE: a phone's log has its headphones' too."""
        self._told: list[Event] = []
        self._at = (0, 0)

    def feed(self, hci: HciPacket, packet: int, time_ns: int) -> list[Event]:
        """What that packet says; packet number and time go into the events."""
        self._told, self._at = [], (packet, time_ns)
        try:
            if hci.kind == ACL:
                self._data(hci.data, hci.direction)
            elif hci.kind == EVENT:
                self._event(hci.data)
            elif hci.kind == COMMAND:
                self._command(hci.data)
        except (struct.error, IndexError):
            self._ledger.note(
                Damage.BAD_PACKET, f"an HCI packet of {len(hci.data)} bytes ends too early", packet=packet
            )
        return self._told

    def end(self) -> None:
        """The capture ends: what is unfinished stays so."""
        for link in self._links.values():
            link.end()

    # --- data ---

    def _data(self, data: bytes, direction: Direction) -> None:
        head, length = _ACL_HEADER.unpack_from(data)
        packet, time_ns = self._at
        piece = data[4:]
        if len(piece) != length:
            self._ledger.note(Damage.BAD_PACKET, f"ACL data of {len(piece)} bytes says {length}", packet=packet)
            piece = piece[:length]
        handle = head & 0x0FFF
        if handle in self._classic:
            return
        link = self._links.get(handle) or self._appear(handle)
        assembly = link.assemblies[direction]
        is_more = head >> 12 & 3 == CONTINUES
        pdu = assembly.go_on(piece, packet) if is_more else assembly.begin(piece, packet)
        if pdu is None:
            return
        if link.connection.local_known is _UNKNOWN:
            att_sides.guess(link.connection, pdu, direction)
            link.take_sides()
        if (event := link.channels.take(pdu, link.senders[direction], packet, time_ns)) is not None:
            self._told.append(event)

    def _appear(self, handle: int) -> _Traffic:
        """A connection whose beginning was not captured."""
        connection = self._connections.new(handle, self._at[1])
        return self._begin(connection, seen=False)

    def _begin(self, connection: Connection, *, seen: bool) -> _Traffic:
        self._classic.discard(connection.handle)
        if (before := self._links.get(connection.handle)) is not None:
            before.end()
        link = self._links[connection.handle] = _Traffic(connection, self._ledger)
        self._told.append(Connected(*self._at, connection, seen))
        return link

    # --- events ---

    def _event(self, data: bytes) -> None:
        code, length, body = data[0], data[1], data[2:]
        if len(body) != length:
            self._ledger.note(Damage.BAD_PACKET, f"an HCI event of {len(body)} bytes says {length}", packet=self._at[0])
            return
        read = self._META.get(body[0]) if code == LE_META else self._EVENTS.get(code)
        if read is not None:
            read(self, body)

    def _connected_classic(self, body: bytes) -> None:
        status, handle = struct.unpack_from("<BH", body)
        if status == 0:
            self._classic.add(handle & 0x0FFF)

    def _disconnected(self, body: bytes) -> None:
        status, handle, reason = struct.unpack_from("<BHB", body)
        if status == 0:
            self._classic.discard(handle & 0x0FFF)
        if status == 0 and (link := self._links.pop(handle & 0x0FFF, None)) is not None:
            link.end()
            self._told.append(Disconnected(*self._at, link.connection, reason))

    def _encryption(self, body: bytes) -> None:
        status, handle, enabled = struct.unpack_from("<BHB", body)
        if status == 0 and (link := self._links.get(handle & 0x0FFF)) is not None:
            link.connection.encrypted = enabled != 0
            self._told.append(EncryptionChanged(*self._at, link.connection, enabled != 0))

    def _connected(self, body: bytes) -> None:
        _, status, handle, role, kind = struct.unpack_from("<BBHBB", body)
        # The enhanced forms carry two resolvable addresses more.
        where = 12 if body[0] == LE_CONNECTION_COMPLETE else 24
        interval, latency, timeout = struct.unpack_from("<HHH", body, where)
        if status:
            return
        connection = self._connections.new(handle & 0x0FFF, self._at[1])
        peer = address(body[6:12], is_random=bool(kind & 1))
        connection.local = Side.PERIPHERAL if role else Side.CENTRAL
        connection.local_known = Known.SEEN
        if role:
            connection.central = peer
        else:
            connection.peripheral = peer
        _set_parameters(connection, interval, latency, timeout)
        self._begin(connection, seen=True)

    def _updated(self, body: bytes) -> None:
        _, status, handle, interval, latency, timeout = struct.unpack_from("<BBHHHH", body)
        if status == 0 and (link := self._links.get(handle & 0x0FFF)) is not None:
            _set_parameters(link.connection, interval, latency, timeout)
            self._told.append(ParametersChanged(*self._at, link.connection))

    def _advertised(self, body: bytes) -> None:
        at = 2
        for _ in range(body[1]):
            kind, is_random, length = body[at], body[at + 1], body[at + 8]
            data = body[at + 9 : at + 9 + length]
            rssi = struct.unpack_from("b", body, at + 9 + length)[0]
            name = _ADVERTISING[kind] if kind < len(_ADVERTISING) else f"type {kind}"
            who = address(body[at + 2 : at + 8], is_random=bool(is_random & 1))
            self._told.append(Advertised(*self._at, who, name, data, rssi))
            at += 10 + length

    def _advertised_extended(self, body: bytes) -> None:
        at = 2
        for _ in range(body[1]):
            kind, is_random = struct.unpack_from("<HB", body, at)
            rssi, length = struct.unpack_from("b", body, at + 13)[0], body[at + 23]
            data = body[at + 24 : at + 24 + length]
            who = address(body[at + 3 : at + 9], is_random=bool(is_random & 1))
            name = "SCAN_RSP" if kind & 0x08 else "ADV_IND" if kind & 0x10 else "ADV_EXT_IND"
            self._told.append(Advertised(*self._at, who, name, data, rssi))
            at += 24 + length

    _EVENTS: Final[dict[int, Callable[[HciDecoder, bytes], None]]] = {
        CLASSIC_CONNECTION_COMPLETE: _connected_classic,
        DISCONNECTION_COMPLETE: _disconnected,
        ENCRYPTION_CHANGE[0]: _encryption,
        ENCRYPTION_CHANGE[1]: _encryption,
    }
    _META: Final[dict[int, Callable[[HciDecoder, bytes], None]]] = {
        LE_CONNECTION_COMPLETE: _connected,
        LE_ENHANCED_CONNECTION_COMPLETE[0]: _connected,
        LE_ENHANCED_CONNECTION_COMPLETE[1]: _connected,
        LE_CONNECTION_UPDATE: _updated,
        LE_ADVERTISING_REPORT: _advertised,
        LE_EXTENDED_ADVERTISING_REPORT: _advertised_extended,
    }

    # --- commands ---

    def _command(self, data: bytes) -> None:
        opcode, length, body = data[0] | data[1] << 8, data[2], data[3:]
        if len(body) != length:
            self._ledger.note(
                Damage.BAD_PACKET, f"an HCI command of {len(body)} bytes says {length}", packet=self._at[0]
            )
        elif opcode == LE_ENABLE_ENCRYPTION and len(body) >= 28:
            self._key(body, body[12:28], "LE Enable Encryption")
        elif opcode == LE_LONG_TERM_KEY_REPLY and len(body) >= 18:
            self._key(body, body[2:18], "LE Long Term Key Request Reply")

    def _key(self, body: bytes, key: bytes, source: str) -> None:
        """HCI shows a long term key, least significant byte first."""
        if (link := self._links.get((body[0] | body[1] << 8) & 0x0FFF)) is not None:
            self._told.append(LongTermKey(*self._at, link.connection, key[::-1], source))


def _set_parameters(connection: Connection, interval: int, latency: int, timeout: int) -> None:
    connection.interval_us, connection.latency = interval * 1250, latency
    connection.supervision_timeout_ms = timeout * 10
