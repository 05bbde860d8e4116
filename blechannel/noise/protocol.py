"""Protocol names (specification, section 8) and what follows from one: functions, messages, sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final, NamedTuple, TypeVar

from blechannel.errors import LocalProtocolError
from blechannel.noise.functions import CIPHERS, DH, DHS, HASHES, TAG_BYTES, Cipher, Hash
from blechannel.noise.patterns import Pattern, Tokens, named
from blechannel.values import dataclass

MAX_MESSAGE_BYTES: Final = 65535
"""The longest Noise message (section 3)."""

_NAME = re.compile(r"Noise_([A-Z0-9]+)((?:psk[0-9]\+)*psk[0-9])?" + 3 * r"_([A-Za-z0-9]+)")

Function = TypeVar("Function", DH, Cipher, Hash)


class Message(NamedTuple):
    """One handshake message: its tokens, its psk tokens, and the bytes that it has on top of its payload."""

    tokens: Tokens
    psks: frozenset[str]
    overhead_bytes: int


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a name such as ``Noise_XXpsk3_25519_ChaChaPoly_SHA256`` stands for; build it with `parse`, once.

    `h` is what the name gives as the first handshake hash and chaining key (section 5.2, InitializeSymmetric).
    """

    name: str
    pattern: Pattern
    psks: tuple[int, ...]
    dh: DH
    cipher: Cipher
    hash: Hash
    messages: tuple[Message, ...]
    h: bytes = field(repr=False)

    @classmethod
    def parse(cls, name: str) -> Protocol:
        """Read a protocol name.

        Raises:
            LocalProtocolError: malformed, an unknown pattern or function, a modifier that the pattern has no
                message for, or modifiers that are repeated or not in alphabetical order.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise LocalProtocolError(f"not a Noise protocol name: {name}")
        pattern_name, modifiers, *functions = match.groups()
        psks = tuple(int(modifier[-1]) for modifier in (modifiers or "").split("+") if modifier)
        if list(psks) != sorted(set(psks)):
            raise LocalProtocolError(f"modifiers are written once each and in order: {name}")
        pattern = named(pattern_name)
        for number in psks:
            pattern = pattern.with_psk(number)
        dh, cipher, hash_ = _of(DHS, functions[0]), _of(CIPHERS, functions[1]), _of(HASHES, functions[2])
        messages = _sized(pattern, dh.length_bytes, psk_mode=bool(psks))
        return cls(name, pattern, psks, dh, cipher, hash_, messages, _first_hash(name.encode(), hash_))


def _of(functions: Mapping[str, Function], name: str) -> Function:
    if name not in functions:
        raise LocalProtocolError(f"unknown function {name}, not one of {', '.join(functions)}")
    return functions[name]


def _first_hash(name: bytes, hash_: Hash) -> bytes:
    fits = len(name) <= hash_.length_bytes
    return name.ljust(hash_.length_bytes, b"\0") if fits else hash_.new(name).digest()


def _sized(pattern: Pattern, key_bytes: int, *, psk_mode: bool) -> tuple[Message, ...]:
    """Each message with its overhead: public keys, and tags from the first mixed key on (psk mode: 9.2)."""
    messages, keyed = [], False
    for tokens in pattern.messages:
        size = 0
        for token in tokens:
            if token == "e":
                size += key_bytes
                keyed = keyed or psk_mode
            elif token == "s":
                size += key_bytes + TAG_BYTES * keyed
            else:
                keyed = True
        psks = frozenset(token for token in tokens if token.startswith("psk"))
        messages.append(Message(tokens, psks, size + TAG_BYTES * keyed))
    return tuple(messages)
