"""What a capture must show, and what it must not: for machines that decide."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from blechannel.methods import Method, Suite
from blechannel.wire.frames import Pair1
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, Ending, HandshakeVerified
from blechannel_capture.errors import CaptureError
from blechannel_capture.events import Event
from blechannel_capture.findings import Certainty, Finding, Kind, Level
from blechannel_capture.ledger import Ledger

METHOD_NAMES = {"passkey": Method.PASSKEY, "words": Method.WORDS} | {
    "oob": Method.OUT_OF_BAND,
    "certificate": Method.CERTIFICATE,
}
SUITE_NAMES = {suite.name.lower(): suite for suite in Suite}


@dataclass(frozen=True, slots=True)
class Require:
    """What must be there."""

    sessions: int = 0
    verified: bool = False
    closed: bool = False
    suite: Suite | None = None
    methods: frozenset[Method] | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """What fails."""

    fail_on: frozenset[Level] = frozenset({Level.ATTACK})
    inconclusive_fails: bool = False
    allow: frozenset[Kind] = frozenset()
    require: Require = field(default_factory=Require)

    def fails(self, finding: Finding) -> bool:
        """Whether a finding makes the check fail."""
        counts = finding.certainty is Certainty.CERTAIN or self.inconclusive_fails
        return counts and finding.level in self.fail_on and finding.kind not in self.allow


@dataclass(frozen=True, slots=True)
class Requirement:
    """One that is not met."""

    name: str
    text: str


def load_policy(path: Path) -> Policy:
    """The policy in a TOML file.

    Raises:
        CaptureError: no TOML, an unknown key or a value that it cannot have; the text names both.
        OSError: the file cannot be read.
    """
    try:
        return parse_policy(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaptureError(f"{path} is no TOML: {error}") from error
    except CaptureError as error:
        raise CaptureError(f"{path}: {error}") from error


def parse_policy(given: dict[str, Any]) -> Policy:
    """The policy that a TOML document says.

    Raises:
        CaptureError: an unknown key, or a value that it cannot have.
    """
    _check_keys(given, {each.name for each in fields(Policy)}, "")
    require = given.get("require", {})
    if not isinstance(require, dict):
        raise CaptureError("require is a table")
    _check_keys(require, {each.name for each in fields(Require)}, "require.")
    levels, kinds = {each.value: each for each in Level}, {each.value: each for each in Kind}
    methods = require.get("methods")
    return Policy(
        fail_on=frozenset(_each(given.get("fail_on", ["attack"]), levels, "fail_on")),
        inconclusive_fails=_flag(given, "inconclusive_fails"),
        allow=frozenset(_each(given.get("allow", []), kinds, "allow")),
        require=Require(
            sessions=_count(require, "sessions"),
            verified=_flag(require, "verified"),
            closed=_flag(require, "closed"),
            suite=None if "suite" not in require else _each([require["suite"]], SUITE_NAMES, "require.suite")[0],
            methods=None if methods is None else frozenset(_each(methods, METHOD_NAMES, "require.methods")),
            whole=_flag(require, "whole"),
        ),
    )


class Judgement:
    """Holds a capture's events to what a policy requires."""

    def __init__(self, policy: Policy) -> None:
        self._require = policy.require
        self._pairings: Counter[int] = Counter()
        self._verified: Counter[int] = Counter()
        self._ended: list[ChannelEnded] = []
        self._weak: list[Requirement] = []

    def look(self, event: Event) -> None:
        """Take an event into account."""
        if isinstance(event, HandshakeVerified):
            self._verified[event.connection.number] += 1
        elif isinstance(event, ChannelEnded):
            self._ended.append(event)
        elif isinstance(event, ChannelFrame) and event.hello is not None:
            self._pairings[event.connection.number] += 1
            if isinstance(event.frame, Pair1):
                self._pairing(event, event.hello.suite, event.hello.method)

    def _pairing(self, event: ChannelFrame, suite: int, method: int) -> None:
        require = self._require
        if require.suite is not None and suite < require.suite:
            text = f"the pairing in packet {event.packet} uses suite {suite}, which is less than required"
            self._weak.append(Requirement("suite", text))
        if require.methods is not None and method not in require.methods:
            text = f"the pairing in packet {event.packet} uses method {method}, which is not allowed"
            self._weak.append(Requirement("methods", text))

    def unmet(self, ledger: Ledger) -> list[Requirement]:
        """After the last event: what is required and not there."""
        require, unmet = self._require, list(self._weak)
        if len(self._ended) < require.sessions:
            text = f"{len(self._ended)} sessions of our channel, where {require.sessions} are required"
            unmet.append(Requirement("sessions", text))
        if require.verified:
            for number in self._pairings:
                if self._verified[number] < self._pairings[number]:
                    text = f"a handshake on connection {number} was not verified: no key log, or it does not fit"
                    unmet.append(Requirement("verified", text))
        if require.closed:
            for ended in self._ended:
                if ended.ending is not Ending.CLOSED:
                    text = f"the session on connection {ended.connection.number}: {ended.ending.value}"
                    unmet.append(Requirement("closed", text))
        if require.whole and (damage := [each.value for each in ledger.counts if each.is_fatal]):
            unmet.append(Requirement("whole", f"the capture is not whole: {'; '.join(damage)}"))
        return unmet


def _check_keys(given: dict[str, Any], known: set[str], where: str) -> None:
    for key in given.keys() - known:
        raise CaptureError(f"unknown key {where}{key}: known are {', '.join(sorted(known))}")


def _each(values: Any, known: dict[str, Any], key: str) -> list[Any]:
    if not isinstance(values, list) or not all(isinstance(each, str) and each in known for each in values):
        raise CaptureError(f"{key} is made of: {', '.join(known)}")
    return [known[each] for each in values]


def _flag(given: dict[str, Any], key: str) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        raise CaptureError(f"{key} is true or false")
    return value


def _count(given: dict[str, Any], key: str) -> int:
    value = given.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise CaptureError(f"{key} is a number, 0 or more")
    return value
