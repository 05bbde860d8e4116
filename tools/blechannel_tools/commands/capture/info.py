"""``blechannel capture info``: what a capture holds, and what it lacks."""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from blechannel_capture import ChannelEnded, Connected, Connection, Event, HandshakeVerified
from blechannel_capture.ledger import Ledger
from blechannel_capture.packet import Packet
from blechannel_capture.words import handshake_in_words
from blechannel_tools.commands.capture.reading import add_file, add_keys, named, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Lines, Output, Table

EPILOG = """examples:
  blechannel capture info btsnoop_hci.log
  zcat sniffed.pcap.gz | blechannel capture info -
  blechannel capture info demo-output/phone.btsnoop --keys demo-output/keys.log --json"""
MAX_LEDGER_LINES = 12


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "info", run, help="say what a capture holds, and what it lacks", epilog=EPILOG)
    add_file(parser)
    add_keys(parser)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    seen, links, kinds = _Times(), list[tuple[Connection, bool]](), Counter[str]()
    sessions: dict[int, list[str]] = {}
    with opened(options, output) as capture:
        told = capture.on_packet

        def look(packet: Packet) -> None:
            seen.look(packet)
            if told is not None:
                told(packet)

        capture.on_packet = look
        for event in capture:
            kinds[type(event).__name__] += 1
            if isinstance(event, Connected):
                links.append((event.connection, event.seen))
            elif (text := _session(event)) is not None:
                sessions.setdefault(text[0], []).append(text[1])
    damage = {each.name.lower(): count for each, count in capture.ledger.counts.items()}
    facts = [
        ("format", capture.format.value),
        ("link types", ", ".join(sorted(seen.link_types)) or "none"),
        ("packets", f"{capture.packets:,}"),
        ("begins", _moment(seen.first_ns) if capture.packets else "no packet"),
        ("lasts", f"{max(0, seen.last_ns - seen.first_ns) / 1e9:.3f} s"),
        ("events", ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()) or "none"),
        ("comments", str(len(capture.comments))),
    ]
    output.say(
        Told.CAPTURE,
        Table(named(Path(options.file.name)), ("", ""), facts),
        format=capture.format.value,
        link_types=sorted(seen.link_types),
        packets=capture.packets,
        first_ns=seen.first_ns,
        last_ns=seen.last_ns,
        events=dict(kinds),
        comments=capture.comments,
        damage=damage,
    )
    _tell_links(output, links, sessions)
    _tell_ledger(output, capture.ledger)
    output.say(Told.DONE)
    return Exit.DONE


class _Times:
    """First and last packet, and what kinds of link there are."""

    def __init__(self) -> None:
        self.first_ns = self.last_ns = 0
        self.link_types: set[str] = set()

    def look(self, packet: Packet) -> None:
        if not self.link_types:
            self.first_ns = packet.time_ns
        self.last_ns = packet.time_ns
        self.link_types.add(packet.link_type.name.lower().replace("_", " "))


def _session(event: Event) -> tuple[int, str] | None:
    if isinstance(event, HandshakeVerified):
        return event.connection.number, f"{handshake_in_words(event)}, verified"
    if isinstance(event, ChannelEnded):
        return event.connection.number, event.ending.value
    return None


def _tell_links(output: Output, links: list[tuple[Connection, bool]], sessions: dict[int, list[str]]) -> None:
    rows = [
        (
            str(link.number),
            link.central or "(this host)" if seen else link.central or "unknown",
            link.peripheral or "(this host)" if seen else link.peripheral or "unknown",
            f"{link.interval_us / 1000:g} ms" if link.interval_us else "unknown",
            "; ".join(sessions.get(link.number, ())) or "not our channel",
        )
        for link, seen in links
    ]
    if rows:
        output.say(
            Told.CONNECTIONS,
            Table("Connections", ("", "central", "peripheral", "interval", "channel"), rows),
            connections=[
                {
                    "number": link.number,
                    "central": link.central,
                    "peripheral": link.peripheral,
                    "interval_us": link.interval_us,
                    "beginning_seen": seen,
                    "channel": sessions.get(link.number, []),
                }
                for link, seen in links
            ],
        )


def _tell_ledger(output: Output, ledger: Ledger) -> None:
    if not ledger.counts:
        output.say(Told.LEDGER, "The capture is whole: nothing is missing or damaged.", entries=[], counts={})
        return
    entries = [str(entry) for entry in ledger.entries]
    shown = [f"{count:,} × {each.value}" for each, count in ledger.counts.most_common()]
    shown += ["", *entries[:MAX_LEDGER_LINES]]
    if len(entries) > MAX_LEDGER_LINES:
        shown.append(f"… and {len(entries) - MAX_LEDGER_LINES} more, which --json lists")
    output.say(
        Told.LEDGER,
        Lines("What is missing or damaged:", [f"  {line}" for line in shown]),
        counts={each.name.lower(): count for each, count in ledger.counts.items()},
        entries=entries,
    )


def _moment(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
