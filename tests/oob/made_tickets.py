"""Tickets with every sort of address."""

from __future__ import annotations

from blechannel.pairing.out_of_band import AddressKind, RadioAddress, Ticket

STATIC = bytes(range(32))
SECRET = bytes(range(100, 132))
ADDRESS = bytes.fromhex("c0ffee000102")

HERE = Ticket.of(STATIC, secret=SECRET, where=RadioAddress(ADDRESS))
PUBLIC = Ticket.of(STATIC, secret=SECRET, where=RadioAddress(ADDRESS, AddressKind.PUBLIC))
ANYWHERE = Ticket.of(STATIC, secret=SECRET)
ALL = [HERE, PUBLIC, ANYWHERE]
