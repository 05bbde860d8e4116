"""Which side the capturing host is, where the connection's beginning was not captured.

A GATT client nearly always is the central: what only a client sends tells. It stays marked as a guess.
"""

from __future__ import annotations

from blechannel_capture.att import FROM_CLIENT
from blechannel_capture.events import Connection, Known, Side
from blechannel_capture.l2cap import ATT_CID, HEADER_BYTES
from blechannel_capture.packet import Direction


def guess(connection: Connection, pdu: bytes, direction: Direction) -> None:
    """Learn from a whole L2CAP PDU, if it tells anything."""
    if direction is Direction.UNKNOWN or len(pdu) <= HEADER_BYTES or pdu[2] | pdu[3] << 8 != ATT_CID:
        return
    # Both ends may ask for the MTU; Discovery is often done both ways, too, but by the central first.
    if pdu[HEADER_BYTES] in FROM_CLIENT:
        connection.local = Side.CENTRAL if direction is Direction.SENT else Side.PERIPHERAL
        connection.local_known = Known.GUESSED
