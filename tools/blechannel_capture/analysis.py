"""Above ATT: every connection's attributes, and our channel where one is found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from blechannel.roles import Role
from blechannel_capture import att
from blechannel_capture.channel.finding_handles import Handles
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.channel.listener import Listener
from blechannel_capture.events import AttPdu, Connection, Disconnected, Event, StandardValue
from blechannel_capture.gatt_map import Confidence, GattMap
from blechannel_capture.recent import remember

MAX_PEERS: Final = 1024
"""Connections that are followed at once."""
MAX_PAST: Final = 256
"""Connections that are over, and devices, whose attributes stay known."""
_NOTIFICATION, _WRITES = att.NOTIFICATION, (att.WRITE_COMMAND, att.WRITE_REQUEST)
_PHONE, _WATCH = Role.PHONE, Role.WATCH


class _Peer:
    """What is known above ATT on one connection."""

    __slots__ = ("_reads", "gatt", "handles", "last_packet", "listener")

    def __init__(self, connection: Connection, key_log: KeyLog, gatt: GattMap) -> None:
        self.gatt = gatt
        self.handles = Handles(gatt)
        self.handles.look()
        self.listener = Listener(connection, key_log)
        self.last_packet = 0
        self._reads = 0

    def read(self, pdu: AttPdu) -> Iterable[Event]:
        """A response names no handle: that of the request is remembered."""
        if pdu.opcode == att.READ_REQUEST:
            self._reads = pdu.handle
        elif pdu.opcode == att.READ_RESPONSE:
            return self.standard_value(pdu, self._reads)
        elif pdu.opcode == att.INDICATION:
            return self.standard_value(pdu, pdu.handle)
        return ()

    def standard_value(self, pdu: AttPdu, handle: int) -> Iterable[Event]:
        """What the value says, where the attribute is known and a profile declares it."""
        attribute = self.gatt.attributes.get(handle)
        if attribute is None:
            return
        from blechannel_capture.values import standard_value  # all profiles: not before a value may be one of theirs

        if (found := standard_value(attribute.uuid, pdu.value)) is not None:
            yield StandardValue(pdu.packet, pdu.time_ns, pdu.connection, pdu.sender, handle, *found)


class Analysis:
    """Feed the decoders' events; what is found above ATT comes right behind the event that it follows from."""

    def __init__(self, key_log: KeyLog) -> None:
        self._key_log = key_log
        self._peers: dict[int, _Peer] = {}
        self._past: dict[int, GattMap] = {}
        """Of connections that are over, or that nothing was heard of for long."""
        self._given_up: list[Event] = []
        self._last: Event | None = None
        self._cache: dict[str, GattMap] = {}
        self.known: GattMap | None = None
        """Imported attributes."""

    def gatt(self, connection: Connection) -> GattMap:
        """The attributes that are known on that connection; of one that was over long ago, those of its peripheral."""
        past = self._past.get(connection.number)
        return self._peer(connection).gatt if past is None else past

    def follow(self, events: Iterable[Event]) -> list[Event]:
        """A packet's events, and behind each those that follow from it."""
        found: list[Event] = []
        for event in events:
            found.append(event)
            if type(event) is AttPdu:
                found += self._att(event)
            elif isinstance(event, Disconnected):
                found += self._end(event.connection.number, event, is_over=True)
        if self._given_up:
            found += self._given_up
            self._given_up = []
        if found:
            self._last = found[-1]
        return found

    def end(self) -> list[Event]:
        """The capture is over."""
        last, found = self._last, list[Event]()
        if last is not None:
            for number in list(self._peers):
                found += self._end(number, last, is_over=False)
        return found

    def _end(self, number: int, at: Event, *, is_over: bool) -> Iterable[Event]:
        """A connection's session ends, if there is one; of the connection only the attributes stay known."""
        peer = self._peers.pop(number, None)
        if peer is None:
            return ()
        remember(self._past, number, peer.gatt, MAX_PAST)
        return peer.listener.end(at.packet, at.time_ns, is_over=is_over)

    def _peer(self, connection: Connection) -> _Peer:
        peer = self._peers.get(connection.number)
        if peer is None:
            if len(self._peers) == MAX_PEERS:
                self._give_up()
            peer = self._peers[connection.number] = _Peer(connection, self._key_log, self._begun(connection))
        return peer

    def _give_up(self) -> None:
        """The connection of which nothing was heard for the longest time: its end was not captured."""
        number = min(self._peers, key=lambda each: self._peers[each].last_packet)
        if self._last is not None:
            self._given_up += self._end(number, self._last, is_over=False)

    def _begun(self, connection: Connection) -> GattMap:
        """What may be supposed of a peripheral when it connects: what was imported, or learned of its address."""
        gatt = GattMap()
        if self.known is not None:
            gatt.take_over(self.known, Confidence.IMPORTED)
        if connection.peripheral:
            if (before := self._cache.get(connection.peripheral)) is not None:
                gatt.take_over(before, Confidence.CACHED)
            remember(self._cache, connection.peripheral, gatt, MAX_PAST)
        return gatt

    def _att(self, pdu: AttPdu) -> Iterable[Event]:
        peer, opcode = self._peers.get(pdu.connection.number) or self._peer(pdu.connection), pdu.opcode
        peer.last_packet, handles = pdu.packet, peer.handles
        if opcode == _NOTIFICATION:
            if pdu.handle == handles.outbox or handles.is_outbox(pdu.handle, pdu.value):
                return peer.listener.hear(pdu.value, _WATCH, pdu.packet, pdu.time_ns)
            return peer.standard_value(pdu, pdu.handle)
        if opcode in _WRITES:
            if pdu.handle == handles.inbox or handles.is_inbox(pdu.handle, pdu.value):
                return peer.listener.hear(pdu.value, _PHONE, pdu.packet, pdu.time_ns)
            return peer.standard_value(pdu, pdu.handle)
        peer.gatt.hear(pdu)
        handles.look()
        return peer.read(pdu)
