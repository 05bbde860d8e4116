"""Attacks on live phones and watches, as one side's capture shows them: each is found where it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from blechannel.codec import decode, encode
from blechannel.config import Policy
from blechannel.methods import Method
from blechannel.roles import Role
from blechannel.session.events import Established
from blechannel.session.setup import Pair
from blechannel.wire.frames import (
    Data,
    Hello,
    Info,
    Pair1,
    Reconnect1,
    Refusal,
    Refuse,
    decode_frame,
    encode_frame,
)
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, Ending
from blechannel_capture.events import Verdict
from blechannel_capture.findings import Certainty, Finding, Kind, Level
from blechannel_capture.packet import LinkType
from tests.attacks.mallory import RECORD_KIND, Heard, Mallory, seal
from tests.attacks.test_online_guessing import other
from tests.capture.channel_traffic import CapturedWorld, honest_life, new_window
from tests.capture.reading import Heard as Read
from tests.capture.reading import hear
from tests.capture.writing import btsnoop, snoop_flags
from tests.session.middle import Meddle, Middle, pass_on
from tests.session.sides import Side, join
from tests.session.test_certificates import PHONE, STRANGER, WATCH, trusting


def bonded() -> CapturedWorld:
    world = CapturedWorld("attacked")
    phone, watch = world.pairing()
    with world.connection(phone, watch):
        join(phone, watch)
    world.window = None
    return world


def found(heard: Read, kind: Kind) -> list[Finding]:
    return [each for each in heard.findings if each.kind is kind]


def talking(world: CapturedWorld, meddle: Meddle, messages: int = 3) -> tuple[Side, Side]:
    """A reconnect on which the phone says some messages through the middle."""
    phone, watch = world.reconnecting()
    with world.connection(phone, watch):
        middle = Middle(phone, watch, meddle)
        middle.run()
        port = phone.session.traffic.open("talk")
        for number in range(messages):
            phone.session.traffic.send(port, bytes([number]) * 20)
        middle.run()
    return phone, watch


def of_records(change: Callable[[int, bytes], list[bytes]]) -> Meddle:
    """Changes the phone's records, by their number."""
    said = []

    def meddle(sender: Role, _number: int, frame: bytes) -> Heard:
        if sender is not Role.PHONE or frame[0] != RECORD_KIND:
            return [(sender.peer, frame)]
        said.append(frame)
        return [(Role.WATCH, each) for each in change(len(said) - 1, frame)]

    return meddle


# --- records ---


def flip(number: int, frame: bytes) -> list[bytes]:
    return [frame[:-1] + bytes([frame[-1] ^ 1])] if number == 2 else [frame]


def drop(number: int, frame: bytes) -> list[bytes]:
    return [] if number == 2 else [frame]


def double(number: int, frame: bytes) -> list[bytes]:
    return [frame] * (2 if number == 2 else 1)


class Swap:
    """The third record after the fourth."""

    def __init__(self) -> None:
        self._held = b""

    def __call__(self, number: int, frame: bytes) -> list[bytes]:
        if number == 2:
            self._held = frame
            return []
        return [frame, self._held] if number == 3 else [frame]


RECORD_ATTACKS: dict[str, tuple[Callable[[], Callable[[int, bytes], list[bytes]]], set[Kind]]] = {
    "altered": (lambda: flip, {Kind.ALTERED}),
    "dropped": (lambda: drop, {Kind.RECORD_MISSING}),
    "doubled": (lambda: double, {Kind.REPLAY}),
    "swapped": (Swap, {Kind.RECORD_MISSING, Kind.REORDERED}),
}


@pytest.mark.parametrize("name", RECORD_ATTACKS)
def test_what_was_done_to_a_record_is_found_where_it_arrives(name: str) -> None:
    change, kinds = RECORD_ATTACKS[name]
    world = bonded()
    _, watch = talking(world, of_records(change()))
    assert watch.session.is_over, "the watch has noticed, too"
    heard = world.heard_by(Role.WATCH)
    assert heard.attacks() == kinds
    for finding in heard.findings:
        if finding.level is Level.ATTACK:
            assert finding.certainty is Certainty.CERTAIN
            assert finding.connection == 2
            assert any(each.packet == finding.packets[-1] for each in heard.all(ChannelFrame))
    assert world.heard_by(Role.PHONE).attacks() == set(), "what the phone has said was honest"


