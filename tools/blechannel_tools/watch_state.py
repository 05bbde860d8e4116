"""What a watch's face shows, and what a watch tells, as values."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from blechannel_tools.output import Event, Lines

NEWS_KEPT = 4


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told, to people and to programs."""

    event: Event
    shown: str | Lines
    facts: dict[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Menu:
    """Something to choose from, which takes the whole face; texts from peers among it."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    keys: str


@dataclass(slots=True)
class Shown:
    """What the face shows; texts from peers among them."""

    name: str
    address: str
    code: str = field(default="", repr=False)
    ticket: str = field(default="", repr=False)
    """A QR code, as lines of text."""
    menu: Menu | None = None
    words: tuple[str, ...] = field(default=(), repr=False)
    what_to_do: str = ""
    """The one line that tells the person what to do with what is shown."""
    attempts_left: int = 0
    seconds_left: int = 0
    locked_s: int = 0
    """How long pairing by code or words is locked, after tries that failed."""
    bonds: int = 0
    connected: list[str] = field(default_factory=list)
    receiving_bytes: int = 0
    news: deque[str] = field(default_factory=lambda: deque(maxlen=NEWS_KEPT))
    keys: bool = False
    methods: tuple[str, ...] = ()
    """The words for how phones may pair, in the order of their keys."""
