"""Bonds: what two sides remember of each other. How that memory changes is in `changes`.

The whole memory of one side is a `BondBook`, an immutable value: sessions read it, stores publish it.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Mapping
from dataclasses import field
from typing import Final, Protocol

from blechannel.errors import BondError, BondNotFound
from blechannel.limits import MAX_BONDS, MAX_LINKS, MAX_NAME_BYTES, MAX_PHONE_BONDS, RETIRED_HINT_KEYS
from blechannel.methods import Method, Suite
from blechannel.pairing.access import Access
from blechannel.roles import Role
from blechannel.values import dataclass

KEY_BYTES: Final = 32
BOND_ID_BYTES: Final = 16
MAX_COUNT: Final = 2**63 - 1
"""What a store holds as one integer."""


def _require(fits: bool, what: str) -> None:
    if not fits:
        raise BondError(what)


def _name_fits(name: str) -> bool:
    try:
        return len(name.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True, slots=True)
class Epoch:
    """The keys of one reconnect. Each reconnect replaces them.

    Raises:
        BondError: a number or a length is outside what is said below.
    """

    number: int
    psk: bytes = field(repr=False)
    """32 bytes: mixed into the next handshake and into the keys of the next epoch."""
    hint_key: bytes = field(repr=False)
    """32 bytes: authenticates the first message, so that the watch finds the bond without decrypting."""

    def __post_init__(self) -> None:
        _require(0 <= self.number <= MAX_COUNT, "an epoch's number is out of range")
        _require(len(self.psk) == len(self.hint_key) == KEY_BYTES, "an epoch's keys are 32 bytes each")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """One remembered peer.

    Raises:
        BondError: a number or a length is outside what is said below: what is stored can be read again.
    """

    bond_id: bytes
    """16 random bytes, local to this side; never on the air."""
    role: Role
    """The role that this side plays in the bond."""
    peer_name: str
    """At most 48 bytes of UTF-8."""
    method: Method
    suite: Suite
    version: int
    """Highest protocol version used with this peer, 1 to 255; a lower one is refused."""
    own_static: bytes = field(repr=False)
    """32 bytes: this side's X25519 private key, made for this bond alone."""
    peer_static: bytes = field(repr=False)
    """32 bytes: the peer's X25519 public key, made for this bond alone."""
    epoch: Epoch
    peer_certificate: bytes = b""
    """SHA-256 of the certificate that the peer proved to have when it paired; empty where it showed none."""
    candidates: tuple[Epoch, ...] = ()
    """Watch: at most 4 next epochs that were offered and not yet confirmed, oldest first."""
    retired: tuple[bytes, ...] = field(default=(), repr=False)
    """Watch: the last 16 hint keys that it left or dropped, oldest first; one seen again is evidence of a copy."""
    discovery_key: bytes = field(default=b"", repr=False)
    """Phone: 32 bytes, resolves the watch's advertisements; empty until the watch has sent it."""
    pending: bool = False
    """Phone: stored before the watch confirmed."""
    replaces: bytes | None = None
    """Phone: the older bond with the same watch, kept until this one is confirmed."""
    created_s: float = 0.0
    """Seconds since 1970 on this side's wall clock; 0 where it has none."""
    last_seen_s: float = 0.0
    access: Access = field(default_factory=Access)
    """Watch: what this phone may do."""
    copied_s: float | None = None
    """When it became certain that this bond had been copied or put back; None while it is not. Stays."""
    not_recognised_s: float | None = None
    """Phone: since when the watch has refused this bond. Nobody signed the refusal; a reconnect clears it."""

    def __post_init__(self) -> None:
        keys = (self.own_static, self.peer_static, *self.retired, self.discovery_key or bytes(KEY_BYTES))
        ids = (self.bond_id, self.bond_id if self.replaces is None else self.replaces)
        _require(all(len(key) == KEY_BYTES for key in keys), "a bond's keys are 32 bytes each")
        _require(all(len(name) == BOND_ID_BYTES for name in ids), "a bond's identity is 16 bytes")
        _require(len(self.peer_certificate) in (0, KEY_BYTES), "a certificate is remembered by 32 bytes")
        _require(_name_fits(self.peer_name), f"a name is at most {MAX_NAME_BYTES} bytes of UTF-8")
        _require(1 <= self.version <= 255, "a bond's version is 1 to 255")
        _require(len(self.candidates) <= MAX_LINKS, f"a bond keeps at most {MAX_LINKS} candidates")
        _require(len(self.retired) <= RETIRED_HINT_KEYS, f"a bond keeps {RETIRED_HINT_KEYS} retired keys")
        times = (self.created_s, self.last_seen_s, self.copied_s or 0.0, self.not_recognised_s or 0.0)
        _require(all(map(math.isfinite, times)), "a bond's times are finite")

    @property
    def assurance(self) -> str:
        """What the pairing proved, for people."""
        return _PROVEN[self.method]

    def knows(self, hint_key: bytes) -> bool:
        """Whether this hint key is that of the current epoch or of a candidate."""
        return any(hmac.compare_digest(hint_key, e.hint_key) for e in (self.epoch, *self.candidates))


_PROVEN: Final = {
    Method.PASSKEY: "6-digit code, one guess a try",
    Method.WORDS: "words compared on both screens",
    Method.OUT_OF_BAND: "secret carried by tag or QR code",
    Method.CERTIFICATE: "certificate on the list",
}


@dataclass(frozen=True, slots=True)
class BondBook:
    """Everything that one side remembers.

    Raises:
        BondError: a number or a length is outside what is said below.
    """

    bonds: Mapping[bytes, Bond] = field(default_factory=dict)
    guesses_spent: int = 0
    """Codes that were tried and not proven right since the last reset, on either side; survives restarts."""
    discovery_key: bytes = field(default=b"", repr=False)
    """Watch: 32 bytes; keys the advertisement that bonded phones resolve. Empty until it was made."""

    def __post_init__(self) -> None:
        _require(len(self.bonds) <= MAX_PHONE_BONDS, f"no room: {MAX_PHONE_BONDS} bonds are stored; forget one first")
        of_watch = sum(bond.role is Role.WATCH for bond in self.bonds.values())
        _require(of_watch <= MAX_BONDS, f"no room: {MAX_BONDS} bonds are stored; forget one first")
        _require(0 <= self.guesses_spent <= MAX_COUNT, "the count of guesses is out of range")
        _require(len(self.discovery_key) in (0, KEY_BYTES), "a discovery key is 32 bytes")
        _require(sum(bond.access.is_owner for bond in self.bonds.values()) <= 1, "a watch has one owner")

    @property
    def owner(self) -> Bond | None:
        """Watch: the bond of the owner's phone."""
        return next((bond for bond in self.bonds.values() if bond.access.is_owner), None)

    @property
    def time_floor_s(self) -> float:
        """The latest moment that this side is sure to be past, in seconds since 1970: for a device without a clock."""
        return max((max(bond.created_s, bond.last_seen_s) for bond in self.bonds.values()), default=0.0)

    def bond(self, bond_id: bytes) -> Bond:
        """Raises BondNotFound."""
        try:
            return self.bonds[bond_id]
        except KeyError:
            raise BondNotFound(f"no bond {bond_id.hex()[:8]}") from None


class BookView(Protocol):
    """Something that shows the newest durable book."""

    @property
    def book(self) -> BondBook:
        """The book as it is on disk now."""
