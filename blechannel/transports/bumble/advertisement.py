"""The bytes of an advertisement and of its scan response (protocol, "GATT service"), written and read."""

from __future__ import annotations

from uuid import UUID

from bumble.core import AdvertisingData

from blechannel.gatt import SERVICE_UUID
from blechannel.transports.adverts import MAX_SERVICE_DATA_BYTES, check_service_data

_SERVICE = UUID(SERVICE_UUID).bytes[::-1]
"""On the air UUIDs are little-endian."""
_FLAGS = 0x01
_SOME_UUIDS, _ALL_UUIDS = 0x06, 0x07
_SERVICE_DATA = 0x21
_DISCOVERABLE_LE_ONLY = 0x02 | 0x04


def _structure(kind: int, data: bytes) -> bytes:
    return bytes([1 + len(data), kind]) + data


ADVERTISEMENT = _structure(_FLAGS, bytes([_DISCOVERABLE_LE_ONLY])) + _structure(_ALL_UUIDS, _SERVICE)
"""21 of 31 bytes: flags and the service's UUID, so that scanners can filter; nothing that tells devices apart."""


def scan_response(service_data: bytes) -> bytes:
    """At most 31 bytes: the service data under the service's UUID.

    Raises:
        LocalProtocolError: more than 13 bytes of service data.
    """
    return _structure(_SERVICE_DATA, _SERVICE + check_service_data(service_data))


def service_data_in(advertised: AdvertisingData) -> bytes | None:
    """Our service's data in what was heard: empty when only its UUID was, None when neither was."""
    found = None
    for kind, data in advertised.ad_structures:
        if kind == _SERVICE_DATA and data.startswith(_SERVICE):
            if len(data) <= len(_SERVICE) + MAX_SERVICE_DATA_BYTES:
                return data[len(_SERVICE) :]
        elif kind in (_SOME_UUIDS, _ALL_UUIDS) and _lists_service(data):
            found = b""
    return found


def _lists_service(uuids: bytes) -> bool:
    return any(uuids[at : at + 16] == _SERVICE for at in range(0, len(uuids) - 15, 16))
