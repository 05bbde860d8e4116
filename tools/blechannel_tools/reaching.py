"""Finding the bonded watch that the options mean, and connecting to it."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager

from blechannel.aio.channel import Channel
from blechannel.aio.phone import Phone
from blechannel.errors import BlechannelError, BondNotFound, LocalProtocolError, PairingRefused, WatchNotFound
from blechannel_tools.output import Output
from blechannel_tools.selection import find_bonded
from blechannel_tools.sides import open_phone


async def reach(phone: Phone, options: argparse.Namespace) -> Channel:
    """A channel with the watch.

    Raises:
        WatchNotFound: it was not seen in time, or only a watch that does not know this phone.
        BlechannelError: as `find_bonded` and `Phone.connect`.
    """
    found = await find_bonded(phone, options.watch, timeout_s=options.timeout)
    try:
        return await phone.connect(found)
    except BondNotFound as error:
        if not isinstance(error.__cause__, PairingRefused):
            raise
        raise WatchNotFound(f"only one at {found.address} was seen: {error}") from error


@asynccontextmanager
async def connected(options: argparse.Namespace, output: Output) -> AsyncGenerator[Channel, None]:
    """A phone's channel with the watch; leaving closes all. Raises as `reach` and `told_when_closed`."""
    async with open_phone(options) as phone:
        with output.waiting("looking for the watch"):
            channel = await reach(phone, options)
        with told_when_closed(channel):
            yield channel


@contextmanager
def told_when_closed(channel: Channel) -> Iterator[None]:
    """Name what it is when the watch ends a port or the channel in the middle of something.

    Raises:
        BlechannelError: it did.
    """
    try:
        yield
    except EOFError as error:
        raise BlechannelError(f"the watch ended this before it was done: {error}") from error
    except LocalProtocolError as error:
        if channel.is_open:
            raise
        raise BlechannelError("the watch closed the channel before this was done") from error
