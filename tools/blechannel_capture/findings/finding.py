"""What a finding is, and what looks for one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from blechannel_capture.events import Event


class Level(Enum):
    """How bad it is."""

    ATTACK = "attack"
    """Nobody honest does this: somebody interferes, or a device is broken."""
    WEAKNESS = "weakness"
    """Honest, and weaker than it could be."""
    NOTE = "note"
    """Worth knowing."""


class Certainty(Enum):
    """What the capture allows to say."""

    CERTAIN = "certain"
    INCONCLUSIVE = "inconclusive"
    """The capture has a gap there or is damaged, which explains it as well."""


class Kind(Enum):
    """What is looked for; the values are the names in policies and reports."""

    REPLAY = "replay"
    NONCE_REUSE = "nonce-reuse"
    RECORD_MISSING = "record-missing"
    REORDERED = "reordered"
    ALTERED = "altered"
    CONVERSATION = "conversation"
    MALFORMED = "malformed"
    WEAK_POINT = "weak-point"
    DOWNGRADE = "downgrade"
    GUESSING = "guessing"
    CUT_OFF = "cut-off"
    COPIED_BOND = "copied-bond"
    NOT_RECOGNISED = "not-recognised"
    LINKABLE = "linkable"
    PLAINTEXT = "plaintext"
    LEGACY_PAIRING = "legacy-pairing"
    UNAUTHENTICATED_PAIRING = "unauthenticated-pairing"
    SHORT_KEY = "short-key"
    ZERO_KEY = "zero-key"
    UNKNOWN_KEY = "key-log-does-not-fit"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    kind: Kind
    level: Level
    certainty: Certainty
    packets: tuple[int, ...]
    """The packets that show it, the decisive one last."""
    connection: int
    """The connection's number; 0 where it concerns none."""
    detail: str
    """What happened, for a person."""

    def as_object(self) -> dict[str, Any]:
        """What `json.dumps` takes."""
        return {
            "kind": self.kind.value,
            "level": self.level.value,
            "certainty": self.certainty.value,
            "packets": list(self.packets),
            "connection": self.connection,
            "detail": self.detail,
        }

    def __str__(self) -> str:
        where = f"packet {self.packets[-1]}" if self.packets else "the capture"
        doubt = (
            "" if self.certainty is Certainty.CERTAIN else " (inconclusive: the capture has a gap there, or is damaged)"
        )
        return f"{self.level.value}: {self.kind.value}: {where}: {self.detail}{doubt}"


class Watcher(Protocol):
    """Looks at every event; finds one family of things."""

    def look(self, event: Event) -> Iterator[Finding]:
        """What this event shows, with what came before."""

    def end(self) -> Iterator[Finding]:
        """What only the whole capture shows."""
