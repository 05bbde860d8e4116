"""UUIDs as bumble has them: those of the Bluetooth SIG in 16 bits, as everybody sends and looks for them."""

from __future__ import annotations

from uuid import UUID as AnyUUID

from bumble.core import UUID

from blechannel.errors import LocalProtocolError
from blechannel.gatt import assigned_number


def bumble_uuid(uuid: str) -> UUID:
    """Of a UUID in its 128-bit form.

    Raises:
        LocalProtocolError: it is none.
    """
    try:
        number = assigned_number(uuid)
        return UUID.from_16_bits(number) if number is not None else UUID(str(AnyUUID(uuid)))
    except ValueError as error:
        raise LocalProtocolError(f"{uuid!r} is no UUID") from error


def full_uuid(uuid: UUID) -> str:
    """Its 128-bit form, in lower case."""
    return str(AnyUUID(bytes=uuid.to_bytes(force_128=True)[::-1]))
