"""What every transport holds an advertisement to."""

from __future__ import annotations

from blechannel.errors import LocalProtocolError
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
