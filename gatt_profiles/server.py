"""The serving side of any profile: values that carriers read, write and are told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from blechannel.aio.attributes import Tell
from blechannel.codec import decode, encode
from blechannel.errors import AttributeRefused, LocalProtocolError, MalformedFrame
from blechannel.gatt import MAX_ATTRIBUTE_BYTES, AttErrorCode, Properties
from gatt_profiles.profile import Characteristic, Service

T = TypeVar("T")

_WRITES = Properties.WRITE | Properties.WRITE_WITHOUT_RESPONSE


class Server:
    """The values of one service of this device, for any number of carriers at once.

    The application sets and answers in terms of values; carriers see bytes (`blechannel.aio.attributes.Attributes`).
    A characteristic that was never given a value, a source or a receiver is not offered, unless it only notifies.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._sources: dict[str, Callable[[], bytes]] = {}
        self._receivers: dict[str, Callable[[bytes], None]] = {}
        self._subscribers: dict[str, list[Tell]] = {}

    # --- for applications ---

    def set(self, characteristic: Characteristic[T], value: T) -> None:
        """Give a value from now on, and tell subscribers of it.

        Raises:
            LocalProtocolError: another service's characteristic, or a value that its format has no place for.
        """
        self.service.check(characteristic)
        raw = _encoded(characteristic, value)
        self._sources[characteristic.uuid] = lambda: raw
        for tell in self._subscribers.get(characteristic.uuid, ()):
            tell(raw)

    def on_read(self, characteristic: Characteristic[T], source: Callable[[], T]) -> None:
        """Ask `source` whenever a client reads; it raises AttributeRefused to refuse.

        Raises:
            LocalProtocolError: another service's characteristic.
        """
        self.service.check(characteristic)
        self._sources[characteristic.uuid] = lambda: _encoded(characteristic, source())

    def on_write(self, characteristic: Characteristic[T], receive: Callable[[T], None]) -> None:
        """Call `receive` with what clients write; it raises AttributeRefused to refuse.

        Raises:
            LocalProtocolError: another service's characteristic.
        """
        self.service.check(characteristic)
        self._receivers[characteristic.uuid] = lambda raw: receive(decode(characteristic.value, raw))

    # --- for carriers ---

    def offered(self, characteristic: Characteristic[Any]) -> Properties:
        """What a client can do with it now; nothing where it is not offered."""
        can = Properties(0)
        if characteristic.uuid in self._sources:
            can |= Properties.READ
        if characteristic.uuid in self._receivers:
            can |= _WRITES
        if can or not characteristic.properties & ~Properties.NOTIFY:
            can |= Properties.NOTIFY
        return characteristic.properties & can

    def read(self, characteristic: str) -> bytes:
        """See Attributes."""
        self._check(characteristic, Properties.READ, AttErrorCode.READ_NOT_PERMITTED, "cannot be read")
        try:
            return self._sources[characteristic]()
        except LocalProtocolError as error:
            raise AttributeRefused(AttErrorCode.UNLIKELY_ERROR, str(error)) from error

    def write(self, characteristic: str, value: bytes) -> None:
        """See Attributes."""
        self._check(characteristic, _WRITES, AttErrorCode.WRITE_NOT_PERMITTED, "cannot be written")
        try:
            self._receivers[characteristic](value)
        except MalformedFrame as error:
            raise AttributeRefused(AttErrorCode.VALUE_NOT_ALLOWED, str(error)) from error

    def subscribe(self, characteristic: str, tell: Tell) -> Callable[[], None]:
        """See Attributes."""
        self._check(characteristic, Properties.NOTIFY, AttErrorCode.REQUEST_NOT_SUPPORTED, "does not notify")
        subscribers = self._subscribers.setdefault(characteristic, [])
        subscribers.append(tell)

        def undo() -> None:
            if tell in subscribers:
                subscribers.remove(tell)

        return undo

    def _check(self, uuid: str, wanted: Properties, code: AttErrorCode, why: str) -> None:
        characteristic = self.service.find(uuid)
        offered = self.offered(characteristic) if characteristic else Properties(0)
        if characteristic is None or not offered:
            raise AttributeRefused(AttErrorCode.ATTRIBUTE_NOT_FOUND, f"{self.service.port} does not offer {uuid}")
        if not offered & wanted:
            raise AttributeRefused(code, f"{characteristic.name} {why}")


def _encoded(characteristic: Characteristic[T], value: T) -> bytes:
    if not isinstance(value, characteristic.value):
        raise LocalProtocolError(f"{characteristic.name} takes a {characteristic.value.__name__}")
    raw = encode(value)
    if len(raw) > MAX_ATTRIBUTE_BYTES:
        raise LocalProtocolError(f"{characteristic.name} has at most {MAX_ATTRIBUTE_BYTES} bytes, not {len(raw)}")
    return raw
