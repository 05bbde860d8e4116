"""The GATT service that carries the channel, declared once (protocol, "GATT service"), and GATT's own numbers.

The 128-bit UUIDs share one random base; bytes 2 and 3 number the service and its characteristics.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

SERVICE_UUID = "b1ec0000-7c4b-4f0e-9a53-5d8f6a3c21e7"
INBOX_UUID = "b1ec0001-7c4b-4f0e-9a53-5d8f6a3c21e7"
"""Write and write without response: fragments from phone to watch."""
OUTBOX_UUID = "b1ec0002-7c4b-4f0e-9a53-5d8f6a3c21e7"
"""Notify: fragments from watch to phone; the first ones carry INFO."""
INFO_UUID = "b1ec0003-7c4b-4f0e-9a53-5d8f6a3c21e7"
"""Read: the INFO frame of this connection, the same bytes that the outbox opens with."""

ATT_HEADER_BYTES = 3
"""What a write or a notification costs of the ATT_MTU (Core Specification, volume 3, part F, 3.4)."""
MIN_ATT_MTU_BYTES = 23
MAX_ATTRIBUTE_BYTES = 512
"""The longest attribute value (Core Specification, volume 3, part F, 3.2.9)."""
MAX_WRITE_BYTES = 510
"""The longest value that phones write to the inbox: BlueZ before 5.69, as a watch, counts the handle to the value and
throws away what comes out over 512 without a word. Watches take 512 all the same."""


class Properties(IntFlag):
    """What may be done with a characteristic (Core Specification, volume 3, part G, 3.3.1.1)."""

    READ = 0x02
    WRITE_WITHOUT_RESPONSE = 0x04
    WRITE = 0x08
    NOTIFY = 0x10


class AttErrorCode(IntEnum):
    """Why a request for an attribute is refused (Core Specification, volume 3, part F, 3.4.1.1)."""

    READ_NOT_PERMITTED = 0x02
    WRITE_NOT_PERMITTED = 0x03
    REQUEST_NOT_SUPPORTED = 0x06
    ATTRIBUTE_NOT_FOUND = 0x0A
    INVALID_ATTRIBUTE_LENGTH = 0x0D
    UNLIKELY_ERROR = 0x0E
    INSUFFICIENT_RESOURCES = 0x11
    VALUE_NOT_ALLOWED = 0x13


_BASE = "-0000-1000-8000-00805f9b34fb"
"""Of every UUID that the Bluetooth SIG assigns (Core Specification, volume 3, part B, 2.5.1)."""


def assigned_uuid(number: int) -> str:
    """The 128-bit form of a 16-bit UUID of the Assigned Numbers."""
    return f"{number:08x}{_BASE}"


def assigned_number(uuid: str) -> int | None:
    """The 16-bit form, which is what goes on the air; None where there is none."""
    return int(uuid[:8], 16) if uuid.startswith("0000") and uuid.endswith(_BASE) else None
