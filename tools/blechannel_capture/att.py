"""The Attribute Protocol's PDUs by name (Core Specification, Vol 3 Part F, 3.4)."""

from __future__ import annotations

from typing import Final

ERROR_RESPONSE: Final = 0x01
EXCHANGE_MTU_REQUEST, EXCHANGE_MTU_RESPONSE = 0x02, 0x03
FIND_INFORMATION_REQUEST, FIND_INFORMATION_RESPONSE = 0x04, 0x05
FIND_BY_TYPE_VALUE_REQUEST, FIND_BY_TYPE_VALUE_RESPONSE = 0x06, 0x07
READ_BY_TYPE_REQUEST, READ_BY_TYPE_RESPONSE = 0x08, 0x09
READ_REQUEST, READ_RESPONSE = 0x0A, 0x0B
READ_BLOB_REQUEST, READ_BLOB_RESPONSE = 0x0C, 0x0D
READ_MULTIPLE_REQUEST, READ_MULTIPLE_RESPONSE = 0x0E, 0x0F
READ_BY_GROUP_TYPE_REQUEST, READ_BY_GROUP_TYPE_RESPONSE = 0x10, 0x11
WRITE_REQUEST, WRITE_RESPONSE = 0x12, 0x13
PREPARE_WRITE_REQUEST, PREPARE_WRITE_RESPONSE = 0x16, 0x17
EXECUTE_WRITE_REQUEST, EXECUTE_WRITE_RESPONSE = 0x18, 0x19
NOTIFICATION, INDICATION, CONFIRMATION = 0x1B, 0x1D, 0x1E
READ_MULTIPLE_VARIABLE_REQUEST, READ_MULTIPLE_VARIABLE_RESPONSE = 0x20, 0x21
MULTIPLE_NOTIFICATION: Final = 0x23
WRITE_COMMAND, SIGNED_WRITE_COMMAND = 0x52, 0xD2

NAMES: Final = {
    ERROR_RESPONSE: "Error Response",
    EXCHANGE_MTU_REQUEST: "Exchange MTU Request",
    EXCHANGE_MTU_RESPONSE: "Exchange MTU Response",
    FIND_INFORMATION_REQUEST: "Find Information Request",
    FIND_INFORMATION_RESPONSE: "Find Information Response",
    FIND_BY_TYPE_VALUE_REQUEST: "Find By Type Value Request",
    FIND_BY_TYPE_VALUE_RESPONSE: "Find By Type Value Response",
    READ_BY_TYPE_REQUEST: "Read By Type Request",
    READ_BY_TYPE_RESPONSE: "Read By Type Response",
    READ_REQUEST: "Read Request",
    READ_RESPONSE: "Read Response",
    READ_BLOB_REQUEST: "Read Blob Request",
    READ_BLOB_RESPONSE: "Read Blob Response",
    READ_MULTIPLE_REQUEST: "Read Multiple Request",
    READ_MULTIPLE_RESPONSE: "Read Multiple Response",
    READ_BY_GROUP_TYPE_REQUEST: "Read By Group Type Request",
    READ_BY_GROUP_TYPE_RESPONSE: "Read By Group Type Response",
    WRITE_REQUEST: "Write Request",
    WRITE_RESPONSE: "Write Response",
    PREPARE_WRITE_REQUEST: "Prepare Write Request",
    PREPARE_WRITE_RESPONSE: "Prepare Write Response",
    EXECUTE_WRITE_REQUEST: "Execute Write Request",
    EXECUTE_WRITE_RESPONSE: "Execute Write Response",
    NOTIFICATION: "Notification",
    INDICATION: "Indication",
    CONFIRMATION: "Confirmation",
    READ_MULTIPLE_VARIABLE_REQUEST: "Read Multiple Variable Request",
    READ_MULTIPLE_VARIABLE_RESPONSE: "Read Multiple Variable Response",
    MULTIPLE_NOTIFICATION: "Multiple Handle Value Notification",
    WRITE_COMMAND: "Write Command",
    SIGNED_WRITE_COMMAND: "Signed Write Command",
}

_WITH_HANDLE: Final = frozenset(
    {
        *(READ_REQUEST, READ_BLOB_REQUEST, WRITE_REQUEST, PREPARE_WRITE_REQUEST, PREPARE_WRITE_RESPONSE),
        *(NOTIFICATION, INDICATION, WRITE_COMMAND, SIGNED_WRITE_COMMAND),
    }
)
FROM_CLIENT: Final = frozenset(
    {
        *(EXCHANGE_MTU_REQUEST, FIND_INFORMATION_REQUEST, FIND_BY_TYPE_VALUE_REQUEST, READ_BY_TYPE_REQUEST),
        *(READ_REQUEST, READ_BLOB_REQUEST, READ_MULTIPLE_REQUEST, READ_BY_GROUP_TYPE_REQUEST, WRITE_REQUEST),
        *(PREPARE_WRITE_REQUEST, EXECUTE_WRITE_REQUEST, CONFIRMATION, READ_MULTIPLE_VARIABLE_REQUEST),
        *(WRITE_COMMAND, SIGNED_WRITE_COMMAND),
    }
)
"""What only a GATT client sends."""


_HAS_HANDLE: Final = tuple(opcode in _WITH_HANDLE for opcode in range(256))


def has_handle(opcode: int) -> bool:
    """Whether an attribute's handle follows the opcode."""
    return _HAS_HANDLE[opcode]


def name_of(opcode: int) -> str:
    """The PDU's name in the specification."""
    return NAMES.get(opcode, f"opcode {opcode:#04x}")
