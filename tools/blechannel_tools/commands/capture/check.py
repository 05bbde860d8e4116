"""``blechannel capture check``: what is wrong with what a capture shows; an exit code, JUnit and SARIF for machines."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from blechannel_capture import Finding, Findings
from blechannel_capture.findings import Kept
from blechannel_capture.policy import Judgement, Policy, Requirement, load_policy
from blechannel_capture.reports import junit, sarif
from blechannel_tools.commands.capture.reading import add_file, add_keys, counted, opened, reading_of, writing_to
from blechannel_tools.exits import Exit
from blechannel_tools.options import Commands, add_command
from blechannel_tools.output import Event as Told
from blechannel_tools.output import Output, Table

EPILOG = """examples:
  blechannel capture check demo-output/phone.btsnoop
  blechannel capture check session.btsnoop --keys keys.log --policy policy.toml --junit check.xml --sarif check.sarif

A policy, all of it optional:
  fail_on = ["attack"]              # and "weakness", "note"
  inconclusive_fails = false        # whether one over a gap or damage in the capture counts
  allow = ["not-recognised"]        # findings that never count
  [require]
  sessions = 1                      # at least that many sessions of our channel
  verified = true                   # every handshake verified with a key log
  closed = true                     # every session closed by both sides
  suite = "hybrid"                  # every pairing at least so strong
  methods = ["passkey", "oob"]      # no other way to pair
  whole = true                      # nothing missing in the capture

The exit code is 0 when nothing fails, 1 when something does, 7 when the capture cannot be read."""
STYLES = {"attack": "bold red", "weakness": "yellow", "note": "dim", "fails": "bold red"}


def add(commands: Commands) -> None:
    """Declare the command."""
    about = "look for attacks and weaknesses; an exit code for CI"
    parser = add_command(commands, "check", run, help=about, epilog=EPILOG)
    add_file(parser)
    add_keys(parser)
    parser.add_argument("--policy", type=Path, metavar="FILE", help="what fails, as TOML (default: attacks)")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the result as JUnit XML")
    parser.add_argument("--sarif", type=Path, metavar="FILE", help="write the result as SARIF 2.1.0")


def run(options: argparse.Namespace, output: Output) -> Exit:
    """Run it."""
    policy = _policy(options.policy)
    judgement = Judgement(policy)
    with opened(options, output) as capture:
        findings = Findings(capture.ledger, capture.gatt)
        kept = Kept()
        for event in capture:
            judgement.look(event)
            for finding in findings.look(event):
                kept.add(finding)
        for finding in findings.end():
            kept.add(finding)
        found = findings.in_hindsight(kept.findings)
    unmet = judgement.unmet(capture.ledger)
    failing = [finding for finding in found if policy.fails(finding)]
    for path, made in ((options.junit, junit), (options.sarif, sarif)):
        if path is not None:
            with writing_to(path):
                path.write_text(made(str(options.file), found, failing, unmet), encoding="utf-8")
    _tell(output, found, set(failing), unmet, left_out=kept.left_out)
    return Exit.FAILED if failing or unmet else Exit.DONE


def _policy(path: Path | None) -> Policy:
    if path is None:
        return Policy()
    with reading_of(path):
        return load_policy(path)


def _tell(
    output: Output, found: list[Finding], failing: set[Finding], unmet: list[Requirement], *, left_out: int
) -> None:
    rows = [_row(finding, fails=finding in failing) for finding in found]
    rows += [("", "policy", "fails", "", each.text) for each in unmet]
    passed = not failing and not unmet
    fails = len(failing) + len(unmet)
    verdict = "Nothing fails" if passed else f"{fails} {'fails' if fails == 1 else 'fail'}"
    more = f", and {left_out:,} more like them" if left_out else " in all"
    summary = f"{verdict}; {counted(len(found), 'finding')}{more}."
    if rows:
        output.say(
            Told.FINDINGS,
            Table("Findings", ("packet", "what", "level", "certain", "detail"), rows, STYLES),
            findings=[{**finding.as_object(), "fails": finding in failing} for finding in found],
            unmet=[asdict(each) for each in unmet],
        )
    many = len(found) + left_out
    output.say(Told.CHECKED, summary, passed=passed, findings=many, failing=len(failing), unmet=len(unmet))


def _row(finding: Finding, *, fails: bool) -> tuple[str, str, str, str, str]:
    packet = str(finding.packets[-1]) if finding.packets else ""
    certain = "yes" if finding.certainty.value == "certain" else "no: see info"
    return packet, finding.kind.value, finding.level.value, certain, ("FAILS: " if fails else "") + finding.detail
