"""Above ATT: every connection's attributes, and our channel where one is found."""

from __future__ import annotations

from collections.abc import Iterable

from blechannel.roles import Role
from blechannel_capture import att
from blechannel_capture.channel.finding_handles import Handles
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.channel.listener import Listener
from blechannel_capture.events import AttPdu, Connection, Disconnected, Event, StandardValue
from blechannel_capture.gatt_map import Confidence, GattMap

_WRITES = (att.WRITE_COMMAND, att.WRITE_REQUEST)


class _Peer:
    """What is known above ATT on one connection."""

    __slots__ = ("_reads", "gatt", "handles", "is_over", "listener")

    def __init__(self, connection: Connection, key_log: KeyLog, gatt: GattMap) -> None:
        self.gatt = gatt
        self.handles = Handles(gatt)
        self.handles.look()
        self.listener = Listener(connection, key_log)
        self.is_over = False
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
        self._last: Event | None = None
        self._cache: dict[str, GattMap] = {}
        self.known: GattMap | None = None
        """Imported attributes."""

    def gatt(self, connection: Connection) -> GattMap:
        """The attributes that are known on that connection."""
        return self._peer(connection).gatt

    def follow(self, events: Iterable[Event]) -> list[Event]:
        """A packet's events, and behind each those that follow from it."""
        found: list[Event] = []
        for event in events:
            found.append(event)
            if type(event) is AttPdu:
                found += self._att(event)
            elif isinstance(event, Disconnected):
                peer = self._peers.get(event.connection.number)
                if peer is not None and not peer.is_over:
                    peer.is_over = True
                    found += peer.listener.end(event.packet, event.time_ns, is_over=True)
        if found:
            self._last = found[-1]
        return found

    def end(self) -> list[Event]:
        """The capture is over."""
        last, found = self._last, list[Event]()
        if last is not None:
            for peer in self._peers.values():
                if not peer.is_over:
                    found += peer.listener.end(last.packet, last.time_ns, is_over=False)
        return found

    def _peer(self, connection: Connection) -> _Peer:
        peer = self._peers.get(connection.number)
        if peer is None:
            peer = self._peers[connection.number] = _Peer(connection, self._key_log, self._begun(connection))
        return peer

    def _begun(self, connection: Connection) -> GattMap:
        """What may be supposed of a peripheral when it connects: what was imported, or learned of its address."""
        gatt = GattMap()
        if self.known is not None:
            gatt.take_over(self.known, Confidence.IMPORTED)
        if connection.peripheral:
            before = self._cache.setdefault(connection.peripheral, gatt)
            if before is not gatt:
                gatt.take_over(before, Confidence.CACHED)
                self._cache[connection.peripheral] = gatt
        return gatt

    def _att(self, pdu: AttPdu) -> Iterable[Event]:
        peer, opcode = self._peers.get(pdu.connection.number) or self._peer(pdu.connection), pdu.opcode
        if opcode == att.NOTIFICATION:
            if peer.handles.is_outbox(pdu.handle, pdu.value):
                return peer.listener.hear(pdu.value, Role.WATCH, pdu.packet, pdu.time_ns)
            return peer.standard_value(pdu, pdu.handle)
        if opcode in _WRITES:
            if peer.handles.is_inbox(pdu.handle, pdu.value):
                return peer.listener.hear(pdu.value, Role.PHONE, pdu.packet, pdu.time_ns)
            return peer.standard_value(pdu, pdu.handle)
        peer.gatt.hear(pdu)
        peer.handles.look()
        return peer.read(pdu)
