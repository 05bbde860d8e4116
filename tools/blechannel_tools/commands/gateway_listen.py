"""``blechannel gateway listen``: be the cloud, and print what watches send."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from blechannel.errors import MalformedFrame
from blechannel_tools.broker_options import add_broker, broker_of
from blechannel_tools.exits import Exit
from blechannel_tools.mqtt_loop import run_with_mqtt
from blechannel_tools.options import Commands, add_command, positive, seconds
from blechannel_tools.output import Event, Output

if TYPE_CHECKING:
    from blechannel_gateway.inbox import Delivery
    from blechannel_gateway.sealing import CloudKey

LOST = "this file is new or older than what it acknowledged"
EPILOG = """examples:
  blechannel gateway listen --broker mqtt://127.0.0.1:1883 --protocol 3.1.1
  blechannel gateway listen --broker mqtts://broker.example --ca ca.pem --certificate cloud.pem --key cloud.key --json

Each message is printed exactly once, over any number of starts with the same --file. Ends after --count messages, after
--seconds, or with Ctrl-C."""


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "be the cloud: print what watches send, each message once"
    parser = add_command(commands, "listen", run, help=about, epilog=EPILOG)
    add_broker(parser, identifier="blechannel-listen")
    parser.add_argument("--file", type=Path, default=Path("cloud.db"), help="what was received (default: cloud.db)")
    parser.add_argument("--unseal", type=Path, metavar="FILE", help="the cloud's X25519 key, for what is sealed to it")
    parser.add_argument("--count", type=positive, help="end after so many messages")
    parser.add_argument("--seconds", type=seconds, help="end after so many seconds")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    run_with_mqtt(_listen(options, output))
    return Exit.DONE


async def _listen(options: argparse.Namespace, output: Output) -> None:
    from blechannel_gateway.cloud import CloudInbox
    from blechannel_gateway.sealing import CloudKey

    key = None if options.unseal is None else CloudKey.load(options.unseal)
    count = 0
    inbox = CloudInbox(options.file, broker_of(options), site=options.site, identifier=options.identifier)
    async with inbox:
        inbox.station.when_away = lambda error: output.say(Event.BROKER, str(error), connected=False, error=str(error))
        with suppress(TimeoutError), output.waiting("listening; Ctrl-C to leave"):
            async with asyncio.timeout(options.seconds):
                async for delivery in inbox:
                    _tell(output, delivery, key)
                    await delivery.taken()
                    count += 1
                    if count == options.count:
                        break
    output.say(Event.DONE, messages=count)


def _tell(output: Output, delivery: Delivery, key: CloudKey | None) -> None:
    body = delivery.body if key is None else key.open(delivery.body, port=delivery.lane.port)
    lost = f" (all up to number {delivery.missed} is lost: {LOST})" if delivery.missed else ""
    output.say(
        Event.FROM_WATCH,
        f"{delivery.lane.watch[:8]} {delivery.lane.port}: {_words(body, delivery.schema)}{lost}",
        watch=delivery.lane.watch,
        port=delivery.lane.port,
        message_id=str(delivery.message_id),
        schema=delivery.schema,
        hex=body.hex(),
        missed=delivery.missed,
    )


def _words(body: bytes, schema: str) -> str:
    from blechannel.codec import decode
    from blechannel_tools.readings import SERVICES, words_of

    uuid = schema.removeprefix("gatt:")
    found = (service.find(uuid) for service in SERVICES.values())
    characteristic = next((known for known in found if known is not None), None)
    if characteristic is not None:
        try:
            return words_of(decode(characteristic.value, body))
        except MalformedFrame:
            return body.hex(" ")
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.hex(" ")
