"""What one session has asked its person: a code to type, or words to compare."""

from __future__ import annotations

from enum import Enum

from blechannel.errors import LocalProtocolError, PairingRefused
from blechannel.pairing.window import is_code


class _Comparing(Enum):
    """Where a person stands who compares words."""

    NOTHING = "nothing to compare"
    SHOWN = "shown, and not waited for"
    AWAITED = "shown, and waited for"
    SAME = "answered"


WORDS_DIFFER = "the words were not the same on both devices: somebody may be between them; nothing was stored"


class Person:
    """What a person was asked and has answered. Misuse raises LocalProtocolError and changes nothing."""

    def __init__(self) -> None:
        self._owes_code = False
        self._comparing = _Comparing.NOTHING

    def ask_code(self) -> None:
        """From now on a code may be typed, once."""
        self._owes_code = True

    def take_code(self, code: str) -> None:
        """What was typed: six digits.

        Raises:
            LocalProtocolError: no code is wanted, or this is none.
        """
        if not self._owes_code:
            raise LocalProtocolError("no code is wanted")
        if not is_code(code):
            raise LocalProtocolError("a code has exactly six digits")
        self._owes_code = False

    def show_words(self) -> None:
        """From now on the person may answer."""
        self._comparing = _Comparing.SHOWN

    def await_answer(self) -> bool:
        """From now on the session waits for the answer; whether it has come already."""
        if self._comparing is _Comparing.SAME:
            return True
        self._comparing = _Comparing.AWAITED
        return False

    def take_answer(self) -> bool:
        """The person has answered; whether the session waits for it.

        Raises:
            LocalProtocolError: no words are shown, or the person has answered.
        """
        if self._comparing not in (_Comparing.SHOWN, _Comparing.AWAITED):
            raise LocalProtocolError("no answer about words is wanted")
        is_awaited, self._comparing = self._comparing is _Comparing.AWAITED, _Comparing.SAME
        return is_awaited

    def leave(self) -> None:
        """Nothing is wanted any more."""
        self._owes_code = False
        self._comparing = _Comparing.NOTHING

    def check_in_time(self) -> None:
        """The time is up; raises PairingRefused when it was the person's."""
        if self._owes_code:
            raise PairingRefused("no-code", "no code was typed in time: start again")
        if self._comparing is _Comparing.AWAITED:
            raise PairingRefused("no-answer", "nobody said in time whether the words are the same: start again")