@pytest.mark.parametrize("has_beginning", [True, False])
def test_where_the_beginning_is_missing_nothing_is_certain(has_beginning: bool) -> None:
    world = bonded()
    talking(world, of_records(flip))
    tap = world.taps[Role.WATCH]
    second = [number for number, each in enumerate(tap.said) if each.data[:3] == b"\x3e\x13\x01"][1]
    if not has_beginning:
        del tap.said[second]
    [finding] = found(world.heard_by(Role.WATCH), Kind.ALTERED)
    assert finding.certainty is (Certainty.CERTAIN if has_beginning else Certainty.INCONCLUSIVE)
    assert ("inconclusive" in str(finding)) is not has_beginning


def with_losses(world: CapturedWorld, lost: int) -> Read:
    """The watch's capture, whose program says in its last packet but some that it has lost others."""
    said = world.taps[Role.WATCH].said
    records = [(each.time_ns, snoop_flags(each), each.h4) for each in said]
    content = btsnoop(LinkType.SNOOP_H4, records, drops=[lost * (number > 12) for number in range(len(said))])
    return hear(content, key_log=world.key_log(Role.WATCH))


def test_where_the_capturing_program_has_lost_packets_nothing_is_certain() -> None:
    world = bonded()
    talking(world, of_records(flip))
    for lost, certainty in ((0, Certainty.CERTAIN), (1, Certainty.INCONCLUSIVE)):
        [finding] = found(with_losses(world, lost), Kind.ALTERED)
        assert finding.certainty is certainty
    missing = bonded()
    talking(missing, of_records(drop))
    assert found(with_losses(missing, 0), Kind.RECORD_MISSING)
    assert not found(with_losses(missing, 1), Kind.RECORD_MISSING), "the loss explains it"


def test_the_same_records_untouched_are_no_attack() -> None:
    world = bonded()
    talking(world, pass_on)
    assert world.heard_by(Role.WATCH).attacks() == set()


def test_a_copy_is_found_without_any_key() -> None:
    world = bonded()
    talking(world, of_records(double))
    assert world.heard_by(Role.WATCH, with_keys=False).attacks() == {Kind.REPLAY}


def test_two_records_under_one_number_are_found() -> None:
    """A broken phone, whose counter stands still."""
    world = bonded()
    phone, watch = world.reconnecting()
    with world.connection(phone, watch):
        join(phone, watch)
        stage = phone.session._stage
        keys = stage.sealer()._send
        for text in (b"one", b"two"):
            number = keys.n
            stage.stream.send(seal(keys, Data(0, text)))
            keys.n = number
        watch.hear(phone.said())
    [finding] = found(world.heard_by(Role.WATCH), Kind.NONCE_REUSE)
    assert finding.level is Level.ATTACK
    assert finding.certainty is Certainty.CERTAIN


def test_a_record_that_is_played_back_to_its_sender_is_found() -> None:
    world = bonded()

    def reflect(sender: Role, number: int, frame: bytes) -> Heard:
        is_told = sender is Role.PHONE and frame[0] == RECORD_KIND and number > 4
        return [(sender if is_told else sender.peer, frame)]

    talking(world, reflect)
    assert world.heard_by(Role.PHONE).attacks() == {Kind.ALTERED}


# --- first messages ---


def test_a_replayed_first_message_is_found() -> None:
    world = bonded()
    recorded = world.meet(*world.reconnecting()).seen[1][1]
    phone, watch = world.reconnecting()

    def play(sender: Role, number: int, frame: bytes) -> Heard:
        return [(sender.peer, recorded if sender is Role.PHONE and number == 1 else frame)]

    world.meet(phone, watch, play)
    assert not watch.told(Established)
    for with_keys in (True, False):
        heard = world.heard_by(Role.WATCH, with_keys=with_keys)
        assert heard.attacks() == {Kind.REPLAY}
        [finding] = found(heard, Kind.REPLAY)
        assert len(finding.packets) == 2
        assert [type(each.frame) for each in heard.all(ChannelFrame) if each.packet in finding.packets] == [
            Reconnect1,
            Reconnect1,
        ]


