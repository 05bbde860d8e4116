"""Services beside the channel, in the plain: bumble's table of them, and who has subscribed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from bumble import att
from bumble.device import Connection
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR, Characteristic, Descriptor, Service

from blechannel.aio.attributes import Attributes, PlainCharacteristic, PlainService
from blechannel.errors import AttributeRefused
from blechannel.gatt import ATT_HEADER_BYTES, Properties
from blechannel.transports.bumble.adapter import Adapter
from blechannel.transports.bumble.gate import NOTIFICATION, head
from blechannel.transports.bumble.uuids import bumble_uuid

_log = logging.getLogger(__name__)

T = TypeVar("T")

QUEUED_PACKETS = 8
"""On a connection that has more to send than this, a notification is left out: a newer value will come."""
_READABLE = att.Attribute.Permissions.READABLE
_WRITEABLE = att.Attribute.Permissions.WRITEABLE
_WRITES = Properties.WRITE | Properties.WRITE_WITHOUT_RESPONSE
_NOTIFY = 0x0001


class PlainTable:
    """What is served in the plain on one adapter."""

    def __init__(self, adapter: Adapter, services: Sequence[PlainService]) -> None:
        self._served = [
            _Served(adapter, service.attributes, c) for service in services for c in service.characteristics
        ]
        served = iter(self._served)
        for service in services:
            table = [next(served).entry for _ in service.characteristics]
            adapter.device.add_service(Service(bumble_uuid(service.uuid), table))

    def forget(self, connection_handle: int) -> None:
        """A connection is gone, and its number will be used again."""
        for served in self._served:
            served.subscribers.discard(connection_handle)

    def close(self) -> None:
        """Take no more values from the application."""
        for served in self._served:
            served.stop()


class _Served:
    """One characteristic; only refusals leave its handlers, for after anything else bumble sends no answer."""

    def __init__(self, adapter: Adapter, attributes: Attributes, characteristic: PlainCharacteristic) -> None:
        self._adapter = adapter
        self._attributes = attributes
        self._uuid = characteristic.uuid
        self.subscribers: set[int] = set()
        self.stop: Callable[[], None] = lambda: None
        permissions = att.Attribute.Permissions(0)
        descriptors = []
        if characteristic.properties & Properties.READ:
            permissions |= _READABLE
        if characteristic.properties & _WRITES:
            permissions |= _WRITEABLE
        if characteristic.properties & Properties.NOTIFY:
            descriptors.append(self._configuration())
            self.stop = attributes.subscribe(characteristic.uuid, self._tell)
        self.entry = Characteristic[bytes](
            bumble_uuid(characteristic.uuid),
            Characteristic.Properties(characteristic.properties),
            permissions,
            att.AttributeValue(read=self._read, write=self._write),
            descriptors,
        )
        self._readable = bool(permissions & _READABLE)

    def _read(self, _connection: Connection) -> bytes:
        if not self._readable:  # bumble does not look
            raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)
        return _answered(lambda: self._attributes.read(self._uuid))

    def _write(self, _connection: Connection, value: bytes) -> None:
        _answered(lambda: self._attributes.write(self._uuid, value))

    def _configuration(self) -> Descriptor:
        """As in `WatchService`: bumble's own takes any length and forgets no connection."""
        return Descriptor(
            GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
            _READABLE | _WRITEABLE,
            att.AttributeValue(read=self._read_configuration, write=self._write_configuration),
        )

    def _read_configuration(self, connection: Connection) -> bytes:
        return (_NOTIFY if connection.handle in self.subscribers else 0).to_bytes(2, "little")

    def _write_configuration(self, connection: Connection, value: bytes) -> None:
        if len(value) != 2:
            raise att.ATT_Error(att.ErrorCode.INVALID_ATTRIBUTE_LENGTH)
        bits = int.from_bytes(value, "little")
        if bits & ~_NOTIFY:
            raise att.ATT_Error(att.ErrorCode.CCCD_IMPROPERLY_CONFIGURED)
        if bits:
            self.subscribers.add(connection.handle)
        else:
            self.subscribers.discard(connection.handle)

    def _tell(self, value: bytes) -> None:
        """To each subscriber, cut to what its connection carries: it can read the rest."""
        for handle in self.subscribers:
            connection = self._adapter.device.lookup_connection(handle)
            if connection is None or self._adapter.host.flow(handle).pending_packets > QUEUED_PACKETS:
                continue
            pdu = head(NOTIFICATION, self.entry.handle) + value[: connection.att_mtu - ATT_HEADER_BYTES]
            self._adapter.host.send_l2cap_pdu(handle, att.ATT_CID, pdu)


def _answered(act: Callable[[], T]) -> T:
    """What the application answers; its refusals, and its faults, become ATT errors."""
    try:
        return act()
    except AttributeRefused as refused:
        raise att.ATT_Error(refused.code) from refused
    except Exception as error:  # a peer that gets no answer waits for 30 s
        _log.exception("a plain service failed")
        raise att.ATT_Error(att.ErrorCode.UNLIKELY_ERROR) from error
