"""A man in the middle of a pairing by words searches for nonces that make both screens show the same.

Published: Vaudenay, "Secure Communications over Insecure Channels Based on Short Authenticated Strings", 2005; Laur and
Nyberg, 2006.
Stopped by: the watch commits to its nonce in m2, before the phone's is known, and opens it in m4.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from blechannel.errors import AuthenticationFailed
from blechannel.methods import Method
from blechannel.pairing.comparison import sas
from blechannel.session.events import WordsShown
from tests.attacks.mallory import Mallory
from tests.session.middle import Middle
from tests.session.sides import Side, Stream, World

BITS = 16
"""Shorter than the 30 of the protocol, so that a search that can succeed does so in the time of a test."""
BUDGET = 1 << 20


def words_of(side: Side) -> object:
    [shown] = side.told(WordsShown)
    assert isinstance(shown, WordsShown)
    return shown.words


def test_both_legs_complete_and_the_words_differ() -> None:
    for run in range(20):
        world = World(f"words {run}", method=Method.WORDS)
        phone, watch = world.pairing()
        phone.sees_same = watch.sees_same = None
        Middle(phone, watch, Mallory(method=Method.WORDS)).run()
        assert words_of(phone) != words_of(watch)


@dataclass
class Grinding(Mallory):
    """Opens her commitment towards the phone to a nonce that she found later."""

    found: bytes = b""

    def record(self, sender: object, frame: bytes) -> list[tuple[object, bytes]]:  # type: ignore[override]
        self.my_watch_nonce = self.found or self.random(32)
        return super().record(sender, frame)  # type: ignore[arg-type,return-value]


def test_another_nonce_than_the_committed_one_is_refused() -> None:
    world = World(method=Method.WORDS)
    phone, watch = world.pairing()
    phone.sees_same = watch.sees_same = None
    Middle(phone, watch, Grinding(method=Method.WORDS)).run()
    assert isinstance(phone.error, AuthenticationFailed)
    assert not phone.told(WordsShown)
    assert not world.phone_shelf.book.bonds


@dataclass
class Game:
    """The nonces of one run with Mallory between, at `BITS` bits; hashes are those of the two legs."""

    random: Stream
    phone_hash: bytes = field(init=False)
    watch_hash: bytes = field(init=False)
    phone_nonce: bytes = field(init=False)
    watch_nonce: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.phone_hash, self.watch_hash = self.random(32), self.random(32)
        self.phone_nonce, self.watch_nonce = self.random(32), self.random(32)

    def wins(self, to_watch: bytes, to_phone: bytes) -> bool:
        on_phone = sas(self.phone_hash, self.phone_nonce, to_phone, bits=BITS)
        on_watch = sas(self.watch_hash, to_watch, self.watch_nonce, bits=BITS)
        return on_phone == on_watch


def test_control_without_the_commitment_the_search_succeeds() -> None:
    """She sees the watch's nonce before she has to say the phone's: then she searches, and finds."""
    game, mallory = Game(Stream("control")), Stream("mallory's control")
    to_phone = mallory(32)
    wanted = sas(game.phone_hash, game.phone_nonce, to_phone, bits=BITS)
    for tried in range(BUDGET):
        to_watch = tried.to_bytes(32, "big")
        if sas(game.watch_hash, to_watch, game.watch_nonce, bits=BITS) == wanted:
            break
    assert game.wins(to_watch, to_phone)


def test_with_the_commitment_no_search_helps() -> None:
    """She has to say `to_watch` knowing only the commitment: whatever she picks wins with one chance in 2^16."""
    runs = 20_000
    won = 0
    for run in range(runs):
        game, mallory = Game(Stream(f"game {run}")), Stream(f"mallory {run}")
        won += game.wins(mallory(32), mallory(32))
    # 0.3 are expected; more than 5 would happen once in a million such tests.
    assert won <= 5
