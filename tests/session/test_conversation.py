"""The table: both sides walk it alike, every state is reached, and none is a trap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import LocalProtocolError, UnexpectedFrame
from blechannel.roles import Role
from blechannel.session.conversation import OVER, TABLE, TALKING, Conversation, Said, State
from blechannel.wire.frames import (
    KINDS,
    RECORD_TYPES,
    Bonded,
    Close,
    Confirm,
    Credit,
    Data,
    Info,
    Nonce,
    Open,
    Pair1,
    Pair2,
    Pair3,
    Ready,
    Reconnect1,
    Reconnect2,
    Record,
    Refuse,
    Shut,
)

P, W = Role.PHONE, Role.WATCH
SAID: tuple[Said, ...] = tuple(cls for cls in (*KINDS.values(), *RECORD_TYPES.values()) if cls is not Record)
"""All that can be said; a Record is what carries some of it."""
EVERYTHING = [(role, said) for role in Role for said in SAID]

PAIRING = [(W, Info), (P, Pair1), (W, Pair2), (P, Pair3), (W, Nonce), (P, Confirm), (W, Bonded)]
RECONNECT = [(W, Info), (P, Reconnect1), (W, Reconnect2), (P, Ready)]


class Two:
    """A phone and a watch that tell each other everything."""

    def __init__(self) -> None:
        self.sides = {role: Conversation(role) for role in Role}

    def step(self, role: Role, said: Said) -> None:
        self.sides[role].say(said)
        self.sides[role.peer].hear(said)

    @property
    def state(self) -> State:
        phone, watch = self.sides[P].state, self.sides[W].state
        assert phone is watch
        return phone


def at(state: State, role: Role) -> Conversation:
    """One side that has come to `state` by a way through the table."""
    conversation = Conversation(role)
    for who, said in ways()[state]:
        conversation.say(said) if who is role else conversation.hear(said)
    assert conversation.state is state
    return conversation


def ways() -> dict[State, list[tuple[Role, Said]]]:
    """A shortest way from the beginning to each state that can be reached."""
    found: dict[State, list[tuple[Role, Said]]] = {State.CONNECTED: []}
    for state in (queue := [State.CONNECTED]):
        for step, following in TABLE[state].items():
            if following not in found:
                found[following] = [*found[state], step]
                queue.append(following)
    return found


# --- the table --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [PAIRING, RECONNECT], ids=["pairing", "reconnect"])
def test_the_protocol_s_own_order_leads_to_a_channel(steps: list[tuple[Role, Said]]) -> None:
    two = Two()
    for role, said in steps:
        two.step(role, said)
    assert two.state is State.ESTABLISHED


def test_there_is_one_next_message_in_a_handshake_and_otherwise_a_refusal() -> None:
    refusals = {(P, Refuse), (W, Refuse)}
    handshake = {state: set(TABLE[state]) - refusals for state in State if state not in TALKING | OVER}
    # Who has said the last message but one declines no more: it would meet a channel.
    silent = {State.PHONE_STORED: {(P, Refuse)}, State.WATCH_ANSWERED: {(W, Refuse)}}
    for state in handshake:
        declined = {said: to for said, to in TABLE[state].items() if said in refusals}
        assert declined == dict.fromkeys(refusals - silent.get(state, set()), State.FAILED)
    choices = {state: steps for state, steps in handshake.items() if len(steps) != 1}
    assert choices == {State.INFO_KNOWN: {(P, Pair1), (P, Reconnect1)}}


def test_every_state_has_its_row_and_can_be_reached() -> None:
    assert set(TABLE) == set(State)
    assert set(ways()) == set(State)


def test_every_state_leads_to_an_end() -> None:
    ends = set(OVER)
    while more := {s for s in State if s not in ends and ends.intersection(TABLE[s].values())}:
        ends |= more
    assert ends == set(State)
    assert all(not TABLE[state] for state in OVER)


def test_everything_declared_is_said_somewhere_and_nothing_else() -> None:
    assert {said for row in TABLE.values() for _, said in row} == set(SAID)


def test_messages_flow_only_where_both_have_proven_themselves() -> None:
    ported: set[Said] = {Open, Data, Credit, Shut, Close}
    assert {state for state in State if ported.intersection(said for _, said in TABLE[state])} == TALKING
    for talking in (State.PHONE_CLOSED, State.WATCH_CLOSED):
        closed = P if talking is State.PHONE_CLOSED else W
        assert {role for role, _ in TABLE[talking]} == {closed.peer}


@pytest.mark.parametrize("first", Role)
def test_closes_that_cross_are_an_end(first: Role) -> None:
    sides = {role: at(State.ESTABLISHED, role) for role in Role}
    for role in (first, first.peer):
        sides[role].say(Close)
    for role in Role:
        sides[role].hear(Close)
        assert sides[role].state is State.CLOSED


def test_what_is_under_way_when_the_other_side_closes_is_still_heard() -> None:
    for role in Role:
        closed = at(State.ESTABLISHED, role)
        closed.say(Close)
        for said in (Open, Data, Credit, Shut):
            closed.hear(said)
            with pytest.raises(LocalProtocolError):
                closed.say(said)


# --- walking it -------------------------------------------------------------------------------------------------


@given(choices=st.lists(st.integers(0, 50), max_size=30))
def test_what_one_may_say_the_other_may_hear_and_only_that(choices: list[int]) -> None:
    two = Two()
    for choice in choices:
        before = two.state
        for role, said in EVERYTHING:
            if (role, said) not in TABLE[before]:
                with pytest.raises(LocalProtocolError):
                    two.sides[role].say(said)
                with pytest.raises(UnexpectedFrame):
                    two.sides[role.peer].hear(said)
        if before in OVER:
            return
        # The first row is the handshake's own next step: most walks get far.
        steps = list(TABLE[before])
        step = steps[choice if choice < len(steps) else 0]
        two.step(*step)
        assert two.state is TABLE[before][step]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
def test_a_missing_row_raises_and_leaves_the_state(state: State, role: Role) -> None:
    conversation = at(state, role)
    for said in SAID:
        if (role, said) not in TABLE[state]:
            with pytest.raises(LocalProtocolError, match=f"{said.__name__} cannot be sent now: {state.value}"):
                conversation.say(said)
        if (role.peer, said) not in TABLE[state]:
            with pytest.raises(UnexpectedFrame, match=f"{said.__name__} from the {role.peer.value}: {state.value}"):
                conversation.hear(said)
    assert conversation.state is state


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
def test_the_short_way_for_messages_is_the_table_s(state: State, role: Role) -> None:
    conversation = at(state, role)
    assert conversation.says_data == ((role, Data) in TABLE[state])
    assert conversation.hears_data == ((role.peer, Data) in TABLE[state])
    # It looks once a state: a message may therefore not change the state.
    assert all(TABLE[state].get((who, Data), state) is state for who in Role)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
def test_failing_ends_it_from_anywhere(state: State, role: Role) -> None:
    conversation = at(state, role)
    conversation.fail()
    assert conversation.state is State.FAILED
    assert not conversation.says_data
    assert not conversation.hears_data


def test_a_record_is_never_said_itself() -> None:
    for state in State:
        with pytest.raises(UnexpectedFrame):
            at(state, Role.WATCH).hear(Record)
