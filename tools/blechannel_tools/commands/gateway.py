"""``blechannel gateway``: the group of what stands between watches and a cloud."""

from __future__ import annotations

import argparse

from blechannel_tools.commands import gateway_broker, gateway_listen, gateway_run, gateway_send, gateway_simulate
from blechannel_tools.options import Commands

EPILOG = """a first try, in four terminals (pip install 'blechannel[bumble,broker,cli]'):
  blechannel watch --transport unix:/tmp/ble --pair
  blechannel phone pair --transport unix:/tmp/ble
  blechannel gateway broker
  blechannel gateway listen --broker mqtt://127.0.0.1:1883 --protocol 3.1.1
  blechannel gateway run gateway.toml --transport unix:/tmp/ble

with this gateway.toml:
  site = "home"
  gateway = "hall"
  [broker]
  url = "mqtt://127.0.0.1:1883"
  protocol = "3.1.1"
  [[up]]
  port = "heart-rate"
  by = "profile"

docs/gateway.md says what else it may hold, how each message arrives exactly once, and what a real broker needs."""


def add(commands: Commands) -> None:
    """Declare the command and its parts."""
    parser = commands.add_parser(
        "gateway",
        help="bridge watches to an MQTT broker: run, listen, send, broker, simulate",
        description="Bridge the ports of watches to MQTT topics, both ways, each message exactly once and in order.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(required=True, metavar="ACTION")
    for part in (gateway_run, gateway_listen, gateway_send, gateway_broker, gateway_simulate):
        part.add(parts)
