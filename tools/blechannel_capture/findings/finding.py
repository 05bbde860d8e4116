"""What a finding is, and what looks for one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

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
    REFLECTION = "reflection"
    COMMITMENT = "commitment"
    DOWNGRADE = "downgrade"
    GUESSING = "guessing"
    REFUSED = "refused"
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


MEANINGS: Final = {
    Kind.REPLAY: "Something was sent again that may be said only once.",
    Kind.NONCE_REUSE: "Two records were sealed under one number: what they hold is no longer secret.",
    Kind.RECORD_MISSING: "A record is missing, and nothing that the capture lacks explains it.",
    Kind.REORDERED: "Records came in another order than they were sealed in.",
    Kind.ALTERED: "A record does not open, although its key is known: it was changed, injected or damaged.",
    Kind.CONVERSATION: "Something was said that the conversation does not allow there.",
    Kind.MALFORMED: "Bytes on our characteristics that are nothing of this protocol.",
    Kind.WEAK_POINT: "A public key of low order, with which a shared secret is known to everybody.",
    Kind.REFLECTION: "Somebody was answered with a key or share of his own.",
    Kind.COMMITMENT: "The watch opened another nonce than the one it had committed itself to.",
    Kind.DOWNGRADE: "Less was agreed on than both sides can do.",
    Kind.GUESSING: "Many pairings ended after the phone's proof: somebody may be guessing codes.",
    Kind.REFUSED: "One side refused the handshake: a wrong code does so, and so does somebody in between who fails.",
    Kind.CUT_OFF: "A session ended without the authenticated word that it ends.",
    Kind.COPIED_BOND: "There is evidence that a bond was copied or put back.",
    Kind.NOT_RECOGNISED: "A phone came with a bond that the watch does not know.",
    Kind.LINKABLE: "Something makes a device recognisable to everybody who listens.",
    Kind.PLAINTEXT: "Something that should be sealed passed in the clear.",
    Kind.LEGACY_PAIRING: "The link was paired by a method whose key a listener can compute.",
    Kind.UNAUTHENTICATED_PAIRING: "The link was paired without protection against somebody in the middle.",
    Kind.SHORT_KEY: "The link's key is shorter than 16 bytes.",
    Kind.ZERO_KEY: "The link's key is zero.",
    Kind.UNKNOWN_KEY: "The key log does not fit what was said.",
}
"""For people, of every kind."""


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
