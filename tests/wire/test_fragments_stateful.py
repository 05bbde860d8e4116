"""Two live streams over two queues, driven at random: nothing is lost, repeated or reordered without being noticed."""

from __future__ import annotations

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from blechannel.errors import FragmentRefused, PeerTimedOut
from blechannel.limits import INITIAL_WINDOW, MAX_FRAME_BYTES, MAX_WINDOW, MIN_WINDOW
from blechannel.wire.fragments import FRAGMENT, FragmentStream
from tests.wire.ends import PATIENCE, control, data, end, frame, met, settle

SIDES = st.sampled_from([0, 1])
WINDOWS = st.integers(MIN_WINDOW, MAX_WINDOW)
FRAGMENT_BYTES = st.integers(20, 64) | st.integers(20, 512)


class JoinedStreams(RuleBasedStateMachine):
    """The model is what each side was given to send; the first frame tells the window, as INFO and HELLO do."""

    @initialize(windows=st.tuples(WINDOWS, WINDOWS), fragment_bytes=FRAGMENT_BYTES)
    def join(self, windows: tuple[int, int], fragment_bytes: int) -> None:
        self.now = 0.0
        self.windows = windows
        self.ends = [
            end(fragment_bytes=fragment_bytes, window=window, max_frame_bytes=MAX_FRAME_BYTES) for window in windows
        ]
        self.air: tuple[deque[bytes], deque[bytes]] = (deque(), deque())
        self.sent: tuple[list[bytes], list[bytes]] = ([], [])
        self.arrived: tuple[list[bytes], list[bytes]] = ([], [])
        self.data_out = [0, 0]
        self.data_acknowledged = [0, 0]

    @rule(side=SIDES, size=st.integers(3, 60) | st.integers(3, 512), fill=st.integers(0, 255))
    def send(self, side: int, size: int, fill: int) -> None:
        self.ends[side].send(frame(size, fill))
        self.sent[side].append(frame(size, fill))

    @rule(side=SIDES)
    def cut(self, side: int) -> None:
        for fragment in self.ends[side].fragments_to_send(self.now):
            self.data_out[side] += len(fragment) > 2
            self.air[side].append(fragment)
            if len(fragment) > 2 and self.arrived[side]:
                assert self.data_out[side] - self.data_acknowledged[side] <= self.windows[1 - side] - 1

    @rule(side=SIDES, count=st.integers(1, 80))
    def deliver(self, side: int, count: int) -> None:
        other = 1 - side
        for _ in range(min(count, len(self.air[side]))):
            fragment = self.air[side].popleft()
            self.note_acknowledgement(other, fragment)
            whole = self.ends[other].receive(fragment, self.now)
            if whole is not None:
                self.frame_arrived(other, whole)

    def note_acknowledgement(self, side: int, fragment: bytes) -> None:
        acknowledged = FRAGMENT.parse(fragment).header.acknowledgement
        self.data_acknowledged[side] += (acknowledged - self.data_acknowledged[side]) % 128

    def frame_arrived(self, side: int, whole: bytes) -> None:
        if not self.arrived[side]:
            window = self.windows[1 - side]
            self.ends[side].peer_limits(window=window, max_frame_bytes=MAX_FRAME_BYTES)
        self.arrived[side].append(whole)

    @rule(side=SIDES, fragment_bytes=FRAGMENT_BYTES)
    def change_payload(self, side: int, fragment_bytes: int) -> None:
        self.ends[side].grow(fragment_bytes)

    @rule(wait_s=st.floats(0.0, 0.1))
    def wait(self, wait_s: float) -> None:
        self.now += wait_s
        for stream in self.ends:
            stream.expire(self.now)

    @invariant()
    def what_arrived_is_the_beginning_of_what_was_sent(self) -> None:
        for side in (0, 1):
            assert self.arrived[1 - side] == self.sent[side][: len(self.arrived[1 - side])]

    @invariant()
    def the_last_slot_stays_free(self) -> None:
        for side in (0, 1):
            granted = max(self.windows[1 - side], INITIAL_WINDOW) - 1
            assert self.data_out[side] - self.data_acknowledged[side] <= granted
            in_flight = self.data_out[side] > self.data_acknowledged[side]
            assert self.ends[side].has_unacknowledged() == in_flight

    def teardown(self) -> None:
        """However the run ended, carrying what is left brings both sides to rest with everything delivered."""
        if not hasattr(self, "ends"):
            return
        for _ in range(5000):
            for side in (0, 1):
                self.cut(side)
                self.deliver(side, 80)
            if not any(stream.has_unacknowledged() or stream.queued_bytes for stream in self.ends):
                break
            self.wait(0.01)
        for side in (0, 1):
            assert self.arrived[1 - side] == self.sent[side]
            assert self.ends[side].fragments_to_send(self.now) == []
            assert not self.ends[side].has_unacknowledged()


