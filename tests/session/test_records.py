"""Records: sealed in order, padded to classes, under keys that move on, with a header that nobody may change."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from blechannel.config import Padding
from blechannel.errors import AuthenticationFailed, LocalProtocolError, MalformedFrame
from blechannel.noise import CHACHAPOLY, MAX_NONCE, CipherState, Transport
from blechannel.session.records import REKEY_EVERY, TAG_BYTES, TYPE_BYTES, Records
from blechannel.wire.header import FRAME_HEADER_BYTES

PHONE_KEY, WATCH_KEY = bytes(range(32)), bytes(range(100, 132))
MAX_BODY_BYTES = 4096
DATA = 6
# Phone's record 0, "hello" in Data, padded to 16: computed with the AEAD alone.
FROZEN = "17002070dd2e5dc2e0a6d113615c61af434e274b18acf7c04f0a9debc8a445b33a8b4a"


def side(send: bytes, receive: bytes, *, block_bytes: int = 16, max_body_bytes: int = MAX_BODY_BYTES) -> Records:
    transport = Transport(CipherState(CHACHAPOLY, send), CipherState(CHACHAPOLY, receive), bytes(32), bytes(32))
    return Records(transport, padding=Padding(block_bytes), max_body_bytes=max_body_bytes)


def sides(*, block_bytes: int = 16, max_body_bytes: int = MAX_BODY_BYTES) -> tuple[Records, Records]:
    """Phone and watch, both keyed."""
    return (
        side(PHONE_KEY, WATCH_KEY, block_bytes=block_bytes, max_body_bytes=max_body_bytes),
        side(WATCH_KEY, PHONE_KEY, block_bytes=block_bytes, max_body_bytes=max_body_bytes),
    )


def nonce(n: int) -> bytes:
    """ChaChaPoly's (Noise, section 12.3): four zero bytes and the counter, little-endian."""
    return bytes(4) + n.to_bytes(8, "little")


def forged(key: bytes, n: int, plaintext: bytes) -> bytes:
    """A frame with any plaintext, sealed without the code under test."""
    header = b"\x17" + (len(plaintext) + 16).to_bytes(2, "big")
    return header + ChaCha20Poly1305(key).encrypt(nonce(n), plaintext, header)


# --- what a record is -------------------------------------------------------------------------------------------


def test_a_record_is_what_the_protocol_says() -> None:
    phone, _ = sides()
    assert phone.seal(DATA, b"hello") == forged(PHONE_KEY, 0, b"hello\x06" + bytes(10))
    assert phone.seal(9, b"") == forged(PHONE_KEY, 1, b"\x09" + bytes(15))


def test_a_record_is_frozen() -> None:
    phone, _ = sides()
    assert phone.seal(DATA, b"hello").hex() == FROZEN


@given(
    messages=st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=80)), max_size=8),
    block_bytes=st.sampled_from([1, 16, 64]),
)
def test_both_ways_in_order(messages: list[tuple[int, bytes]], block_bytes: int) -> None:
    phone, watch = sides(block_bytes=block_bytes)
    for record_type, body in messages:
        assert watch.open(phone.seal(record_type, body)) == (record_type, body)
        assert phone.open(watch.seal(record_type, body)) == (record_type, body)
    assert phone.sent == phone.received == watch.sent == watch.received == len(messages)


@pytest.mark.parametrize("body", [b"\0", b"\0" * 100, b"end\0\0", b"\x06\0", b"\x06"])
def test_zeros_of_a_body_are_no_padding(body: bytes) -> None:
    phone, watch = sides()
    assert watch.open(phone.seal(DATA, body)) == (DATA, body)


# --- lengths ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block_bytes", [1, 16, 64])
def test_lengths_on_the_air_tell_classes_only(block_bytes: int) -> None:
    phone, _ = sides(block_bytes=block_bytes)
    for length_bytes in range(200):
        sealed_bytes = len(phone.seal(DATA, bytes(length_bytes))) - FRAME_HEADER_BYTES - TAG_BYTES
        assert sealed_bytes % block_bytes == 0
        assert 0 <= sealed_bytes - (length_bytes + TYPE_BYTES) < block_bytes


