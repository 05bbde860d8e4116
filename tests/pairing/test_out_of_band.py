"""Tickets: their bytes, what they promise, and what is none."""

from __future__ import annotations

import hashlib
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import LocalProtocolError, MalformedFrame
from blechannel.pairing.out_of_band import TICKET_BYTES, AddressKind, RadioAddress, Ticket, static_key_hash

STATIC = bytes(range(32))
SECRET = bytes(range(100, 132))
WHERE = RadioAddress(bytes.fromhex("c0ffee000102"))
TICKET = Ticket.of(STATIC, secret=SECRET, where=WHERE)
FROZEN = bytes.fromhex(
    "016465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f80818283630dcd2966c4336691125448bbb25b4f02c0ffee000102"
)


def test_a_ticket_is_these_bytes() -> None:
    assert TICKET.encode() == FROZEN
    assert len(FROZEN) == TICKET_BYTES == 56
    assert Ticket.decode(FROZEN) == TICKET


def test_the_key_hash_is_sha256_cut_to_16_bytes() -> None:
    assert TICKET.key_hash == static_key_hash(STATIC) == hashlib.sha256(STATIC).digest()[:16]


def test_without_an_address_zeros_stand_in_its_place() -> None:
    ticket = Ticket.of(STATIC, secret=SECRET)
    assert ticket.encode() == FROZEN[:-7] + bytes(7)
    assert Ticket.decode(ticket.encode()) == ticket


def test_a_ticket_matches_the_key_that_it_promises_and_no_other() -> None:
    assert TICKET.matches(STATIC)
    for index, bit in product(range(32), range(8)):
        other = bytearray(STATIC)
        other[index] ^= 1 << bit
        assert not TICKET.matches(bytes(other))


def test_neither_the_secret_nor_its_hex_is_printed() -> None:
    for shown in (repr(TICKET), str(TICKET)):
        assert SECRET.hex() not in shown
        assert repr(SECRET)[2:-1] not in shown


def test_an_address_is_printed_as_people_write_it() -> None:
    assert str(WHERE) == "C0:FF:EE:00:01:02"


@given(
    secret=st.binary(min_size=32, max_size=32),
    key_hash=st.binary(min_size=16, max_size=16),
    address=st.binary(min_size=6, max_size=6),
    kind=st.sampled_from(AddressKind),
)
def test_every_ticket_comes_back(secret: bytes, key_hash: bytes, address: bytes, kind: AddressKind) -> None:
    where = None if kind is AddressKind.NONE else RadioAddress(address, kind)
    ticket = Ticket(secret, key_hash, where)
    assert Ticket.decode(ticket.encode()) == ticket


@given(data=st.binary(max_size=64) | st.binary(min_size=55, max_size=55).map(lambda rest: b"\x01" + rest))
def test_any_bytes_are_a_ticket_or_malformed(data: bytes) -> None:
    try:
        ticket = Ticket.decode(data)
    except MalformedFrame:
        return
    assert ticket.encode() == data


@pytest.mark.parametrize("data", [FROZEN[:-1], FROZEN + b"\0", b""])
def test_cut_off_or_trailing_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedFrame):
        Ticket.decode(data)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_refused_by_name(version: int) -> None:
    with pytest.raises(MalformedFrame, match=f"version {version};"):
        Ticket.decode(bytes([version]) + FROZEN[1:])


def test_an_address_kind_that_is_none_is_malformed() -> None:
    with pytest.raises(MalformedFrame):
        Ticket.decode(FROZEN[:49] + b"\x03" + FROZEN[50:])


def test_an_address_behind_kind_none_is_malformed() -> None:
    with pytest.raises(MalformedFrame, match="without an address"):
        Ticket.decode(FROZEN[:49] + b"\x00" + FROZEN[50:])


@pytest.mark.parametrize(("secret", "key_hash"), [(SECRET[1:], bytes(16)), (SECRET, bytes(15)), (SECRET, bytes(17))])
def test_a_ticket_of_other_lengths_cannot_be_made(secret: bytes, key_hash: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        Ticket(secret, key_hash)


@pytest.mark.parametrize(("address", "kind"), [(bytes(5), AddressKind.PUBLIC), (bytes(6), AddressKind.NONE)])
def test_an_address_that_is_none_cannot_be_made(address: bytes, kind: AddressKind) -> None:
    with pytest.raises(LocalProtocolError):
        RadioAddress(address, kind)
