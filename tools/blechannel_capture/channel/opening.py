"""One direction's records opened in order, over gaps in the capture (protocol, "Records")."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag

from blechannel.noise import CHACHAPOLY, CipherState
from blechannel.session.records import REKEY_EVERY
from blechannel.wire.header import FRAME_HEADER_BYTES

SKIPPED: Final = 512
"""How many records may be missing before one that is still found."""


class Opener:
    """Counts records as the sender does."""

    def __init__(self, keys: CipherState) -> None:
        self._keys = keys
        self._rekeyed = 0
        self.next = 0
        """The number of the next record."""

    def open(self, frame: bytes, *, may_skip: bool) -> tuple[int, bytes] | None:
        """The record's number and `body ‖ type`, without padding; None where it does not open.

        `may_skip`: records may be missing before it, so that later numbers are tried, too.
        """
        header, sealed = frame[:FRAME_HEADER_BYTES], frame[FRAME_HEADER_BYTES:]
        last = self.next + (SKIPPED if may_skip else 0)
        keys, rekeyed = self._keys, self._rekeyed
        for number in range(self.next, last + 1):
            if number // REKEY_EVERY > rekeyed:
                keys, rekeyed = _rekeyed(keys), rekeyed + 1
            try:
                content = keys.aead.decrypt(keys.nonce(number), sealed, header)
            except InvalidTag:
                continue
            self._keys, self._rekeyed, self.next = keys, rekeyed, number + 1
            return number, content.rstrip(b"\0")
        return None


def _rekeyed(keys: CipherState) -> CipherState:
    following = CipherState(CHACHAPOLY, keys.k)
    following.rekey()
    return following
