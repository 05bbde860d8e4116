"""Records opened by somebody who has the key and not all records."""

from __future__ import annotations

import pytest

from blechannel.config import Padding
from blechannel.noise import CHACHAPOLY, CipherState, Transport
from blechannel.session.records import REKEY_EVERY, Records
from blechannel_capture.channel.opening import SKIPPED, Opened, Opener

KEY = bytes(range(32))
NO_PADDING = Padding(1)


class Sender:
    """Seals as the runtime does."""

    def __init__(self, padding: Padding = NO_PADDING) -> None:
        self._keys = CipherState(CHACHAPOLY, KEY)
        self._transport = Transport(self._keys, CipherState(CHACHAPOLY, bytes(32)), bytes(32), bytes(32))
        self._padding = padding

    def record(self, number: int, body: bytes = b"body") -> bytes:
        """The record of that number; those before it are never sealed, but for their keys."""
        while self._keys.n < number:
            if self._keys.n and self._keys.n % REKEY_EVERY == 0:
                self._keys.rekey()
            self._keys.n = min(number, (self._keys.n // REKEY_EVERY + 1) * REKEY_EVERY)
        return Records(self._transport, padding=self._padding, max_body_bytes=8192).seal(7, body)


def opener() -> Opener:
    return Opener(CipherState(CHACHAPOLY, KEY))


def test_in_order() -> None:
    sender, reader = Sender(), opener()
    for number in range(5):
        assert reader.open(sender.record(number)) == Opened(number, b"body\x07")
    assert reader.next == 5


@pytest.mark.parametrize("skipped", [1, 100, SKIPPED])
def test_over_a_hole(skipped: int) -> None:
    sender, reader = Sender(), opener()
    reader.open(sender.record(0))
    assert reader.open(sender.record(1 + skipped)) == Opened(1 + skipped, b"body\x07", skipped)


def test_over_too_large_a_hole() -> None:
    assert opener().open(Sender().record(SKIPPED + 1)) is None


@pytest.mark.parametrize("skipped", [0, 1, 50])
def test_over_a_change_of_key(skipped: int) -> None:
    sender, reader = Sender(), opener()
    reader.next = REKEY_EVERY - 1
    assert reader.open(sender.record(REKEY_EVERY - 1)) is not None
    number = REKEY_EVERY + skipped
    assert reader.open(sender.record(number)) == Opened(number, b"body\x07", skipped)
    assert reader.open(sender.record(number + 1)) == Opened(number + 1, b"body\x07")


def test_late_ones_and_numbers_that_were_used_before() -> None:
    sender, reader = Sender(), opener()
    first, second, third = (sender.record(number) for number in range(3))
    reader.open(first)
    assert reader.open(third) == Opened(2, b"body\x07", 1)
    assert reader.open(second) == Opened(1, b"body\x07", is_late=True)
    assert reader.open(second) == Opened(1, b"body\x07", is_reused=True)
    assert reader.open(Sender().record(0, b"another")) == Opened(0, b"another\x07", is_reused=True)


def test_padding_is_taken_off_and_damage_does_not_open() -> None:
    padded = Sender(Padding(64)).record(0)
    assert len(padded) > len(Sender().record(0))
    assert opener().open(padded) == Opened(0, b"body\x07")
    assert opener().open(padded[:-1] + bytes([padded[-1] ^ 1])) is None
    assert opener().open(b"\x17\x00\x05short") is None
