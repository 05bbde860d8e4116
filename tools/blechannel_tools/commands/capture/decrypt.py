"""``blechannel capture decrypt``: what is sealed, which key opens it, and why the rest stays closed."""

from __future__ import annotations

import argparse
from collections import Counter

from blechannel_capture import ChannelFrame, HandshakeVerified, LinkDecrypted, LongTermKey, SealedPdu, Verdict
from blechannel_tools.commands.capture.reading import add_file, add_keys, add_show_keys, opened
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Output, Table

EPILOG = """examples:
  blechannel capture decrypt sniffed.pcap
  blechannel capture decrypt sniffed.pcap --ltk 7f62c053f104a5bbe68b1d896a2ed49c
  blechannel capture decrypt sniffed.pcap --ltk-from phone.btsnoop
  blechannel capture decrypt phone.btsnoop --keys keys.log --show-keys

A link's encryption is taken off with --ltk or --ltk-from, with a key that the capture itself holds (an HCI log, or a
key that legacy pairing sends), or with the passkey of a legacy pairing, which is searched. Our channel is opened with
--keys. To keep what was opened: blechannel capture export FILE out.pcapng."""
STYLES = {Verdict.OK.value: "green", Verdict.TAG_FAILURE.value: "bold red", Verdict.WRONG_KEY.value: "yellow"}


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "say what opens, with which key, and why the rest stays closed"
    parser = add_command(commands, "decrypt", run, help=about, epilog=EPILOG)
    add_file(parser)
    add_keys(parser)
    add_show_keys(parser)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    link: Counter[tuple[int, str]] = Counter()
    channel: Counter[tuple[int, Verdict, str]] = Counter()
    with opened(options, output) as capture:
        for event in capture:
            match event:
                case LongTermKey() | LinkDecrypted():
                    _tell_key(output, event, shown=options.show_keys)
                case SealedPdu(connection=connection, verdict=verdict):
                    link[connection.number, verdict.value] += 1
                case HandshakeVerified():
                    channel[event.connection.number, Verdict.OK, "handshake recomputed, every tag fits"] += 1
                case ChannelFrame() if event.name == "Record" or event.record is not None:
                    channel[event.connection.number, event.verdict, event.detail or "records"] += 1
                case _:
                    pass
    rows = [(str(number), "link layer", text, f"{count:,}", "") for (number, text), count in sorted(link.items())]
    rows += [
        (str(number), "channel", verdict.value, f"{count:,}", detail if detail != verdict.value else "")
        for (number, verdict, detail), count in sorted(channel.items(), key=lambda each: (each[0][0], each[0][1].value))
    ]
    shown = Table("What was sealed", ("connection", "layer", "verdict", "count", "why"), rows, STYLES)
    output.say(
        Told.DECRYPTED,
        shown if rows else "Nothing that stays closed is in this capture, and no session of our channel.",
        link=[{"connection": n, "verdict": text, "count": count} for (n, text), count in link.items()],
        channel=[
            {"connection": n, "verdict": verdict.name.lower(), "detail": detail, "count": count}
            for (n, verdict, detail), count in channel.items()
        ],
    )
    output.say(Told.DONE)
    return Exit.DONE


def _tell_key(output: Output, event: LongTermKey | LinkDecrypted, *, shown: bool) -> None:
    key = event.key.hex() if shown else "(--show-keys shows it)"
    found = isinstance(event, LongTermKey)
    what = "a long term key is in the capture" if found else "the link is decrypted from here on"
    output.say(
        Told.LINK_KEY,
        f"packet {event.packet}, connection {event.connection.number}: {what}: {event.source} {key}",
        packet=event.packet,
        connection=event.connection.number,
        found=found,
        source=event.source,
        key=event.key.hex() if shown else None,
    )
