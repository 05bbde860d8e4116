"""What a person is asked while a channel comes to stand, and how the answer reaches the session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine

from blechannel.aio.channel import Channel
from blechannel.errors import PairingRefused
from blechannel.methods import Method
from blechannel.pairing.out_of_band import Ticket
from blechannel.pairing.window import is_code
from blechannel.values import dataclass

LEAVE_S = 3.0
"""For a question to end once it is withdrawn."""

_log = logging.getLogger(__name__)

AskCode = Callable[[], Awaitable[str]]
"""Asks the person for the six digits that the watch shows."""

Compare = Callable[[tuple[str, ...]], Awaitable[bool]]
"""Shows words and asks whether the other device shows the same, in the same order."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """Pair by the code that the watch shows."""

    ask_code: AskCode


@dataclass(frozen=True, slots=True)
class Words:
    """Pair by words that both devices show."""

    compare: Compare


@dataclass(frozen=True, slots=True)
class OutOfBand:
    """Pair by what the person carried here from the watch's tag or QR code."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Certificate:
    """Pair by certificates alone; the phone needs an identity and a verifier."""


Way = Passkey | Words | OutOfBand | Certificate
"""How a phone's person takes part in a pairing."""

METHOD_OF: dict[type[Way], Method] = {
    Passkey: Method.PASSKEY,
    Words: Method.WORDS,
    OutOfBand: Method.OUT_OF_BAND,
    Certificate: Method.CERTIFICATE,
}


class Questions:
    """The questions under way, at most one a channel. A question ends with its channel's handshake."""

    def __init__(self) -> None:
        self._asked: dict[Channel, asyncio.Task[None]] = {}

    def ask_code(self, channel: Channel, ask_code: AskCode) -> None:
        """Ask for a code, again while the answer is none."""
        self._ask(channel, _type_code(channel, ask_code))

    def ask_whether_same(self, channel: Channel, compare: Compare, words: tuple[str, ...]) -> None:
        """Ask whether both devices show the same words."""
        self._ask(channel, _compare_words(channel, compare, words))

    def over(self, channel: Channel) -> None:
        """The person need not answer any more."""
        if (task := self._asked.get(channel)) is not None:
            task.cancel()

    async def stop(self, channel: Channel) -> None:
        """The person need not answer any more; returns once nobody asks, or does not stop asking in time."""
        if (task := self._asked.get(channel)) is not None:
            task.cancel()
            _, running = await asyncio.wait({task}, timeout=LEAVE_S)
            if running:
                _log.error("the question to the person does not end though it was cancelled")

    async def close(self) -> None:
        """Nobody is asked any more."""
        for channel in tuple(self._asked):
            await self.stop(channel)

    def _ask(self, channel: Channel, question: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(question, name="blechannel ask")
        self._asked[channel] = task
        task.add_done_callback(lambda _: self._asked.pop(channel, None))


async def _type_code(channel: Channel, ask_code: AskCode) -> None:
    try:
        while not is_code(code := await ask_code()):
            await asyncio.sleep(0)  # an answer may come without any wait, as from a closed keyboard
    except Exception as error:  # whatever the application's own coroutine raises
        _gave_up(channel, error)
    else:
        if not channel.session.is_over:
            channel.act(channel.session.enter_code(code, asyncio.get_running_loop().time()))


async def _compare_words(channel: Channel, compare: Compare, words: tuple[str, ...]) -> None:
    try:
        same = await compare(words)
    except Exception as error:  # whatever the application's own coroutine raises
        _gave_up(channel, error)
    else:
        if not channel.session.is_over:
            now = asyncio.get_running_loop().time()
            channel.act(channel.session.answer_words(same=same is True, now=now))


def _gave_up(channel: Channel, error: Exception) -> None:
    """Whoever asks may refuse in words of its own; anything else is no answer."""
    if not isinstance(error, PairingRefused):
        error = PairingRefused("no-answer", f"the person did not answer: {error!r}")
    channel.act(channel.session.abandon(error))
