"""``blechannel capture timing``: round trips, intervals, goodput."""

from __future__ import annotations

import argparse
from statistics import median, quantiles
from typing import Any

from blechannel.roles import Role
from blechannel_capture import Side, Timing
from blechannel_capture.timing import LinkTiming
from blechannel_tools.commands.capture.reading import add_file, add_keys, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Output, Table

EPILOG = """examples:
  blechannel capture timing btsnoop_hci.log
  blechannel capture timing demo-output/phone.btsnoop --keys demo-output/keys.log --json

On an HCI log the times are the host's: what waits in its queues counts. On a sniffer's they are those of the air."""


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "show round trips, intervals and goodput of each connection"
    parser = add_command(commands, "timing", run, help=about, epilog=EPILOG)
    add_file(parser)
    add_keys(parser)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    timing = Timing()
    with opened(options, output) as capture:
        for event in capture:
            timing.look(event)
    for link in timing.links.values():
        number = link.connection.number
        output.say(Told.TIMING, Table(f"Connection {number}", ("", ""), _rows(link)), **_facts(link))
    if not timing.links:
        output.say(Told.TIMING, "No connection with ATT traffic is in this capture.")
    output.say(Told.DONE, count=len(timing.links))
    return Exit.DONE


def _rows(link: LinkTiming) -> list[tuple[str, str]]:
    declared, observed = link.connection.interval_us, link.observed_interval_ms
    rows = [
        ("interval, declared", f"{declared / 1000:g} ms" if declared else "not in the capture"),
        ("interval, observed", f"{observed:.2f} ms" if observed else "too few packets to tell"),
    ]
    if link.att_round_trips_ns:
        rows.append(("ATT round trips", _spread(list(link.att_round_trips_ns))))
    if link.handshake_ns is not None:
        trips = link.handshake_round_trips
        plural = "" if trips == 1 else "s"
        rows.append(("handshake", f"{link.handshake_ns / 1e6:.1f} ms from INFO, {trips} round trip{plural}"))
    for side, arrow in ((Side.CENTRAL, "→"), (Side.PERIPHERAL, "←"), (Side.UNKNOWN, "?")):
        stretch = link.values[side]
        if stretch.count:
            speed = f"{stretch.bytes_per_s / 1000:.1f} kB/s"
            rows.append((f"ATT values {arrow}", f"{stretch.count:,}, {stretch.bytes:,} bytes, {speed}"))
    for role, arrow in ((Role.PHONE, "→"), (Role.WATCH, "←")):
        stretch = link.messages[role]
        if stretch.count:
            speed = f"{stretch.bytes_per_s / 1000:.1f} kB/s"
            rows.append((f"channel messages {arrow}", f"{stretch.count:,}, {stretch.bytes:,} bytes, {speed}"))
    return rows


def _spread(samples_ns: list[int]) -> str:
    p95 = quantiles(samples_ns, n=20)[-1] if len(samples_ns) > 1 else samples_ns[0]
    return f"{len(samples_ns):,}: median {median(samples_ns) / 1e6:.2f} ms, 95 % within {p95 / 1e6:.2f} ms"


def _facts(link: LinkTiming) -> dict[str, Any]:
    return {
        "connection": link.connection.number,
        "interval_declared_us": link.connection.interval_us,
        "interval_observed_ms": link.observed_interval_ms,
        "att_round_trips_ns": list(link.att_round_trips_ns),
        "handshake_ns": link.handshake_ns,
        "handshake_round_trips": link.handshake_round_trips,
        "att_bytes": {side.value: stretch.bytes for side, stretch in link.values.items()},
        "att_bytes_per_s": {side.value: stretch.bytes_per_s for side, stretch in link.values.items()},
        "channel_bytes": {role.value: stretch.bytes for role, stretch in link.messages.items()},
        "channel_bytes_per_s": {role.value: stretch.bytes_per_s for role, stretch in link.messages.items()},
    }
