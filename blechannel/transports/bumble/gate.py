"""What passes from the air to bumble's GATT, and what goes straight to a link.

Fragments are recognised by opcode and handle and handed on without building objects: in order also when
writes with and without response mix, which bumble serves in tasks. The rest is checked before bumble sees it:

- bumble 0.0.236 does not check whether an attribute may be written; a peer could replace the service's own
  declaration for everybody.
- An exception in a handler leaves a request without an answer, and the peer waiting for 30 s.
- A second MTU exchange could shrink the payload below fragments that are already cut.
- Every notified value is kept by handle: a hostile peer could fill the memory.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable

from bumble import att
from bumble.device import Device

_log = logging.getLogger(__name__)

NOTIFICATION, INDICATION = 0x1B, 0x1D
WRITE_REQUEST, WRITE_RESPONSE, WRITE_COMMAND = 0x12, 0x13, 0x52
_WRITES = {WRITE_REQUEST, WRITE_COMMAND, 0x16, 0xD2}
_READ_MULTIPLE = {0x0E, 0x20}
_MTU_REQUEST = 0x02
_COMMAND_BIT = 0x40
_CONFIRMATION = 0x1E

Tap = Callable[[bytes], int | None]
"""Takes a value; gives None, or the ATT error code to refuse it with."""


def head(opcode: int, attribute_handle: int) -> bytes:
    """The three bytes that open a write or a notification."""
    return struct.pack("<BH", opcode, attribute_handle)


class AttGate:
    """Stands between L2CAP and GATT of one device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._taps: dict[tuple[int, bytes], Tap] = {}
        device.l2cap_channel_manager.register_fixed_channel(att.ATT_CID, self._on_pdu)

    def tap(self, connection_handle: int, opening: bytes, deliver: Tap) -> None:
        """Hand values whose PDU opens like this to `deliver`."""
        self._taps[connection_handle, opening] = deliver

    def forget(self, connection_handle: int) -> None:
        """Remove every tap of a connection."""
        for key in [key for key in self._taps if key[0] == connection_handle]:
            del self._taps[key]

    def _on_pdu(self, connection_handle: int, pdu: bytes) -> None:
        deliver = self._taps.get((connection_handle, pdu[:3]))
        try:
            if deliver is not None:
                self._answer_write(connection_handle, pdu, deliver(pdu[3:]))
            elif (refusal := self._refusal(connection_handle, pdu)) is None:
                self._device.on_gatt_pdu(connection_handle, pdu)
            else:
                self._refuse(connection_handle, pdu, refusal)
        except Exception:
            _log.debug("ATT PDU of opcode 0x%02X is refused", pdu[0] if pdu else 0, exc_info=True)
            self._refuse(connection_handle, pdu, att.ErrorCode.INVALID_PDU)

    def _answer_write(self, connection_handle: int, pdu: bytes, refusal: int | None) -> None:
        if refusal is not None:
            self._refuse(connection_handle, pdu, refusal)
        elif pdu[0] == WRITE_REQUEST:
            self._device.send_l2cap_pdu(connection_handle, att.ATT_CID, bytes([WRITE_RESPONSE]))

    def _refusal(self, connection_handle: int, pdu: bytes) -> int | None:
        opcode = pdu[0]
        if opcode in (NOTIFICATION, INDICATION):
            return att.ErrorCode.REQUEST_NOT_SUPPORTED
        if opcode in _READ_MULTIPLE:
            return att.ErrorCode.REQUEST_NOT_SUPPORTED
        if opcode in _WRITES and not self._writable(int.from_bytes(pdu[1:3], "little")):
            return att.ErrorCode.WRITE_NOT_PERMITTED
        if opcode == _MTU_REQUEST and self._shrinks(connection_handle, int.from_bytes(pdu[1:3], "little")):
            return att.ErrorCode.REQUEST_NOT_SUPPORTED
        return None

    def _writable(self, attribute_handle: int) -> bool:
        attribute = self._device.gatt_server.get_attribute(attribute_handle)
        return attribute is None or bool(attribute.permissions & att.Attribute.Permissions.WRITEABLE)

    def _shrinks(self, connection_handle: int, mtu: int) -> bool:
        connection = self._device.lookup_connection(connection_handle)
        return connection is not None and mtu < connection.att_mtu

    def _refuse(self, connection_handle: int, pdu: bytes, code: int) -> None:
        """An error response, where the opcode is a request's: commands, responses and values get none."""
        opcode = pdu[0] if pdu else _COMMAND_BIT
        if opcode & 1 or opcode & _COMMAND_BIT or opcode == _CONFIRMATION:
            return
        response = bytes([0x01, opcode]) + pdu[1:3].ljust(2, b"\0") + bytes([code])
        self._device.send_l2cap_pdu(connection_handle, att.ATT_CID, response)
