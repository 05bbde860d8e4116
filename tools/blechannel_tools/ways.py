"""The words of the command line for pairing methods, and what each tells the person to do, in one line a device."""

from __future__ import annotations

import argparse
from typing import Final

from blechannel.errors import BlechannelError, PairingRefused
from blechannel.methods import Method

METHODS: Final = {
    "passkey": Method.PASSKEY,
    "words": Method.WORDS,
    "oob": Method.OUT_OF_BAND,
    "certificate": Method.CERTIFICATE,
}

ON_WATCH: Final = {
    Method.PASSKEY: "type this code on the phone",
    Method.WORDS: "start pairing by words on the phone",
    Method.OUT_OF_BAND: "scan this code with the phone, or hold the phone to the tag",
    Method.CERTIFICATE: "start pairing by certificate on the phone",
}
ON_PHONE: Final = {
    Method.PASSKEY: "type the six digits that the watch shows",
    Method.WORDS: "compare the words on both devices, in their order",
    Method.OUT_OF_BAND: "scan the watch's code, or hold the phone to its tag",
}
ENDED_BY_WATCH: Final = {
    Method.WORDS: "the watch's person saw other words, or did not answer: start again, and compare all of them",
    Method.OUT_OF_BAND: "the watch did not take the ticket, which is good for one window: scan what it shows now",
    Method.CERTIFICATE: "the watch did not take this phone's certificate, and says why: there, "
    "`blechannel identity list --role watch` shows whom it trusts, "
    "and `blechannel identity trust FILE --role watch` adds",
}
ENDED_BY_PHONE: Final = {
    Method.WORDS: "its person saw other words, or did not answer: start again, and compare all of them",
    Method.OUT_OF_BAND: "it has another window's ticket: scan what is shown now",
    Method.CERTIFICATE: "it did not take this watch's certificate, and says why: there, "
    "`blechannel identity list` shows whom it trusts, and `blechannel identity trust FILE` adds",
}
"""A peer says only that it ended the pairing: what that means with each method but the code."""


ANOTHER_METHOD: Final = (
    "the watch's window is for another method, or these devices have no version or suite in common: "
)
"""What a phone is to make of a refusal that says *unsupported*; what to do follows."""


def ended(error: BlechannelError, meanings: dict[Method, str], chosen: Method | None) -> str:
    """What `error` means in a pairing by this method, and what to do; its own words where they say it."""
    reason = error.reason if isinstance(error, PairingRefused) else ""
    if reason == "unsupported":
        return f"{ANOTHER_METHOD}look at what the watch shows, and choose --method {', '.join(METHODS)}"
    meaning = meanings.get(chosen) if reason == "failed" and chosen else None
    return meaning or str(error)


def method(text: str) -> Method:
    """A method by its word, for argparse."""
    try:
        return METHODS[text]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{text!r} is no method: {', '.join(METHODS)}") from None


def methods(text: str) -> list[Method]:
    """Methods by their words, separated by commas, for argparse."""
    return [method(word) for word in text.split(",")]


def word_of(chosen: Method) -> str:
    """The command line's word for a method."""
    return next(word for word, known in METHODS.items() if known is chosen)


def says_yes(answer: str) -> bool | None:
    """What a person means; None where it is neither yes nor no."""
    return {"y": True, "yes": True, "n": False, "no": False}.get(answer.strip().lower())
