"""One direction's records opened in order, over gaps in the capture (protocol, "Records")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag

from blechannel.noise import CHACHAPOLY, CipherState
from blechannel.session.records import REKEY_EVERY
from blechannel.wire.header import FRAME_HEADER_BYTES

_PADDING: Final = b"\0"
_HEADER, _SEALED = slice(FRAME_HEADER_BYTES), slice(FRAME_HEADER_BYTES, None)
SKIPPED: Final = 512
"""How many records may be missing before one that is still found."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A record that was opened."""

    number: int
    content: bytes
    """`body ‖ type`, without padding."""
    skipped: int = 0
    """How many numbers before it were never seen."""
    is_late: bool = False
    """Whether it is one of those that were skipped."""
    is_reused: bool = False
    """Whether its number was used before."""


class Opener:
    """Counts records as the sender does."""

    def __init__(self, keys: CipherState) -> None:
        self._keys = keys
        self._decrypt, self._nonce = keys.aead.decrypt, keys.nonce
        """Those of `_keys`, bound once for speed."""
        self._rekeyed = 0
        self._skipped: set[int] = set()
        """Numbers among the last `SKIPPED` that were not seen."""
        self.next = 0
        """The number of the next record."""

    def open_next(self, frame: bytes) -> bytes | None:
        """The content of the record with the next number and the same key; None where `frame` is another.

        All that is needed where nothing is missing, and therefore apart.
        """
        number = self.next
        if number // REKEY_EVERY != self._rekeyed:
            return None
        try:
            content = self._decrypt(self._nonce(number), frame[_SEALED], frame[_HEADER])
        except InvalidTag:
            return None
        self.next = number + 1
        return content.rstrip(_PADDING)

    def open(self, frame: bytes) -> Opened | None:
        """The record, found by trying the numbers from the next one on, then those before; None where none fits."""
        keys, rekeyed = self._keys, self._rekeyed
        for number in range(self.next, self.next + SKIPPED + 1):
            if number // REKEY_EVERY > rekeyed:
                keys, rekeyed = _rekeyed(keys), rekeyed + 1
            content = _content(keys, number, frame)
            if content is not None:
                first, self.next = self.next, number + 1
                self._keys, self._rekeyed = keys, rekeyed
                self._decrypt = keys.aead.decrypt
                if first != number:
                    self._skip(range(first, number))
                return Opened(number, content, number - first)
        first = max(self.next - SKIPPED, self._rekeyed * REKEY_EVERY)
        for number in range(first, self.next):
            if (content := _content(self._keys, number, frame)) is not None:
                is_late = number in self._skipped
                self._skipped.discard(number)
                return Opened(number, content, is_late=is_late, is_reused=not is_late)
        return None

    def _skip(self, numbers: range) -> None:
        self._skipped = {each for each in self._skipped if each >= self.next - SKIPPED} | set(numbers)


def _content(keys: CipherState, number: int, frame: bytes) -> bytes | None:
    try:
        content = keys.aead.decrypt(keys.nonce(number), frame[_SEALED], frame[_HEADER])
    except InvalidTag:
        return None
    return content.rstrip(_PADDING)


def _rekeyed(keys: CipherState) -> CipherState:
    following = CipherState(CHACHAPOLY, keys.k)
    following.rekey()
    return following
