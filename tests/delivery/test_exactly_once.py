"""Whatever breaks at whichever step, each message arrives once and in order; hypothesis chooses what breaks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blechannel.delivery.policies import BestEffort, Latest, Ordered, Policy
from tests.delivery.model import Pair, World

SMALL = Ordered(max_messages=3, max_bytes=300)

STEPS = st.sampled_from(
    ("send", "send large", "carry", "carry", "carry", "write", "write", "read", "take", "cut", "crash", "full")
)
ACTIONS = st.lists(st.tuples(STEPS, st.booleans()), max_size=80)


def act(pair: Pair, step: str, side: World, sent: dict[int, list[bytes]]) -> None:
    match step:
        case "send" | "send large":
            waiting = side.lane.waiting
            body = len(sent[side.name]).to_bytes(2) + bytes(150 if step == "send large" else 0)
            if len(waiting.entries) < 6:
                side.queue(body)
                sent[side.name].append(body)
        case "carry":
            pair.carry(side)
        case "write":
            side.write_one()
        case "read":
            side.read_one()
        case "take":
            side.take()
        case "cut":
            pair.connect()
        case "crash":
            side.crash()
            pair.connect()
        case _:
            side.full = not side.full


def end(pair: Pair) -> None:
    """Everything is whole again, and what waits is delivered."""
    for side in pair.both:
        side.full = False
    pair.connect()
    for _ in range(10):
        pair.settle()
        for side in pair.both:
            assert side.talk is not None
            side.talk.retry()
            side.perform()
    pair.settle()


@given(ACTIONS)
@settings(max_examples=50, deadline=None)
def test_ordered_messages_arrive_once_and_in_order(actions: list[tuple[str, bool]]) -> None:
    deliver(actions)


@pytest.mark.long
@given(st.lists(st.tuples(STEPS, st.booleans()), max_size=400))
@settings(max_examples=3000, deadline=None)
def test_ordered_messages_arrive_once_and_in_order_for_long(actions: list[tuple[str, bool]]) -> None:
    deliver(actions)


def deliver(actions: list[tuple[str, bool]]) -> None:
    """Do all this, let everything be whole again, and compare."""
    pair = Pair(SMALL)
    sent: dict[int, list[bytes]] = {1: [], 2: []}
    pair.connect()
    for step, left in actions:
        act(pair, step, pair.left if left else pair.right, sent)
    end(pair)
    for sender, receiver in ((pair.left, pair.right), (pair.right, pair.left)):
        assert [body for _, body in receiver.shown] == sent[sender.name]
        assert not sender.lane.waiting.entries
        assert len({message_id for message_id, _ in receiver.shown}) == len(receiver.shown)


@pytest.mark.parametrize("policy", [Latest(), BestEffort()], ids=lambda policy: policy.kind.name)
@given(actions=ACTIONS)
@settings(max_examples=30, deadline=None)
def test_other_policies_never_show_anything_twice_or_out_of_order(
    policy: Policy, actions: list[tuple[str, bool]]
) -> None:
    pair = Pair(policy)
    sent: dict[int, list[bytes]] = {1: [], 2: []}
    pair.connect()
    for step, left in actions:
        act(pair, step, pair.left if left else pair.right, sent)
    end(pair)
    for sender, receiver in ((pair.left, pair.right), (pair.right, pair.left)):
        shown = [body for _, body in receiver.shown]
        assert shown == sorted(set(shown))
        assert set(shown) <= set(sent[sender.name])
