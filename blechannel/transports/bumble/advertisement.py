"""The bytes of an advertisement, written and read (protocol, "GATT service")."""

from __future__ import annotations

from bumble.core import AdvertisingData

from blechannel.transports.adverts import (
    ALL_UUIDS,
    MAX_SERVICE_DATA_BYTES,
    SERVICE_DATA,
    SERVICE_LIST,
    SERVICE_ON_AIR,
    structure,
)

_FLAGS = 0x01
_SOME_UUIDS = 0x06
_DISCOVERABLE_LE_ONLY = 0x02 | 0x04

ADVERTISEMENT = structure(_FLAGS, bytes([_DISCOVERABLE_LE_ONLY])) + SERVICE_LIST
"""21 of 31 bytes: flags and the service's UUID, so that scanners can filter; nothing that tells devices apart."""


def service_data_in(advertised: AdvertisingData) -> bytes | None:
    """Our service's data in what was heard: empty when only its UUID was, None when neither was."""
    found = None
    for kind, data in advertised.ad_structures:
        if kind == SERVICE_DATA and data.startswith(SERVICE_ON_AIR):
            if len(data) <= len(SERVICE_ON_AIR) + MAX_SERVICE_DATA_BYTES:
                return data[len(SERVICE_ON_AIR) :]
        elif kind in (_SOME_UUIDS, ALL_UUIDS) and _lists_service(data):
            found = b""
    return found


def _lists_service(uuids: bytes) -> bool:
    return any(uuids[at : at + 16] == SERVICE_ON_AIR for at in range(0, len(uuids) - 15, 16))
