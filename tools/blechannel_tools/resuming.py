"""A file to the watch, over as many links as it takes."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from blechannel.aio.channel import Channel
from blechannel.aio.phone import Phone
from blechannel.errors import PeerTimedOut, TransportError
from blechannel.services.transfer import send_blob
from blechannel_tools.output import Event, Output, ShowProgress
from blechannel_tools.reaching import reach, told_when_closed

TRIES = 5
"""Links in a row that may be lost without a byte gained."""


@dataclass(slots=True)
class Sending:
    """How far a file has come."""

    furthest: int = 0
    links_lost: int = 0
    tries_left: int = TRIES

    def reached(self, done_bytes: int) -> None:
        """So many bytes are through."""
        if done_bytes > self.furthest:
            self.furthest = done_bytes
            self.tries_left = TRIES

    def lost(self, error: TransportError | PeerTimedOut) -> None:
        """A link, or the way to a new one, is gone; raises the error where that happened too often in a row."""
        self.links_lost += 1
        self.tries_left -= 1
        if not self.tries_left:
            raise error


async def send_file(phone: Phone, blob: bytes, options: argparse.Namespace, output: Output) -> Sending:
    """Send `blob`, resumed on a new link when one is lost.

    Raises:
        BlechannelError: the first connection fails, the watch refuses, or `TRIES` links bring nothing.
    """
    sending = Sending()
    with output.waiting("looking for the watch"):
        channel = await reach(phone, options)
    with output.progress("transfer", len(blob)) as show:
        while not await _sent(channel, blob, sending, show, output):
            channel = await _reach_again(phone, sending, options)
    return sending


async def _sent(channel: Channel, blob: bytes, sending: Sending, show: ShowProgress, output: Output) -> bool:
    def progress(done_bytes: int, _size_bytes: int) -> None:
        sending.reached(done_bytes)
        show(done_bytes)

    try:
        async with channel:
            with told_when_closed(channel):
                await send_blob(channel, blob, progress=progress)
    except (TransportError, PeerTimedOut) as error:
        sending.lost(error)
        output.say(Event.LINK_LOST, f"the link is lost ({error}); looking for the watch again", message=str(error))
        return False
    return True


async def _reach_again(phone: Phone, sending: Sending, options: argparse.Namespace) -> Channel:
    while True:
        try:
            return await reach(phone, options)
        except (TransportError, PeerTimedOut) as error:
            sending.lost(error)
