"""How a pairing can be authenticated, and what its keys are made of. The numbers are those of the wire."""

from __future__ import annotations

from enum import IntEnum


class Assurance(IntEnum):
    """What a pairing proved about the peer, the weakest first; for policies that ask for a minimum."""

    LISTED = 1
    """A device on the allow-list; no person said which of them."""
    CODE = 2
    """A person typed a code: one guess in a million a try."""
    COMPARED = 3
    """A person compared words on both screens: one chance in 2^30 a try."""
    CARRIED = 4
    """A person carried a secret from one device to the other: nothing to guess."""


class Method(IntEnum):
    """How a pairing is authenticated."""

    PASSKEY = 1
    """The person types on the phone the six digits that the watch shows."""
    WORDS = 2
    """The person compares words on both screens and confirms on both."""
    OUT_OF_BAND = 3
    """The person carries a one-time secret from the watch to the phone: an NFC tag or a QR code."""
    CERTIFICATE = 4
    """Both devices show a certificate that the other has on its list; the person only opens the window."""

    @property
    def assurance(self) -> Assurance:
        """What a pairing by this method proves."""
        return _ASSURANCE[self]

    @property
    def costs_a_guess(self) -> bool:
        """Whether a run can be won by guessing, and therefore counts.

        Words count too, although their m3 always verifies: else they would buy passkey guesses.
        """
        return self in (Method.PASSKEY, Method.WORDS)


_ASSURANCE = {
    Method.PASSKEY: Assurance.CODE,
    Method.WORDS: Assurance.COMPARED,
    Method.OUT_OF_BAND: Assurance.CARRIED,
    Method.CERTIFICATE: Assurance.LISTED,
}


class Suite(IntEnum):
    """What the key agreement is made of; higher is stronger."""

    CLASSICAL = 1
    """X25519."""
    HYBRID = 2
    """X25519 and ML-KEM-768: what is recorded today stays closed to a quantum computer of later."""
