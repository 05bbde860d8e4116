"""How a handshake is written down: as a generator that reads like the protocol, from the first message to the last.

A script says frames through `Talk` and yields what it waits for. The session drives it and holds every step to the
conversation table; the script never sees a clock, a store or a fragment.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol, TypeVar, cast

from blechannel.noise import Transport
from blechannel.pairing.changes import Change
from blechannel.session.events import Event
from blechannel.values import dataclass
from blechannel.wire.frames import Body, Frame, Hello, Info

Heard = TypeVar("Heard")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True)
class Hear:
    """Waits for the peer's next frame or record; the table says which may come."""

    person: bool = False
    """Whether a person may have to act first."""


@dataclass(frozen=True, slots=True)
class Store:
    """Waits until a change is durable."""

    change: Change


@dataclass(frozen=True, slots=True)
class AskCode:
    """Waits for a person to type a code."""


@dataclass(frozen=True, slots=True)
class ShowWords:
    """Shows words to a person and goes on; from now on the person may answer."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskWhetherSame:
    """Waits until the person has said that the other screen shows the same words; anything else ends the session."""


Wait = Hear | Store | AskCode | ShowWords | AskWhetherSame


@dataclass(frozen=True, slots=True)
class Outcome:
    """A handshake that succeeded."""

    bond_id: bytes
    hint_key: bytes
    """Of the epoch that the session belongs to: when the bond moves on, the session ends."""
    resumed: bool
    handshake_hash: bytes


Script = Generator[Wait, object, Outcome]


class Talk(Protocol):
    """What a script may do."""

    def random(self, count: int) -> bytes:
        """That many secret uniform bytes."""

    def now(self) -> float:
        """The moment of the step under way, in seconds of the monotonic clock."""

    def say(self, said: Frame | Body) -> None:
        """Send a frame, or a record once keys are installed."""

    def info(self) -> bytes:
        """This connection's INFO frame, exactly as on the air."""

    def peer_takes(self, limits: Info | Hello) -> None:
        """What the peer's INFO or HELLO allows; raises FragmentRefused when that is out of range."""

    def install(self, transport: Transport) -> None:
        """Seal and open with these keys from now on."""

    def belong(self, bond_id: bytes, hint_key: bytes) -> None:
        """From now on the session ends as soon as the bond no longer knows this hint key."""

    def log_keys(self, kind: str, *keys: bytes) -> None:
        """Offer a handshake's secrets to the key log."""

    def tell(self, event: Event) -> None:
        """Tell the session's owner."""


def hear(_expected: type[Heard], *, person: bool = False) -> Generator[Wait, object, Heard]:
    """Wait for the peer's frame; the table has no row for any but the one expected here."""
    return cast(Heard, (yield Hear(person)))


def hear_either(_first: type[Heard], _second: type[Other], *, person: bool) -> Generator[Wait, object, Heard | Other]:
    """Wait for the peer's frame, where the table has a row for two."""
    return cast("Heard | Other", (yield Hear(person)))


def store(change: Change) -> Generator[Wait, object, None]:
    """Wait until `change` is durable; a store that fails ends the session here."""
    yield Store(change)


def show_words(words: tuple[str, ...]) -> Generator[Wait, object, None]:
    """Show words to the person, who may answer from now on."""
    yield ShowWords(words)


def ask_whether_same() -> Generator[Wait, object, None]:
    """Wait for the person's yes, which may have come already; a no ends the session."""
    yield AskWhetherSame()


def ask_code() -> Generator[Wait, object, str]:
    """Wait for the person's code."""
    return cast(str, (yield AskCode()))
