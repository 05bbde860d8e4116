"""A file to the watch, over as many links as it takes."""

from __future__ import annotations

import argparse
from contextlib import aclosing
from dataclasses import dataclass

from blechannel.aio.channel import Channel
from blechannel.aio.keep import Connected, Kept, Stopped, Waiting
from blechannel.aio.keep_policy import KeepPolicy
from blechannel.aio.phone import Phone
from blechannel.errors import BlechannelError, LinkLost, PeerTimedOut, TransportError
from blechannel.services.transfer import send_blob
from blechannel_tools.output import Event, Output, ShowProgress
from blechannel_tools.reaching import reach, told_when_closed

TRIES = 5
"""Links in a row that may be lost, or not come about, without a byte gained."""
FIRST_WAIT_S = 0.2
MOST_WAIT_S = 5.0


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

    def lost(self, error: BlechannelError) -> None:
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
    with output.waiting("looking for the watch"):
        channel = await reach(phone, options)
    policy = KeepPolicy(first_s=FIRST_WAIT_S, most_s=MOST_WAIT_S, give_up_after_s=TRIES * options.timeout)
    with output.progress("transfer", len(blob)) as show:
        async with phone.keep(channel.bond_id, policy=policy) as kept:
            return await _send_over(kept, blob, show, output)


async def _send_over(kept: Kept, blob: bytes, show: ShowProgress, output: Output) -> Sending:
    sending = Sending()
    async with aclosing(kept.states()) as states:
        async for state in states:
            match state:
                case Connected(channel) if await _sent(channel, blob, sending, show, output):
                    return sending
                case Waiting(_, error):
                    sending.lost(error or LinkLost("the watch closed the channel"))
                case Stopped(BlechannelError() as error):
                    raise error
    raise LinkLost("the watch is looked for no longer")


async def _sent(channel: Channel, blob: bytes, sending: Sending, show: ShowProgress, output: Output) -> bool:
    def progress(done_bytes: int, _size_bytes: int) -> None:
        sending.reached(done_bytes)
        show(done_bytes)

    try:
        async with channel:
            with told_when_closed(channel):
                await send_blob(channel, blob, progress=progress)
    except (TransportError, PeerTimedOut) as error:
        output.say(Event.LINK_LOST, f"the link is lost ({error}); looking for the watch again", message=str(error))
        return False
    return True
