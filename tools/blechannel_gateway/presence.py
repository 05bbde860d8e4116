"""Who is there: what gateways say of themselves and of their watches, retained at the broker.

A client has one last will, so that a gateway's death says nothing of its watches by itself. Each watch's state names
the gateway's run in which it was said; it holds while that run is online. So one will takes back the presence of all.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from blechannel_gateway.courier import Letter
from blechannel_gateway.topics import Topics

MOST_WATCHES: Final = 100_000
MOST_BYTES: Final = 1024
_RUN: Final = re.compile(r"[0-9a-f]{16}")


class Link(StrEnum):
    """Of a watch with its gateway."""

    SEARCHING = "searching"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class GatewayPresence:
    """Whether a run of a gateway is connected to the broker."""

    online: bool
    run: str
    """16 hexadecimal digits, new with each start."""

    def letter(self, topics: Topics, gateway: str) -> Letter:
        """As it is published, and as the last will."""
        return Letter(topics.presence(gateway), _json(asdict(self)), retain=True)


@dataclass(frozen=True, slots=True)
class WatchState:
    """What a gateway last said of a watch."""

    link: Link
    gateway: str
    run: str
    since_s: int
    """Unix time."""

    def letter(self, topics: Topics, watch: str) -> Letter:
        """As it is published."""
        return Letter(topics.state(watch), _json(asdict(self)), retain=True)


class Roster:
    """Presence as a subscriber sees it. Feed it letters with `heard`."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._gateways: dict[str, GatewayPresence] = {}
        self._watches: dict[str, WatchState] = {}

    @property
    def watches(self) -> dict[str, WatchState]:
        """By pseudonym, as last said."""
        return dict(self._watches)

    def is_connected(self, watch: str) -> bool:
        """Whether the watch is connected to a gateway that is there itself."""
        state = self._watches.get(watch)
        if state is None or state.link is not Link.CONNECTED:
            return False
        return self._gateways.get(state.gateway) == GatewayPresence(online=True, run=state.run)

    def heard(self, letter: Letter) -> bool:
        """Take a letter in; False where it is none of presence, or malformed."""
        watch, gateway = self._topics.watch_of_state(letter.topic), self._topics.gateway_of_presence(letter.topic)
        said = _object(letter.payload)
        if watch is not None and (state := _state(said)) is not None and self._has_room(self._watches, watch):
            self._watches[watch] = state
        elif (
            gateway is not None
            and (presence := _presence(said)) is not None
            and self._has_room(self._gateways, gateway)
        ):
            self._gateways[gateway] = presence
        else:
            return False
        return True

    @staticmethod
    def _has_room(known: dict[str, GatewayPresence] | dict[str, WatchState], name: str) -> bool:
        return name in known or len(known) < MOST_WATCHES


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _object(payload: bytes) -> dict[str, object]:
    try:
        value = json.loads(payload) if len(payload) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _state(said: dict[str, object]) -> WatchState | None:
    link, gateway, since_s = said.get("link"), said.get("gateway"), said.get("since_s")
    run = _run(said)
    if link not in [member.value for member in Link] or not isinstance(gateway, str) or run is None:
        return None
    return WatchState(Link(link), gateway, run, since_s) if isinstance(since_s, int) else None


def _presence(said: dict[str, object]) -> GatewayPresence | None:
    online, run = said.get("online"), _run(said)
    return GatewayPresence(online, run) if isinstance(online, bool) and run is not None else None


def _run(said: dict[str, object]) -> str | None:
    run = said.get("run")
    return run if isinstance(run, str) and _RUN.fullmatch(run) else None
