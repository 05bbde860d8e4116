"""Handshake patterns, in the notation of the Noise Protocol Framework, revision 34 (sections 7 and 18).

An arrow opens a message, ``->`` from the initiator and ``<-`` from the responder; what stands before ``...``
are pre-messages: public keys that the other side knows beforehand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from blechannel.errors import LocalProtocolError

Tokens = tuple[str, ...]
"""One message's tokens: ``e s ee es se ss`` and ``psk0`` to ``psk4``.

The specification writes every psk token as ``psk``; here its modifier's number stays, to name its key.
"""

PATTERNS: Final[dict[str, str]] = {
    # One-way (7.4)
    "N": "<- s  ...  -> e, es",
    "K": "-> s  <- s  ...  -> e, es, ss",
    "X": "<- s  ...  -> e, es, s, ss",
    # Interactive, fundamental (7.5)
    "NN": "-> e  <- e, ee",
    "NK": "<- s  ...  -> e, es  <- e, ee",
    "NX": "-> e  <- e, ee, s, es",
    "KN": "-> s  ...  -> e  <- e, ee, se",
    "KK": "-> s  <- s  ...  -> e, es, ss  <- e, ee, se",
    "KX": "-> s  ...  -> e  <- e, ee, se, s, es",
    "XN": "-> e  <- e, ee  -> s, se",
    "XK": "<- s  ...  -> e, es  <- e, ee  -> s, se",
    "XX": "-> e  <- e, ee, s, es  -> s, se",
    "IN": "-> e, s  <- e, ee, se",
    "IK": "<- s  ...  -> e, es, s, ss  <- e, ee, se",
    "IX": "-> e, s  <- e, ee, se, s, es",
    # Interactive, deferred (7.6, 18.1): the authenticating DH comes one message later than it could
    "NK1": "<- s  ...  -> e  <- e, ee, es",
    "NX1": "-> e  <- e, ee, s  -> es",
    "X1N": "-> e  <- e, ee  -> s  <- se",
    "X1K": "<- s  ...  -> e, es  <- e, ee  -> s  <- se",
    "XK1": "<- s  ...  -> e  <- e, ee, es  -> s, se",
    "X1K1": "<- s  ...  -> e  <- e, ee, es  -> s  <- se",
    "X1X": "-> e  <- e, ee, s, es  -> s  <- se",
    "XX1": "-> e  <- e, ee, s  -> es, s, se",
    "X1X1": "-> e  <- e, ee, s  -> es, s  <- se",
    "K1N": "-> s  ...  -> e  <- e, ee  -> se",
    "K1K": "-> s  <- s  ...  -> e, es  <- e, ee  -> se",
    "KK1": "-> s  <- s  ...  -> e  <- e, ee, se, es",
    "K1K1": "-> s  <- s  ...  -> e  <- e, ee, es  -> se",
    "K1X": "-> s  ...  -> e  <- e, ee, s, es  -> se",
    "KX1": "-> s  ...  -> e  <- e, ee, se, s  -> es",
    "K1X1": "-> s  ...  -> e  <- e, ee, s  -> se, es",
    "I1N": "-> e, s  <- e, ee  -> se",
    "I1K": "<- s  ...  -> e, es, s  <- e, ee  -> se",
    "IK1": "<- s  ...  -> e, s  <- e, ee, se, es",
    "I1K1": "<- s  ...  -> e, s  <- e, ee, es  -> se",
    "I1X": "-> e, s  <- e, ee, s, es  -> se",
    "IX1": "-> e, s  <- e, ee, se, s  -> es",
    "I1X1": "-> e, s  <- e, ee, s  -> se, es",
}

_MESSAGE = re.compile(r"(->|<-) ([a-z, ]+)")


@dataclass(frozen=True)
class Pattern:
    """A handshake pattern: each side's pre-message, then the messages in turn, the initiator's first."""

    initiator_pre_message: Tokens
    responder_pre_message: Tokens
    messages: tuple[Tokens, ...]

    @property
    def is_one_way(self) -> bool:
        """Whether only the initiator ever sends (7.4)."""
        return len(self.messages) == 1

    def needs_static(self, *, initiator: bool) -> bool:
        """Whether this side must have a static key pair before it starts."""
        return self._statics[0 if initiator else 1]

    @cached_property
    def _statics(self) -> tuple[bool, bool]:
        initiator = (self.initiator_pre_message, *self.messages[0::2])
        responder = (self.responder_pre_message, *self.messages[1::2])
        return any("s" in tokens for tokens in initiator), any("s" in tokens for tokens in responder)

    def knows_remote_static(self, *, initiator: bool) -> bool:
        """Whether this side must have the other's static public key before it starts."""
        return bool(self.responder_pre_message if initiator else self.initiator_pre_message)

    def with_psk(self, number: int) -> Pattern:
        """Apply the modifier psk`number` (9.4): 0 is the start of the first message, n the end of the n-th.

        Raises:
            LocalProtocolError: the pattern has fewer messages.
        """
        index = max(number - 1, 0)
        if index >= len(self.messages):
            raise LocalProtocolError(f"psk{number} needs a pattern with at least {number} messages")
        token, tokens = (f"psk{number}",), self.messages[index]
        changed = token + tokens if number == 0 else tokens + token
        return replace(self, messages=(*self.messages[:index], changed, *self.messages[index + 1 :]))


def named(name: str) -> Pattern:
    """Read the pattern of this name, without modifiers, from `PATTERNS`.

    Raises:
        LocalProtocolError: there is no such pattern.
    """
    if name not in PATTERNS:
        raise LocalProtocolError(f"unknown handshake pattern: {name}")
    before, _, after = PATTERNS[name].rpartition("...")
    known = {arrow: tuple(tokens.split()) for arrow, tokens in _MESSAGE.findall(before)}
    messages = tuple(tuple(re.findall(r"\w+", tokens)) for _, tokens in _MESSAGE.findall(after))
    return Pattern(known.get("->", ()), known.get("<-", ()), messages)
