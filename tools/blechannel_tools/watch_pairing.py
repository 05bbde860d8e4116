"""How a watch's person takes part in a pairing: opens a window for a method, answers words, hands a ticket over."""

from __future__ import annotations

import argparse
import asyncio

from blechannel.aio.watch import Watch
from blechannel.errors import BlechannelError
from blechannel.methods import Method
from blechannel.pairing.out_of_band import Ticket
from blechannel_tools.output import Event, Lines, Output
from blechannel_tools.person import STANDARD_INPUT, compare_from
from blechannel_tools.watch_state import Told
from blechannel_tools.ways import ENDED_BY_PHONE, ON_WATCH, ended, says_yes, word_of


class WatchPairing:
    """The pairing windows of one run of a watch."""

    def __init__(self, watch: Watch, options: argparse.Namespace, output: Output) -> None:
        self._watch = watch
        self._methods: list[Method] = options.methods
        self._tag = options.tag
        self._qr = options.qr
        self._output = output
        self._answer: asyncio.Future[bool] | None = None
        self._chosen: Method | None = None
        self.asks_keys = False
        """Whether words are answered with keys; else with lines on standard input."""
        self.words: tuple[str, ...] = ()
        """What is to be compared now."""
        self.ticket = ""
        """The QR code of the window, as lines of text."""

    def open(self, which: int) -> Told | None:
        """Open a window for the method of that place in the list; None where there is nothing to tell.

        Raises:
            CarrierError: the ticket could not be written.
            MissingExtra: a package for tags or QR codes.
        """
        if not 0 <= which < len(self._methods):
            return None
        chosen = self._methods[which]
        compare = self._compare if chosen is Method.WORDS else None
        window = self._watch.open_pairing(chosen, compare=compare)
        self._chosen = chosen
        facts: dict[str, object] = {"method": word_of(chosen)}
        if chosen is Method.OUT_OF_BAND:
            facts["ticket"] = self._hand_over(window.ticket())
            return Told(Event.TICKET, Lines(f"{ON_WATCH[chosen]}:", self.ticket.splitlines()), facts)
        if chosen is Method.CERTIFICATE:
            return Told(Event.PAIRING_OPEN, f"a pairing window is open: {ON_WATCH[chosen]}", facts)
        if chosen is Method.WORDS:
            return Told(Event.WORDS, f"a pairing window is open: {ON_WATCH[chosen]}", facts)
        return None

    def answered(self, key: str) -> None:
        """The person pressed a key while words are compared."""
        same = says_yes(key)
        if same is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(same)

    def in_words(self, error: BlechannelError) -> str:
        """Why a phone got no channel, and what to do."""
        return ended(error, ENDED_BY_PHONE, self._chosen)

    async def _compare(self, words: tuple[str, ...]) -> bool:
        if not self.asks_keys:
            return await compare_from(STANDARD_INPUT, self._output, "compare these words with the phone's")(words)
        self.words, self._answer = words, asyncio.get_running_loop().create_future()
        try:
            return await self._answer
        finally:
            self.words = ()

    def _hand_over(self, ticket: Ticket) -> str:
        from blechannel.oob import qr

        if self._tag is not None:
            from blechannel.oob.ndef import write_file

            write_file(self._tag, ticket)
        if self._qr is not None:
            qr.write_png(self._qr, ticket)
        self.ticket = qr.terminal(ticket)
        return qr.to_text(ticket)
