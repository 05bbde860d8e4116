"""What a pairing's psk is made of: one secret a method, and with the hybrid suite one more (protocol, "Pairing").

Both sides of a method are alike: a share goes into m1 or m2, the peer's share comes back, a secret results.
"""

from __future__ import annotations

from typing import Final, Protocol

from blechannel.errors import AuthenticationFailed, MalformedFrame
from blechannel.pairing.cpace import CPace
from blechannel.pairing.keys import CHANNEL_IDENTIFIER
from blechannel.pairing.window import NO_SECRET
from blechannel.roles import Role
from blechannel.session.script import Talk

SHARE_BYTES: Final = 32
ISK_BYTES: Final = 64
NO_SHARE: Final = bytes(SHARE_BYTES)


class Agreement(Protocol):
    """How the two sides come to X."""

    @property
    def share(self) -> bytes:
        """32 bytes for the peer."""

    def agree(self, peer_share: bytes) -> bytes:
        """X; raises MalformedFrame when the peer's share is none of this method."""


class CodeAgreement:
    """passkey: CPace under the code."""

    def __init__(self, talk: Talk, role: Role, code: str, *, sid: bytes) -> None:
        self._cpace = CPace(prs=code.encode(), ci=CHANNEL_IDENTIFIER, sid=sid, random=talk.random)
        self._role = role
        self._random = talk.random

    @property
    def share(self) -> bytes:
        """See Agreement."""
        return self._cpace.share

    def agree(self, peer_share: bytes) -> bytes:
        """The ISK, 64 bytes. A bad point gives a secret that nobody shares: the run then ends as with a wrong code,
        with the same bytes on the air and the same guess spent."""
        unshared = self._random(ISK_BYTES)
        try:
            return self._cpace.derive(peer_share, initiator=self._role.is_initiator)
        except AuthenticationFailed:
            return unshared


class CarriedAgreement:
    """out of band: the secret was carried by a person; words and certificate: there is none."""

    def __init__(self, secret: bytes = NO_SECRET) -> None:
        self._secret = secret

    @property
    def share(self) -> bytes:
        """See Agreement."""
        return NO_SHARE

    def agree(self, peer_share: bytes) -> bytes:
        """The secret, 32 bytes."""
        if peer_share != NO_SHARE:
            raise MalformedFrame("a share where the method has none")
        return self._secret
