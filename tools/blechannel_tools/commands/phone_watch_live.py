"""``blechannel phone watch-live``: the watch's sensors as they change."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import Any

from blechannel.aio.channel import Channel
from blechannel.errors import AccessDenied, BlechannelError, PeerTimedOut
from blechannel_gateway.together import together
from blechannel_tools.exits import Exit
from blechannel_tools.following import follow
from blechannel_tools.live_view import LiveView
from blechannel_tools.options import (
    Commands,
    add_command,
    add_end,
    add_find,
    add_name,
    add_store,
    add_transport,
    add_watch,
)
from blechannel_tools.output import Event, Output
from blechannel_tools.reaching import connected
from blechannel_tools.readings import SERVICES
from gatt_profiles import immediate_alert
from gatt_profiles.profile import Characteristic, Service

FOLLOWED = tuple(port for port in SERVICES if port != immediate_alert.SERVICE.port)
"""The profiles that tell something."""

EPILOG = f"""examples:
  blechannel phone watch-live --transport hci-socket:0
  blechannel phone watch-live --profile heart-rate --seconds 10 --json --transport unix:/tmp/ble

The profiles are {", ".join(FOLLOWED)}.
All comes through the channel: a stranger in the room sees nothing of it. Ends with Ctrl-C, after --count values, after
--seconds, or when the watch ends the channel."""


class _Enough(Exception):
    """As many values came as were asked for."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands, "watch-live", run, help="show the watch's sensors as they change, with a small plot", epilog=EPILOG
    )
    add_watch(parser)
    parser.add_argument(
        "--profile",
        action="append",
        choices=FOLLOWED,
        metavar="PROFILE",
        help="one of those below; may be repeated (default: all)",
    )
    add_end(parser, of="values")
    add_find(parser)
    add_transport(parser)
    add_store(parser)
    add_name(parser, "phone")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    asyncio.run(_watch_live(options, output))
    return Exit.DONE


async def _watch_live(options: argparse.Namespace, output: Output) -> None:
    view = LiveView(output)
    wanted = [SERVICES[port] for port in options.profile or FOLLOWED]
    async with connected(options, output) as channel:
        with view.shown():
            try:
                async with asyncio.timeout(options.seconds):
                    await _Following(channel, output, view, options.count).all(wanted)
            except (TimeoutError, _Enough):
                pass
    output.say(Event.DONE, messages=view.values)


class _Following:
    """The profiles of one channel."""

    def __init__(self, channel: Channel, output: Output, view: LiveView, count: int | None) -> None:
        self._channel = channel
        self._output = output
        self._view = view
        self._count = count
        self._refusals: list[BlechannelError] = []

    async def all(self, services: Sequence[Service]) -> None:
        """Follow them until the watch ends it; one that this phone may not use does not end the others.

        Raises:
            BlechannelError: the channel was cut off, or no profile may be used.
        """
        await together(self._follow(service) for service in services)
        if len(self._refusals) == len(services):
            raise self._refusals[0]

    async def _follow(self, service: Service) -> None:
        try:
            await follow(self._channel, service, self._show)
        except (AccessDenied, PeerTimedOut) as error:
            if not self._channel.is_open:
                raise
            self._refusals.append(error)
            self._output.say(Event.UNAVAILABLE, str(error), port=service.port, message=str(error))

    def _show(self, service: Service, characteristic: Characteristic[Any], value: object) -> None:
        self._view.show(service, characteristic, value)
        if self._view.values == self._count:
            raise _Enough