@pytest.mark.parametrize("block_bytes", [1, 16, 64, 1000, 4096])
def test_padding_ends_at_what_the_peer_takes(block_bytes: int) -> None:
    phone, watch = sides(block_bytes=block_bytes, max_body_bytes=1000)
    longest = bytes(phone.max_body_bytes)
    assert len(longest) == 1000 - TAG_BYTES - TYPE_BYTES
    for body in (longest, longest[1:], longest[20:]):
        frame = phone.seal(DATA, body)
        assert len(frame) <= FRAME_HEADER_BYTES + 1000
        assert watch.open(frame) == (DATA, body)


def test_a_body_that_is_too_long_is_refused_and_nothing_changes() -> None:
    phone, watch = sides()
    with pytest.raises(LocalProtocolError, match=f"the peer takes {phone.max_body_bytes}"):
        phone.seal(DATA, bytes(phone.max_body_bytes + 1))
    assert phone.sent == 0
    assert watch.open(phone.seal(DATA, b"first")) == (DATA, b"first")


def test_a_record_of_only_padding_is_refused() -> None:
    for plaintext in (b"", b"\0", bytes(16)):
        _, watch = sides()
        with pytest.raises(MalformedFrame, match="without a type"):
            watch.open(forged(PHONE_KEY, 0, plaintext))


def test_padding_of_any_length_is_taken() -> None:
    _, watch = sides()
    assert watch.open(forged(PHONE_KEY, 0, b"body\x06" + bytes(999))) == (DATA, b"body")


# --- what nobody may change -------------------------------------------------------------------------------------


