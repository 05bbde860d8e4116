"""A ticket as an NDEF message, for an NFC tag or a file. Needs the extra `nfc`.

With an address there are three records, which together fit the 144 bytes of the smallest common tag (NTAG213):

- Handover Select 1.3 with one active carrier (NFC Forum, Connection Handover 1.3, section 6.2);
- its Bluetooth LE out-of-band data, with the two fields that are mandatory: address and role (NFC Forum, Bluetooth
  Secure Simple Pairing Using NFC 1.1, section 3.3.1; Supplement to the Core Specification, A 1.16 and 1.17). Secrets of
  the link's own pairing are left out: nothing here depends on it;
- the ticket itself with its check, as an external record.

Without an address there is the last one alone. A static tag can be copied, and the copy reads the same: only the
watch's window and its one bond end a ticket.

Raises:
    MissingExtra: on import, when ndeflib is not installed.
"""

from __future__ import annotations

import os
from typing import Final

from blechannel.errors import MalformedFrame, MissingExtra
from blechannel.oob.checked import decode_checked, encode_checked
from blechannel.oob.files import read_bounded, write_private
from blechannel.pairing.out_of_band import AddressKind, RadioAddress, Ticket

try:
    import ndef
except ImportError as error:
    raise MissingExtra("nfc", "blechannel.oob.ndef") from error

TICKET_TYPE: Final = "urn:nfc:ext:blechannel:t"
MAX_MESSAGE_BYTES: Final = 1024
_CARRIER: Final = "0"
_ADDRESS_TYPES: Final = {AddressKind.PUBLIC: "public", AddressKind.RANDOM: "random"}


def encode(ticket: Ticket) -> bytes:
    """The NDEF message. It holds the secret."""
    records = [*_handover(ticket.where), ndef.Record(TICKET_TYPE, "", encode_checked(ticket))]
    return b"".join(ndef.message_encoder(records))


def decode(data: bytes) -> Ticket:
    """Read a message that `encode` has written; nothing else is taken.

    Raises:
        MalformedFrame: over 1 KiB, no NDEF, no ticket in it, a damaged one, or records that contradict it.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedFrame(f"an NDEF message over {MAX_MESSAGE_BYTES} bytes")
    payloads = [bytes(record.data) for record in _records(data) if record.type == TICKET_TYPE]
    if not payloads:
        raise MalformedFrame("no ticket of a watch is on this tag")
    ticket = decode_checked(payloads[0])
    if encode(ticket) != data:
        raise MalformedFrame("the records on this tag contradict its ticket, or there are more of them")
    return ticket


def write_file(path: str | os.PathLike[str], ticket: Ticket) -> None:
    """Write the message to a file that only its owner can read.

    Raises:
        CarrierError: the file cannot be written.
    """
    write_private(path, encode(ticket))


def read_file(path: str | os.PathLike[str]) -> Ticket:
    """Read a file that `write_file` has written, or that was copied from a tag.

    Raises:
        CarrierError: the file cannot be read.
        MalformedFrame: as `decode`.
    """
    return decode(read_bounded(path, MAX_MESSAGE_BYTES))


def _handover(where: RadioAddress | None) -> list[ndef.Record]:
    if where is None:
        return []
    carrier = ndef.BluetoothLowEnergyRecord()
    carrier.name = _CARRIER
    carrier.device_address = (str(where), _ADDRESS_TYPES[where.kind])
    carrier.role_capabilities = "Peripheral"
    select = ndef.HandoverSelectRecord("1.3")
    select.add_alternative_carrier("active", _CARRIER)
    return [select, carrier]


def _records(data: bytes) -> list[ndef.Record]:
    try:
        # No known types: what stands inside other records is not looked at.
        return list(ndef.message_decoder(data, known_types={}))
    except (ndef.DecodeError, ValueError) as error:
        raise MalformedFrame("this tag holds no NDEF message") from error
