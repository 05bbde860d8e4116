"""Key logs: the secrets of sessions by INFO's nonce (`blechannel.session.trace` says how a line is made)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from blechannel.roles import Role
from blechannel.session.trace import LABEL
from blechannel_capture.errors import CaptureError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 16
MAX_LINE_CHARACTERS: Final = 1000


class Kind(Enum):
    """Which handshake a line belongs to, and how many keys it has."""

    PAIR = "PAIR"
    RECONNECT = "RECONNECT"

    @property
    def count(self) -> int:
        """Ephemeral, static, psk; for a reconnect the peer's static public key before the psk."""
        return 3 if self is Kind.PAIR else 4


@dataclass(frozen=True, slots=True)
class Secrets:
    """One side's secrets of one handshake."""

    kind: Kind
    role: Role
    ephemeral: bytes = field(repr=False)
    static: bytes = field(repr=False)
    psk: bytes = field(repr=False)
    peer_static: bytes = b""
    """Public; of a reconnect only."""


KeyLog = dict[bytes, list[Secrets]]
"""By INFO's nonce."""


def read_key_log(lines: Iterable[str]) -> KeyLog:
    """The secrets in those lines; empty ones, comments and other programs' labels are skipped.

    Raises:
        CaptureError: a line of ours that is none; it names the line's number and shows nothing of it.
    """
    found: KeyLog = {}
    for number, line in enumerate(lines, 1):
        columns = line[:MAX_LINE_CHARACTERS].split()
        if not columns or not columns[0].startswith(LABEL + "_"):
            continue
        try:
            nonce, secrets = _parsed(columns)
        except (ValueError, KeyError):
            raise CaptureError(f"line {number} of the key log is damaged") from None
        found.setdefault(nonce, []).append(secrets)
    return found


def load_key_log(path: str | Path) -> KeyLog:
    """The key log in that file.

    Raises:
        CaptureError: a line is damaged, or it is no text.
        OSError: the file cannot be read.
    """
    try:
        with Path(path).open(encoding="ascii") as lines:
            return read_key_log(lines)
    except UnicodeDecodeError as error:
        raise CaptureError(f"{path} is no key log: it is no text") from error


def _parsed(columns: list[str]) -> tuple[bytes, Secrets]:
    label, nonce, keys = columns
    _, kind_name, role_name = label.split("_")
    kind, role = Kind(kind_name), Role[role_name]
    raw = bytes.fromhex(keys)
    if len(raw) != kind.count * KEY_BYTES or len(bytes.fromhex(nonce)) != NONCE_BYTES:
        raise ValueError
    parts = [raw[at : at + KEY_BYTES] for at in range(0, len(raw), KEY_BYTES)]
    peer = parts[2] if kind is Kind.RECONNECT else b""
    return bytes.fromhex(nonce), Secrets(kind, role, parts[0], parts[1], parts[-1], peer)