@pytest.mark.parametrize("number", [0, 1])
def test_a_first_message_twice_on_one_connection_is_found(number: int) -> None:
    world = bonded()
    meddle: Meddle = lambda sender, at, frame: [(sender.peer, frame)] * (2 if at == number else 1)  # noqa: E731
    world.meet(*world.reconnecting(), meddle)
    assert world.heard_by(Role.PHONE if number == 0 else Role.WATCH, with_keys=False).attacks() == {
        Kind.REPLAY,
        Kind.CONVERSATION,
    }


def test_a_replayed_greeting_is_found() -> None:
    world = bonded()
    info = world.meet(*world.reconnecting()).seen[0][1]

    def play(sender: Role, number: int, frame: bytes) -> Heard:
        return [(sender.peer, info if number == 0 else frame)]

    world.meet(*world.reconnecting(), play)
    assert world.heard_by(Role.PHONE, with_keys=False).attacks() == {Kind.REPLAY}


# --- downgrades ---


CHOICES = {"version": (0, 9), "suite": (0, 7, 255), "method": (0, 5, 255)}


def altering(info: dict[str, int], hello: dict[str, int]) -> Meddle:
    def meddle(sender: Role, _number: int, frame: bytes) -> Heard:
        said = decode_frame(frame)
        if isinstance(said, Info):
            return [(sender.peer, encode_frame(replace(said, **info)))]  # type: ignore[arg-type]
        if isinstance(said, Pair1):
            chosen = replace(decode(Hello, said.hello), **hello)
            return [(sender.peer, encode_frame(replace(said, hello=encode(chosen))))]
        return [(sender.peer, frame)]

    return meddle


def attempt(world: CapturedWorld, meddle: Meddle) -> Read:
    phone, watch = world.pairing()
    world.meet(phone, watch, meddle)
    assert not watch.told(Established)
    return world.heard_by(Role.WATCH)


def test_hiding_the_hybrid_suite_is_found_at_the_watch() -> None:
    heard = attempt(CapturedWorld("downgrade", policy=Policy()), altering({"suites": 1}, {}))
    assert Kind.DOWNGRADE in {each.kind for each in heard.findings}


NOT_OFFERED = [{field: value} for field, values in CHOICES.items() for value in values]


@pytest.mark.parametrize("hello", NOT_OFFERED)
def test_a_choice_that_was_not_offered_is_found(hello: dict[str, int]) -> None:
    heard = attempt(CapturedWorld("downgrade"), altering({}, hello))
    assert heard.attacks() == {Kind.DOWNGRADE}
    [finding] = found(heard, Kind.DOWNGRADE)
    assert finding.certainty is Certainty.CERTAIN


# --- guesses, copies, endings ---


@pytest.mark.parametrize("with_keys", [True, False])
def test_guessing_is_found_and_a_slip_is_not(with_keys: bool) -> None:
    world = CapturedWorld("guessing")
    for guesses in range(1, 4):
        window = world.window or new_window(world)
        phone, watch = world.pairing(code=other(window.code))
        world.meet(phone, watch)
        heard = world.heard_by(Role.WATCH, with_keys=with_keys)
        assert heard.attacks() == ({Kind.GUESSING} if guesses == 3 else set())
    [finding] = found(heard, Kind.GUESSING)
    assert len(finding.packets) == 3


@pytest.mark.parametrize("with_keys", [True, False])
def test_pairings_that_fail_after_the_watch_has_taken_the_proof_are_no_guesses(with_keys: bool) -> None:
    """The code was right each time: what fails is the trust in a certificate."""
    world = CapturedWorld("strangers", method=Method.CERTIFICATE)
    world.phone_credentials, world.watch_credentials = trusting(STRANGER, WATCH), trusting(WATCH, PHONE)
    for _ in range(4):
        world.window = world.new_window()
        phone, watch = world.pairing()
        world.meet(phone, watch)
        assert not watch.told(Established)
    heard = world.heard_by(Role.WATCH, with_keys=with_keys)
    assert [each.name for each in heard.all(ChannelFrame)].count("Pair3") == 4
    assert heard.attacks() == set()


