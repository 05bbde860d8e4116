"""``blechannel doctor``: what works on this machine, and what to do where something does not."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from blechannel.roles import Role
from blechannel_tools.diagnosis import radios, software, storage
from blechannel_tools.diagnosis.finding import Finding, Level
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command, add_passphrase, add_transport, choose_transport
from blechannel_tools.output import Event, Output, Table

EPILOG = """examples:
  blechannel doctor
  blechannel doctor --transport hci-socket:0
  blechannel doctor --board raspberry-pi
  blechannel doctor --json

ok: all is well. warn: something optional is missing, or deserves a look. fail: something does not work, and the exit
code is 1. Nothing is changed, and nothing leaves this machine."""

STYLES = {Level.OK.value: "green", Level.WARN.value: "yellow", Level.FAIL.value: "bold red"}


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "look for what is missing or misconfigured, and say what to do"
    parser = add_command(commands, "doctor", run, help=about, epilog=EPILOG)
    add_transport(parser, required=False, boards=True)
    add_passphrase(parser)
    parser.set_defaults(store=None)


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    choose_transport(options)
    with output.waiting("looking"):
        findings = asyncio.run(_diagnose(options))
    healthy = all(finding.level is not Level.FAIL for finding in findings)
    output.say(
        Event.DIAGNOSIS,
        Table(f"What blechannel finds here: {verdict(findings)}", ("", "what", "finding"), _rows(findings), STYLES),
        healthy=healthy,
        findings=[asdict(finding) for finding in findings],
    )
    return Exit.DONE if healthy else Exit.FAILED


def verdict(findings: Sequence[Finding]) -> str:
    """All of it in a few words."""
    counts = [sum(finding.level is level for finding in findings) for level in (Level.FAIL, Level.WARN)]
    words = [f"{count} {what}{'s' * (count > 1)}" for count, what in zip(counts, ("failure", "warning"), strict=True)]
    return ", ".join(text for text, count in zip(words, counts, strict=True) if count) or "all is well"


def _rows(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """What to do stands below what is found."""
    rows = []
    for finding in findings:
        rows.append((finding.level.value, finding.subject, finding.text))
        if finding.advice:
            rows.append(("", "", f"→ {finding.advice}"))
    return rows


async def _diagnose(options: argparse.Namespace) -> list[Finding]:
    findings = [*software.software(), software.clock(time.time()), software.key_log()]
    if sys.platform == "linux":
        from blechannel_tools.diagnosis.linux import linux

        findings += await linux(board=options.board)
    if options.transport is not None:
        findings += await radios.transport(options.transport, options.board)
    findings.append(await radios.virtual_radio())
    for role in Role:
        findings += [finding async for finding in storage.store(options, role, time.time())]
    return findings
