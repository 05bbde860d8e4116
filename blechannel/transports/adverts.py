"""What every transport holds an advertisement to, and its bytes (protocol, "GATT service")."""

from __future__ import annotations

from uuid import UUID

from blechannel.errors import LocalProtocolError
from blechannel.gatt import SERVICE_UUID
from blechannel.wire.adverts import ADVERT_BYTES

MAX_SERVICE_DATA_BYTES = ADVERT_BYTES
"""Room in the scan response (protocol, "GATT service")."""


def check_service_data(service_data: bytes) -> bytes:
    """The same bytes.

    Raises:
        LocalProtocolError: they do not fit the scan response.
    """
    if len(service_data) > MAX_SERVICE_DATA_BYTES:
        raise LocalProtocolError(f"service data of {len(service_data)} bytes: at most {MAX_SERVICE_DATA_BYTES}")
    return service_data


SERVICE_ON_AIR = UUID(SERVICE_UUID).bytes[::-1]
"""On the air UUIDs are little-endian."""
ALL_UUIDS, SERVICE_DATA = 0x07, 0x21
"""Types of structures (Assigned Numbers, 2.3): a complete list of 128-bit UUIDs, and data under one."""


def structure(kind: int, data: bytes) -> bytes:
    """One structure of an advertisement."""
    return bytes([1 + len(data), kind]) + data


SERVICE_LIST = structure(ALL_UUIDS, SERVICE_ON_AIR)
"""18 bytes, so that scanners can filter."""


def scan_response(service_data: bytes) -> bytes:
    """At most 31 bytes: the service data under the service's UUID.

    Raises:
        LocalProtocolError: more than 13 bytes of service data.
    """
    return structure(SERVICE_DATA, SERVICE_ON_AIR + check_service_data(service_data))
