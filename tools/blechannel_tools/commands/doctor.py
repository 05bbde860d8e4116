"""``blechannel doctor``: what works on this machine, and what to do where something does not."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import asdict

from blechannel.roles import Role
from blechannel_tools.diagnosis import radios, software, storage
from blechannel_tools.diagnosis.adapters import adapters
from blechannel_tools.diagnosis.finding import Finding, Level
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, add_passphrase, add_transport
from blechannel_tools.output import Event, Output, Table

EPILOG = """examples:
  blechannel doctor
  blechannel doctor --transport hci-socket:0
  blechannel doctor --json

ok: all is well. warn: something optional is missing, or deserves a look. fail: something does not work, and the exit
code is 1. Nothing is changed, and nothing leaves this machine."""

STYLES = {Level.OK.value: "green", Level.WARN.value: "yellow", Level.FAIL.value: "bold red"}


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "look for what is missing or misconfigured, and say what to do"
    parser = add_command(commands, "doctor", run, help=about, epilog=EPILOG)
    add_transport(parser, required=False)
    add_passphrase(parser)
    parser.set_defaults(store=None)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    with output.waiting("looking"):
        findings = asyncio.run(_diagnose(options))
    healthy = all(finding.level is not Level.FAIL for finding in findings)
    rows = [(f.level.value, f.subject, f.text + (f": {f.advice}" if f.advice else "")) for f in findings]
    output.say(
        Event.DIAGNOSIS,
        Table("What blechannel finds here", ("", "what", "finding"), rows, STYLES),
        healthy=healthy,
        findings=[asdict(finding) for finding in findings],
    )
    return Exit.DONE if healthy else Exit.FAILED


async def _diagnose(options: argparse.Namespace) -> list[Finding]:
    findings = [*software.software(), software.clock(time.time()), software.key_log()]
    if sys.platform == "linux":
        findings += adapters()
    if options.transport is not None:
        findings.append(await radios.transport(options.transport))
    findings.append(await radios.virtual_radio())
    for role in Role:
        findings += [finding async for finding in storage.store(options, role, time.time())]
    return findings
