"""Options that say which broker, for the commands that have no gateway.toml."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blechannel_gateway.broker import Broker

BROKER_VARIABLE = "BLECHANNEL_BROKER"


def add_broker(parser: argparse.ArgumentParser, *, identifier: str) -> None:
    """`--broker` and what belongs to it."""
    default = os.environ.get(BROKER_VARIABLE) or None
    parser.add_argument(
        "--broker",
        metavar="URL",
        required=default is None,
        default=default,
        help=f"mqtt://HOST:PORT, or mqtts:// with TLS (default: ${BROKER_VARIABLE})",
    )
    add_broker_terms(parser)
    parser.add_argument("--site", default="home", help="the site, as in gateway.toml (default: home)")
    parser.add_argument(
        "--identifier", default=identifier, help=f"of this client; one at a time bears it (default: {identifier})"
    )


def add_broker_terms(parser: argparse.ArgumentParser) -> None:
    """How to speak with the broker."""
    parser.add_argument("--protocol", choices=("5", "3.1.1"), default="5", help="of MQTT (default: 5)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="who signed the broker's certificate")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="this side's certificate")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key")


def broker_of(options: argparse.Namespace) -> Broker:
    """The broker that the options mean. Raises ConfigError."""
    from blechannel_gateway.broker import Broker

    return Broker(
        url=options.broker,
        protocol=options.protocol,
        ca=options.ca,
        certificate=options.certificate,
        key=options.key,
    )
