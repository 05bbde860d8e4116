"""``blechannel gateway run``: keep watches, and bridge their ports to a broker."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from blechannel.aio.outbox import Outbox
from blechannel.stores.outbox_sqlite import SqliteQueues
from blechannel_tools.exits import Exit
from blechannel_tools.mqtt_loop import run_with_mqtt
from blechannel_tools.options import Commands, add_command, add_name, add_store, add_transport, seconds
from blechannel_tools.output import Event, Output
from blechannel_tools.sides import open_phone

if TYPE_CHECKING:
    from blechannel_gateway.gateway import GatewayEvent
    from blechannel_gateway.plan import Plan

EPILOG = """examples:
  blechannel gateway run gateway.toml --transport hci-socket:0
  blechannel gateway run gateway.toml --broker mqtts://broker.example --json --transport unix:/tmp/ble

Every watch that this side is bonded with is kept: pair with `blechannel phone pair`, on the same --store. Ends after
--seconds or with Ctrl-C; what was not acknowledged by the cloud is kept in the file, and sent with the next start."""


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "keep the bonded watches and bridge their ports to a broker"
    parser = add_command(commands, "run", run, help=about, epilog=EPILOG)
    parser.add_argument("plan", type=Path, metavar="FILE", help="gateway.toml: site, broker, ports (docs/gateway.md)")
    parser.add_argument("--broker", metavar="URL", help="another broker than the file says")
    parser.add_argument("--site", help="another site than the file says")
    parser.add_argument("--seconds", type=seconds, help="end after so many seconds")
    add_transport(parser)
    add_store(parser)
    add_name(parser, "gateway")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    run_with_mqtt(_run(options, output))
    return Exit.DONE


async def _run(options: argparse.Namespace, output: Output) -> None:
    from blechannel_gateway.gateway import open_gateway
    from blechannel_gateway.plan import Plan

    plan = Plan.load(options.plan).changed(broker=options.broker, site=options.site)
    told = _Told(output)
    async with (
        _outbox(plan) as outbox,
        open_phone(options, outbox=outbox) as phone,
        open_gateway(phone, plan, outbox) as gateway,
    ):
        gateway.tell = told.tell
        output.say(
            Event.GATEWAY,
            f"gateway {plan.gateway} of site {plan.site}: {len(gateway.watches)} watches, broker {plan.broker.url}",
            site=plan.site,
            gateway=plan.gateway,
            watches=list(gateway.watches),
            broker=plan.broker.url,
        )
        with suppress(TimeoutError), output.waiting("bridging; Ctrl-C to leave"):
            async with asyncio.timeout(options.seconds):
                await gateway.run()
        waiting = sum(map(gateway.station.spool.waiting, gateway.station.spool.lanes))
        output.say(
            Event.DONE,
            f"{told.messages} messages; {waiting} wait for the cloud",
            messages=told.messages,
            waiting=waiting,
        )


@asynccontextmanager
async def _outbox(plan: Plan) -> AsyncGenerator[Outbox | None]:
    """The phone's, where the plan bridges a port by it."""
    if not plan.policies():
        yield None
        return
    async with Outbox(await SqliteQueues.open(plan.outbox), plan.policies()) as outbox:
        yield outbox


class _Told:
    """Tells of what the gateway does, and counts messages."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.messages = 0

    def tell(self, event: GatewayEvent) -> None:
        """One event."""
        from blechannel_gateway.gateway import BrokerChanged, Carried, Moved

        if isinstance(event, Carried):
            self.messages += 1
            self._output.say(
                Event.CARRIED,
                f"{event.way.value} {event.lane.watch[:8]} {event.lane.port}: {event.size_bytes} bytes",
                watch=event.lane.watch,
                port=event.lane.port,
                way=event.way.value,
                size_bytes=event.size_bytes,
            )
        elif isinstance(event, Moved):
            why = "" if event.error is None else f": {event.error}"
            self._output.say(
                Event.KEPT,
                f"{event.peer_name}: {event.link.value}{why}",
                watch=event.watch,
                name=event.peer_name,
                link=event.link.value,
                error=None if event.error is None else str(event.error),
            )
        elif isinstance(event, BrokerChanged):
            said = "connected to the broker" if event.error is None else str(event.error)
            self._output.say(Event.BROKER, said, connected=event.error is None, error=event.error and str(event.error))
        else:
            self._output.say(
                Event.PORT_FAILED,
                f"{event.lane.port} of {event.lane.watch[:8]}: {event.error}",
                watch=event.lane.watch,
                port=event.lane.port,
                error=str(event.error),
            )
