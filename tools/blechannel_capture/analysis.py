"""Above ATT: every connection's attributes, and our channel where one is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blechannel.roles import Role
from blechannel_capture import att
from blechannel_capture.channel.finding_handles import Handles
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.channel.listener import Listener
from blechannel_capture.events import AttPdu, Connection, Disconnected, Event
from blechannel_capture.gatt_map import GattMap

_WRITES = (att.WRITE_COMMAND, att.WRITE_REQUEST)


class _Peer:
    """What is known above ATT on one connection."""

    __slots__ = ("gatt", "handles", "listener")

    def __init__(self, connection: Connection, key_log: KeyLog) -> None:
        self.gatt = GattMap()
        self.handles = Handles(self.gatt)
        self.listener = Listener(connection, key_log)


class Analysis:
    """Feed the decoders' events; what is found above ATT comes right behind the event that it follows from."""

    def __init__(self, key_log: KeyLog) -> None:
        self._key_log = key_log
        self._peers: dict[int, _Peer] = {}

    def gatt(self, connection: Connection) -> GattMap:
        """The attributes that are known on that connection."""
        return self._peer(connection).gatt

    def follow(self, events: Iterable[Event]) -> Iterator[Event]:
        """Every event, and those that follow from it."""
        last: Event | None = None
        for event in events:
            yield event
            last = event
            if type(event) is AttPdu:
                yield from self._att(event)
            elif isinstance(event, Disconnected):
                peer = self._peers.pop(event.connection.number, None)
                if peer is not None:
                    yield from peer.listener.end(event.packet, event.time_ns, is_over=True)
        for peer in self._peers.values():
            if last is not None:
                yield from peer.listener.end(last.packet, last.time_ns, is_over=False)

    def _peer(self, connection: Connection) -> _Peer:
        peer = self._peers.get(connection.number)
        if peer is None:
            peer = self._peers[connection.number] = _Peer(connection, self._key_log)
        return peer

    def _att(self, pdu: AttPdu) -> Iterator[Event]:
        peer, opcode = self._peer(pdu.connection), pdu.opcode
        if opcode == att.NOTIFICATION:
            if peer.handles.is_outbox(pdu.handle, pdu.value):
                yield from peer.listener.hear(pdu.value, Role.WATCH, pdu.packet, pdu.time_ns)
        elif opcode in _WRITES:
            if peer.handles.is_inbox(pdu.handle, pdu.value):
                yield from peer.listener.hear(pdu.value, Role.PHONE, pdu.packet, pdu.time_ns)
        else:
            peer.gatt.hear(pdu)
            peer.handles.look()
