"""Targets that read one value: whatever the bytes are, a value that encodes to the same bytes, or MalformedFrame."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from blechannel.codec import decode, encode
from blechannel.errors import AuthenticationFailed, MalformedFrame, TransportError
from blechannel.oob import ndef
from blechannel.pairing.attestation import MAX_ATTESTATION_BYTES, Attestation
from blechannel.pairing.certificates import Pinned, p256_certificate
from blechannel.pairing.out_of_band import TICKET_BYTES, Ticket
from blechannel.transports.tcp.greeting import PhoneGreeting, WatchGreeting
from blechannel.wire.adverts import ADVERT_BYTES, Advert, make_advert, resolves
from blechannel.wire.frames import decode_frame, encode_frame
from gatt_profiles.tunnel import Reply, Request
from tests.gatt_profiles.golden import KINDS
from tests.pairing.made_certificates import AT_S
from tests.wire.strategies import DECLARED

KEY = bytes(range(32))


def frame(data: bytes) -> None:
    """A frame of any kind."""
    with suppress(MalformedFrame):
        assert encode_frame(decode_frame(data)) == data


def declared(data: bytes) -> None:
    """A payload or a record's body: the first byte chooses the class."""
    cls = DECLARED[data[0] % len(DECLARED)] if data else DECLARED[0]
    with suppress(MalformedFrame):
        assert encode(decode(cls, data[1:])) == data[1:]


def advert(data: bytes) -> None:
    """An advertisement; nobody but the key's holder makes one that resolves."""
    with suppress(MalformedFrame):
        assert Advert.decode(data).encode() == data
        assert len(data) == ADVERT_BYTES
    if resolves(data, KEY, AT_S):
        flags, nonce = data[0], data[1:5]
        at_s = AT_S if flags & 2 else None
        made = {make_advert(KEY, pairing_open=bool(flags & 1), random=lambda _: nonce, unix_time_s=at_s)}
        if at_s is not None:
            for neighbour_s in (at_s - 900, at_s + 900):
                open_ = bool(flags & 1)
                made.add(make_advert(KEY, pairing_open=open_, random=lambda _: nonce, unix_time_s=neighbour_s))
        assert data in made


def ticket(data: bytes) -> None:
    """A ticket, and the NDEF message that carries one."""
    with suppress(MalformedFrame):
        assert Ticket.decode(data).encode() == data
        assert len(data) == TICKET_BYTES
    with suppress(MalformedFrame):
        assert ndef.encode(ndef.decode(data)) == data


def attestation(data: bytes) -> None:
    """An attestation, and its chain held against an empty list."""
    with suppress(MalformedFrame):
        read = Attestation.decode(data)
        assert read.encode() == data
        assert len(data) <= MAX_ATTESTATION_BYTES
        with suppress(AuthenticationFailed):
            _nobody().verify(read.chain, at_s=AT_S)
            raise AssertionError("a chain that nobody listed was believed")


def certificate(data: bytes) -> None:
    """A certificate: P-256 and no byte more, or refused."""
    with suppress(AuthenticationFailed):
        p256_certificate(data)


def greeting(data: bytes) -> None:
    """The first message on a TCP stream, of either side."""
    with suppress(TransportError):
        assert PhoneGreeting.decode(data).encode() == data
    with suppress(TransportError):
        assert WatchGreeting.decode(data).encode() == data


def profile(data: bytes) -> None:
    """A value of a GATT profile, or a frame of those that carry them; the first byte chooses the class."""
    kinds = (*KINDS, Request, Reply)
    kind = kinds[data[0] % len(kinds)] if data else kinds[0]
    with suppress(MalformedFrame):
        assert encode(decode(kind, data[1:])) == data[1:]


@cache
def _nobody() -> Pinned:
    return Pinned(frozenset())
