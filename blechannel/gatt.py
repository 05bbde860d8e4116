"""The GATT service that carries the channel, declared once (protocol, "GATT service").

The 128-bit UUIDs share one random base; bytes 2 and 3 number the service and its characteristics.
"""

from __future__ import annotations

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
