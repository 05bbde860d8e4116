"""The words of the command line for pairing methods, and what each tells the person to do, in one line a device."""

from __future__ import annotations

import argparse
from typing import Final

from blechannel.methods import Method

METHODS: Final = {
    "passkey": Method.PASSKEY,
    "words": Method.WORDS,
    "oob": Method.OUT_OF_BAND,
    "certificate": Method.CERTIFICATE,
}

ON_WATCH: Final = {
    Method.PASSKEY: "type this code on the phone",
    Method.WORDS: "start pairing by words on the phone, then compare the words on both",
    Method.OUT_OF_BAND: "scan this code with the phone, or hold the phone to the tag",
    Method.CERTIFICATE: "start pairing by certificate on the phone",
}
ON_PHONE: Final = {
    Method.PASSKEY: "type the six digits that the watch shows",
    Method.WORDS: "compare the words on both devices, in their order",
    Method.OUT_OF_BAND: "scan the watch's code, or hold the phone to its tag",
}


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
