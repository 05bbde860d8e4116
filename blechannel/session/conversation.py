"""Who may say what, when: one table for both sides, read by the session, the documentation and the capture tools.

A state is named for what is known or awaited. Each side walks the whole table, with what it says and what it hears;
a missing row is the error.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from blechannel.errors import LocalProtocolError, UnexpectedFrame
from blechannel.roles import Role
from blechannel.wire.frames import (
    Bonded,
    Close,
    Confirm,
    Copied,
    Credit,
    Data,
    Deny,
    Info,
    Nonce,
    Open,
    Pair1,
    Pair2,
    Pair3,
    Ready,
    Reconnect1,
    Reconnect2,
    Refuse,
    Shut,
)


class State(Enum):
    """What both sides know so far."""

    CONNECTED = "connected"
    INFO_KNOWN = "info known"
    PAIR_KEYS_OFFERED = "pairing: the phone's keys offered"
    PAIR_KEYS_AGREED = "pairing: keys agreed, the phone's proof awaited"
    PHONE_PROVEN = "pairing: the phone knows the secret"
    WATCH_PROVEN = "pairing: both know the secret"
    PHONE_STORED = "pairing: the phone has stored the bond"
    BOND_NAMED = "reconnect: the bond is named"
    WATCH_ANSWERED = "reconnect: the watch answered, the phone's confirmation awaited"
    ESTABLISHED = "established"
    PHONE_CLOSED = "the phone has closed"
    WATCH_CLOSED = "the watch has closed"
    CLOSED = "closed by both"
    FAILED = "failed"


Said: TypeAlias = type[object]
Row: TypeAlias = dict[tuple[Role, Said], State]

_PHONE, _WATCH = Role.PHONE, Role.WATCH
_PORT_RECORDS: tuple[Said, ...] = (Open, Data, Credit, Shut)
_WATCH_RECORDS: tuple[Said, ...] = (Bonded, Copied, Deny)


def _refusable(row: Row, *roles: Role) -> Row:
    """Either side may decline, or only `roles`."""
    return {**row, **{(role, Refuse): State.FAILED for role in roles or (_PHONE, _WATCH)}}


def _talking(state: State, *roles: Role) -> Row:
    says = {_PHONE: _PORT_RECORDS, _WATCH: (*_PORT_RECORDS, *_WATCH_RECORDS)}
    return {(role, said): state for role in roles for said in says[role]}


TABLE: dict[State, Row] = {
    State.CONNECTED: _refusable({(_WATCH, Info): State.INFO_KNOWN}),
    State.INFO_KNOWN: _refusable({(_PHONE, Pair1): State.PAIR_KEYS_OFFERED, (_PHONE, Reconnect1): State.BOND_NAMED}),
    State.PAIR_KEYS_OFFERED: _refusable({(_WATCH, Pair2): State.PAIR_KEYS_AGREED}),
    State.PAIR_KEYS_AGREED: _refusable({(_PHONE, Pair3): State.PHONE_PROVEN}),
    State.PHONE_PROVEN: _refusable({(_WATCH, Nonce): State.WATCH_PROVEN}),
    State.WATCH_PROVEN: _refusable({(_PHONE, Confirm): State.PHONE_STORED}),
    # Who has said the last message but one declines no more: the last one may be on its way, and with it the channel,
    # where a refusal that nobody has signed has no place. The link's end says as much.
    State.PHONE_STORED: _refusable({(_WATCH, Bonded): State.ESTABLISHED}, _WATCH),
    State.BOND_NAMED: _refusable({(_WATCH, Reconnect2): State.WATCH_ANSWERED}),
    State.WATCH_ANSWERED: _refusable({(_PHONE, Ready): State.ESTABLISHED}, _PHONE),
    State.ESTABLISHED: {
        **_talking(State.ESTABLISHED, _PHONE, _WATCH),
        (_PHONE, Close): State.PHONE_CLOSED,
        (_WATCH, Close): State.WATCH_CLOSED,
    },
    State.PHONE_CLOSED: {
        **_talking(State.PHONE_CLOSED, _WATCH),
        (_WATCH, Close): State.CLOSED,
    },
    State.WATCH_CLOSED: {**_talking(State.WATCH_CLOSED, _PHONE), (_PHONE, Close): State.CLOSED},
    State.CLOSED: {},
    State.FAILED: {},
}

OVER = frozenset({State.CLOSED, State.FAILED})
TALKING = frozenset({State.ESTABLISHED, State.PHONE_CLOSED, State.WATCH_CLOSED})


class Conversation:
    """Where one session stands in the table, seen from `role`."""

    __slots__ = ("_peer", "hears_data", "is_over", "role", "says_data", "state")

    def __init__(self, role: Role, state: State = State.CONNECTED) -> None:
        self.role = role
        self._peer = role.peer
        self._enter(state)

    def say(self, said: Said) -> None:
        """This side says `said`.

        Raises:
            LocalProtocolError: there is no such row; the state is unchanged.
        """
        following = TABLE[self.state].get((self.role, said))
        if following is None:
            raise LocalProtocolError(f"{said.__name__} cannot be sent now: {self.state.value}")
        self._enter(following)

    def hear(self, said: Said) -> None:
        """The peer says `said`.

        Raises:
            UnexpectedFrame: there is no such row.
        """
        following = TABLE[self.state].get((self._peer, said))
        if following is None:
            raise UnexpectedFrame(f"{said.__name__} from the {self._peer.value}: {self.state.value}")
        self._enter(following)

    def fail(self) -> None:
        """Whatever happened, it is over."""
        self._enter(State.FAILED)

    def _enter(self, state: State) -> None:
        # Messages are by far the most frequent, and change no state: what they ask is looked up once a state.
        self.state = state
        self.is_over = state in OVER
        self.says_data = TABLE[state].get((self.role, Data)) is state
        self.hears_data = TABLE[state].get((self._peer, Data)) is state
