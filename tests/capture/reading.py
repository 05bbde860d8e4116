"""Captures read from memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.capture import Capture
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.containers.source import never
from blechannel_capture.events import Event
from blechannel_capture.findings import Finding, Findings, Kind, Level
from blechannel_capture.ledger import Damage, Ledger

Kept = TypeVar("Kept", bound=Event)


@dataclass(slots=True)
class Heard:
    """A capture that was read to its end."""

    capture: Capture
    events: list[Event]
    findings: list[Finding]

    @property
    def ledger(self) -> Ledger:
        return self.capture.ledger

    def all(self, kind: type[Kept]) -> list[Kept]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def damage(self) -> dict[Damage, int]:
        """How often what was entered."""
        return dict(self.ledger.counts)

    def attacks(self) -> set[Kind]:
        """What was found that nobody honest does."""
        return {each.kind for each in self.findings if each.level is Level.ATTACK}


def hear(
    content: bytes,
    *,
    strict: bool = False,
    link_keys: KeyRing | None = None,
    key_log: KeyLog | None = None,
    wait: Callable[[], bool] = never,
) -> Heard:
    """All that a capture of those bytes says."""
    keys = KeyRing(search_passkeys=False) if link_keys is None else link_keys
    return drain(Capture(io.BytesIO(content), strict=strict, link_keys=keys, key_log=key_log, wait=wait))


def drain(capture: Capture) -> Heard:
    """Read a capture to its end."""
    watchers = Findings(capture.ledger, capture.gatt)
    heard = Heard(capture, [], [])
    for event in capture:
        heard.events.append(event)
        heard.findings.extend(watchers.look(event))
    heard.findings[:] = watchers.in_hindsight([*heard.findings, *watchers.end()])
    return heard
