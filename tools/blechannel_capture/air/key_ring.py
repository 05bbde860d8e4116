"""The link keys that are known: given, found in another capture, or met on the air."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from blechannel_capture.errors import CaptureError

KEY_BYTES: Final = 16
MAX_SEARCHES: Final = 4
MAX_KEYS: Final = 256
"""Each is tried on whatever is sealed; of more the oldest are forgotten."""


@dataclass(slots=True)
class KeyRing:
    """Keys, most significant byte first, each with where it comes from."""

    keys: dict[bytes, str] = field(default_factory=dict, repr=False)
    search_passkeys: bool = True
    """Whether legacy pairing's passkey is searched."""
    searches_left: int = MAX_SEARCHES
    """Each takes some ten seconds where nothing is found; a capture may hold any number of pairings."""

    def add(self, key: bytes, source: str) -> None:
        """Know one key more.

        Raises:
            CaptureError: not 16 bytes.
        """
        if len(key) != KEY_BYTES:
            raise CaptureError(f"a link key has {KEY_BYTES} bytes, this one has {len(key)}")
        self.keys.setdefault(key, source)
        if len(self.keys) > MAX_KEYS:
            del self.keys[next(iter(self.keys))]

    def may_search(self, *, is_short: bool) -> bool:
        """Whether a passkey may be searched now; a search of one key costs nothing."""
        if not self.search_passkeys or is_short:
            return self.search_passkeys
        self.searches_left -= 1
        return self.searches_left >= 0

    def newest_first(self) -> list[tuple[bytes, str]]:
        """Every key and its source; what was met last is most likely to be in use."""
        return list(reversed(self.keys.items()))