def test_carried_secrets_that_do_not_fit_are_no_guesses() -> None:
    """Nobody guesses 256 bits: somebody has read an old ticket."""
    world = CapturedWorld("tickets", method=Method.OUT_OF_BAND)
    for _ in range(4):
        world.window = world.new_window()
        ticket = replace(world.window.ticket(), secret=bytes(32))
        phone, watch = world.phone(Pair(Method.OUT_OF_BAND, None, ticket)), world.watch()
        world.meet(phone, watch)
        assert not watch.told(Established)
    heard = world.heard_by(Role.WATCH)
    assert [each.name for each in heard.all(ChannelFrame)].count("Pair3") == 4
    assert heard.attacks() == set()


def test_a_man_in_the_middle_of_a_pairing_is_seen_to_fail() -> None:
    world = CapturedWorld("mallory")
    assert world.window is not None
    phone, watch = world.pairing()
    world.meet(phone, watch, Mallory(code=other(world.window.code)))
    heard = world.heard_by(Role.WATCH, keys_of=Role.PHONE)
    assert [each.ending for each in heard.all(ChannelEnded)] == [Ending.REFUSED]
    [m1] = [each for each in heard.all(ChannelFrame) if isinstance(each.frame, Pair1)]
    assert m1.verdict is Verdict.WRONG_KEY, "these are not the phone's keys"
    assert Kind.UNKNOWN_KEY in {each.kind for each in heard.findings}


def test_evidence_of_a_copied_bond_is_found() -> None:
    world = bonded()
    copy = world.phone_shelf.book
    world.meet(*world.reconnecting())
    moved, world.phone_shelf.book = world.phone_shelf.book, copy
    world.meet(*world.reconnecting())
    world.phone_shelf.book = moved
    world.meet(*world.reconnecting())
    heard = world.heard_by(Role.PHONE)
    assert Kind.NOT_RECOGNISED in {each.kind for each in heard.findings}
    assert heard.attacks() == {Kind.COPIED_BOND}


def test_a_cut_is_said_to_be_one() -> None:
    world = bonded()
    talking(world, pass_on)
    heard = world.heard_by(Role.WATCH)
    assert [each.ending for each in heard.all(ChannelEnded)][-1] is Ending.CUT_OFF
    assert len(found(heard, Kind.CUT_OFF)) == 2
    assert len(found(honest_life().heard_by(Role.WATCH), Kind.CUT_OFF)) == 1, "the pairing was not closed"


def test_a_forged_refusal_in_the_middle_of_a_session_is_found() -> None:
    world = bonded()

    def forge(sender: Role, number: int, frame: bytes) -> Heard:
        refusal = [(Role.WATCH, encode_frame(Refuse(Refusal.NOT_RECOGNISED)))] if number == 5 else []
        return [*refusal, (sender.peer, frame)]

    talking(world, forge)
    heard = world.heard_by(Role.WATCH)
    assert Kind.CONVERSATION in heard.attacks()


def test_bytes_that_are_no_frame_are_found() -> None:
    world = bonded()

    def junk(sender: Role, number: int, frame: bytes) -> Heard:
        return [(sender.peer, b"\x77\x00\x01x" if number == 1 else frame)]

    world.discovers = True
    world.meet(*world.reconnecting(), junk)
    assert world.heard_by(Role.WATCH).attacks() == {Kind.MALFORMED}


def test_every_finding_reads_as_one_line() -> None:
    world = bonded()
    talking(world, of_records(flip))
    [line] = [str(each) for each in world.heard_by(Role.WATCH).findings if each.level is Level.ATTACK]
    assert line.startswith("attack: altered: packet ")
    assert "\n" not in line