def test_every_bit_of_a_record_is_held() -> None:
    phone, _ = sides()
    frame = phone.seal(DATA, b"hello")
    for bit in range(8 * len(frame)):
        changed = bytearray(frame)
        changed[bit // 8] ^= 1 << bit % 8
        _, watch = sides()
        with pytest.raises(AuthenticationFailed):
            watch.open(bytes(changed))
    _, watch = sides()
    assert watch.open(frame) == (DATA, b"hello")


def test_a_cut_or_longer_record_is_refused() -> None:
    phone, _ = sides()
    frame = phone.seal(DATA, b"hello")
    for wrong in (*(frame[:size] for size in range(len(frame))), frame + b"\0"):
        _, watch = sides()
        with pytest.raises(AuthenticationFailed):
            watch.open(wrong)


def _swap(frames: list[bytes]) -> list[bytes]:
    return [frames[1], frames[0]]


def _skip(frames: list[bytes]) -> list[bytes]:
    return frames[1:]


def _repeat(frames: list[bytes]) -> list[bytes]:
    return [frames[0], frames[0]]


@pytest.mark.parametrize("meddle", [_swap, _skip, _repeat])
def test_wrong_order_is_refused(meddle: Callable[[list[bytes]], list[bytes]]) -> None:
    phone, watch = sides()
    frames = meddle([phone.seal(DATA, b"first"), phone.seal(DATA, b"second")])
    with pytest.raises(AuthenticationFailed):
        list(map(watch.open, frames))


def test_a_record_sent_back_to_its_sender_is_refused() -> None:
    phone, _ = sides()
    with pytest.raises(AuthenticationFailed):
        phone.open(phone.seal(DATA, b"hello"))


# --- keys that move on ------------------------------------------------------------------------------------------


def rekeyed(key: bytes) -> bytes:
    """REKEY(k) of the Noise specification, section 4.2, by the primitive alone."""
    return ChaCha20Poly1305(key).encrypt(nonce(2**64 - 1), bytes(32), b"")[:32]


@pytest.mark.parametrize("watch_speaks", [False, True])
def test_the_key_moves_on_before_record_2_to_the_14(watch_speaks: bool) -> None:
    phone, watch = sides(block_bytes=1)
    sender, receiver, first_key = (watch, phone, WATCH_KEY) if watch_speaks else (phone, watch, PHONE_KEY)
    frames = [sender.seal(DATA, b"%d" % n) for n in range(REKEY_EVERY + 2)]
    assert REKEY_EVERY == 2**14
    assert [receiver.open(frame)[1] for frame in frames] == [b"%d" % n for n in range(REKEY_EVERY + 2)]

    second_key = rekeyed(first_key)
    for n, key in [(0, first_key), (2**14 - 1, first_key), (2**14, second_key), (2**14 + 1, second_key)]:
        assert frames[n] == forged(key, n, b"%d\x06" % n)
    # The other direction has its own counter: it has not moved.
    assert (sender.sent, sender.received) == (2**14 + 2, 0)
    assert sender.open(receiver.seal(DATA, b"back")) == (DATA, b"back")


@pytest.mark.parametrize("times", [1, 2, 3])
def test_every_multiple_moves_the_key_once_more(times: int) -> None:
    cipher = CipherState(CHACHAPOLY, PHONE_KEY, times * REKEY_EVERY - 1)
    phone = Records(
        Transport(cipher, CipherState(CHACHAPOLY, WATCH_KEY), bytes(32), bytes(32)),
        padding=Padding(1),
        max_body_bytes=512,
    )
    n = times * REKEY_EVERY
    assert phone.seal(DATA, b"before") == forged(PHONE_KEY, n - 1, b"before\x06")
    assert phone.seal(DATA, b"after") == forged(rekeyed(PHONE_KEY), n, b"after\x06")
    assert phone.seal(DATA, b"on") == forged(rekeyed(PHONE_KEY), n + 1, b"on\x06")


def test_the_old_key_is_gone() -> None:
    send, receive = CipherState(CHACHAPOLY, PHONE_KEY, REKEY_EVERY), CipherState(CHACHAPOLY, PHONE_KEY, REKEY_EVERY)
    phone = Records(Transport(send, receive, bytes(32), bytes(32)), padding=Padding(1), max_body_bytes=512)
    phone.open(phone.seal(DATA, b"moves on"))
    held = [getattr(cipher, name) for cipher in (send, receive) for name in CipherState.__slots__]
    assert PHONE_KEY not in held
    assert send.k == receive.k == rekeyed(PHONE_KEY)
    with pytest.raises(AuthenticationFailed):
        phone.open(forged(PHONE_KEY, REKEY_EVERY + 1, b"under the old key\x06"))


def test_no_two_records_share_a_key_and_a_nonce() -> None:
    phone, _ = sides(block_bytes=1)
    frames = [phone.seal(DATA, b"same") for _ in range(1000)]
    assert len(set(frames)) == len(frames)


def test_the_last_nonce_is_used_and_no_other() -> None:
    last = MAX_NONCE - 1
    send, receive = CipherState(CHACHAPOLY, PHONE_KEY, last), CipherState(CHACHAPOLY, PHONE_KEY, last)
    both = Records(Transport(send, receive, bytes(32), bytes(32)), padding=Padding(1), max_body_bytes=512)
    assert last == 2**64 - 2
    assert both.open(both.seal(DATA, b"last")) == (DATA, b"last")
    with pytest.raises(LocalProtocolError, match="no nonce is left"):
        both.seal(DATA, b"one more")
    with pytest.raises(LocalProtocolError, match="no nonce is left"):
        both.open(forged(PHONE_KEY, MAX_NONCE, b"one more\x06"))
    assert both.sent == both.received == MAX_NONCE


def test_keys_are_not_shown() -> None:
    key = os.urandom(32)
    shown = repr(side(key, key))
    assert key.hex() not in shown
    assert repr(key) not in shown
