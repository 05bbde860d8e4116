"""The watch's side of the GATT service: its table, and a link for each connection."""

from __future__ import annotations

from bumble import att
from bumble.device import Connection
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    Descriptor,
    Service,
)

from blechannel.gatt import INBOX_UUID, INFO_UUID, OUTBOX_UUID, SERVICE_UUID
from blechannel.transports.bumble.adapter import Adapter
from blechannel.transports.bumble.gate import NOTIFICATION, WRITE_COMMAND, WRITE_REQUEST, head
from blechannel.transports.bumble.link import BumbleLink

_READABLE = att.Attribute.Permissions.READABLE
_WRITEABLE = att.Attribute.Permissions.WRITEABLE
_NOTIFY = 0x0001


class WatchService:
    """What phones find; `links` by connection handle.

    Only refusals leave its handlers, as ATT errors: after anything else bumble sends no answer.
    """

    def __init__(self, adapter: Adapter) -> None:
        properties = Characteristic.Properties
        self._adapter = adapter
        self.links: dict[int, BumbleLink] = {}
        self._inbox = Characteristic[bytes](
            INBOX_UUID,
            properties.WRITE | properties.WRITE_WITHOUT_RESPONSE,
            _WRITEABLE,
            att.AttributeValue(read=_refuse_read, write=self._write_inbox),
        )
        self._outbox = Characteristic[bytes](
            OUTBOX_UUID,
            properties.NOTIFY,
            att.Attribute.Permissions(0),
            att.AttributeValue(read=_refuse_read),
            [self._configuration()],
        )
        info = Characteristic[bytes](INFO_UUID, properties.READ, _READABLE, att.AttributeValue(read=self._read_info))
        adapter.device.add_service(Service(SERVICE_UUID, [self._inbox, self._outbox, info]))

    def open_link(self, connection: Connection) -> BumbleLink:
        """A link for a new connection; it has no room before the phone subscribes."""
        handle = connection.handle
        outbox = head(NOTIFICATION, self._outbox.handle)
        link = BumbleLink(self._adapter, connection, outbox, subscribed=False)
        self.links[handle] = link
        self._adapter.gate.tap(handle, head(WRITE_COMMAND, self._inbox.handle), link.deliver)
        self._adapter.gate.tap(handle, head(WRITE_REQUEST, self._inbox.handle), link.deliver)
        return link

    def _configuration(self) -> Descriptor:
        """Our own CCCD: bumble's takes any length, and keeps the values of connections that are gone."""
        return Descriptor(
            GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
            _READABLE | _WRITEABLE,
            att.AttributeValue(read=self._read_configuration, write=self._write_configuration),
        )

    def _link(self, connection: Connection) -> BumbleLink:
        if (link := self.links.get(connection.handle)) is None:
            raise att.ATT_Error(att.ErrorCode.UNLIKELY_ERROR)
        return link

    def _write_inbox(self, connection: Connection, value: bytes) -> None:
        """A long write, which comes in parts; whole ones never get here."""
        if (refusal := self._link(connection).deliver(value)) is not None:
            raise att.ATT_Error(refusal)

    def _read_info(self, connection: Connection) -> bytes:
        info = self._link(connection).info
        if info is None:
            raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)
        return info

    def _read_configuration(self, connection: Connection) -> bytes:
        return (_NOTIFY if self._link(connection).subscribed else 0).to_bytes(2, "little")

    def _write_configuration(self, connection: Connection, value: bytes) -> None:
        if len(value) != 2:
            raise att.ATT_Error(att.ErrorCode.INVALID_ATTRIBUTE_LENGTH)
        bits = int.from_bytes(value, "little")
        if bits & ~_NOTIFY:
            raise att.ATT_Error(att.ErrorCode.CCCD_IMPROPERLY_CONFIGURED)
        self._link(connection).subscribe(bool(bits))


def _refuse_read(_connection: Connection) -> bytes:
    raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)