JoinedStreams.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_joined_streams = JoinedStreams.TestCase


# --- one fault on the way, whatever it is ---


class FaultyAir:
    """Carries from the first to the second side and back; the chosen fragment of the first one is tampered with."""

    def __init__(self, fault: str, at: int, bit: int) -> None:
        self.fault = fault
        self.at = at
        self.bit = bit
        self.passed = 0
        self.struck = False
        self.held: list[bytes] = []

    def pass_on(self, fragments: list[bytes]) -> list[bytes]:
        out: list[bytes] = []
        for fragment in fragments:
            out += self.tampered(fragment) if self.passed == self.at else [fragment, *self.release()]
            self.passed += 1
        return out

    def release(self) -> list[bytes]:
        released, self.held = self.held, []
        return released

    def tampered(self, fragment: bytes) -> list[bytes]:
        self.struck = True
        match self.fault:
            case "drop":
                return []
            case "duplicate":
                return [fragment, fragment]
            case "swap":
                self.held = [fragment]
                return []
            case "inject data":
                return [data(fragment[0] & 127, frame(9), ack=fragment[1] & 127), fragment]
            case "inject control":
                return [control(self.bit * 9), fragment]
            case _:
                changed = bytearray(fragment)
                changed[self.bit // 8] ^= 1 << self.bit % 8
                return [bytes(changed)]


FAULTS = ["drop", "duplicate", "swap", "inject data", "inject control", "flip"]


def run_with(air: FaultyAir, ends: tuple[FragmentStream, FragmentStream], limit_s: float) -> tuple[list[bytes], bool]:
    """What the second side received, and whether either side noticed something before `limit_s`."""
    first, second = ends
    arrived: list[bytes] = []
    now = 1.0
    try:
        while now < limit_s:
            for fragment in air.pass_on(first.fragments_to_send(now)):
                whole = second.receive(fragment, now)
                if whole is not None:
                    arrived.append(whole)
            for fragment in second.fragments_to_send(now):
                first.receive(fragment, now)
            now += 0.25
            first.expire(now)
            second.expire(now)
    except (FragmentRefused, PeerTimedOut):
        return arrived, True
    return arrived, False


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(FAULTS), st.integers(0, 40), st.integers(0, 15), WINDOWS,
    st.lists(st.integers(3, 300), min_size=1, max_size=8),
)  # fmt: skip
def test_a_fault_is_noticed_or_harmless(fault: str, at: int, bit: int, window: int, sizes: list[int]) -> None:
    ends = met(64, window, fragment_bytes=40)
    sent = [frame(size, fill) for fill, size in enumerate(sizes)]
    for each in sent:
        ends[0].send(each)
    air = FaultyAir(fault, at, bit)
    arrived, noticed = run_with(air, ends, 1.0 + PATIENCE.keepalive_s + 2 * PATIENCE.stall_s)
    if fault != "inject data":  # a well-formed stranger is for the record layer to refuse
        assert arrived == sent[: len(arrived)]
    assert noticed or arrived == sent
    assert air.struck or not noticed


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["drop", "duplicate", "inject data"]), st.integers(0, 30), WINDOWS)
def test_a_lost_or_foreign_data_fragment_is_always_noticed_by_the_probe(fault: str, at: int, window: int) -> None:
    ends = met(64, window, fragment_bytes=40)
    for _ in range(31):
        ends[0].send(frame(30))
    _, noticed = run_with(FaultyAir(fault, at, 0), ends, 1.0 + 40 + PATIENCE.stall_s / 2)
    assert noticed


def test_without_a_fault_nothing_is_noticed() -> None:
    ends = met(64, 8, fragment_bytes=40)
    ends[0].send(frame(300))
    assert run_with(FaultyAir("drop", 10_000, 0), ends, 120.0) == ([frame(300)], False)
    assert settle(list(ends), 120.0)[:2] == ([], [])
