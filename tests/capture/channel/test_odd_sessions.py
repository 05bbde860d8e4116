"""What a broken or hostile side says under keys that fit: records that are none, choices that nobody knows."""

from __future__ import annotations

import pytest

from blechannel.codec import encode
from blechannel.noise import DH_25519, HandshakeState, Keys
from blechannel.pairing import keys
from blechannel.roles import Role
from blechannel.session.trace import key_log_line
from blechannel.wire.frames import Hello, Info, Mode, Reconnect1, Reconnect2, encode_frame
from blechannel_capture.channel.direction import REMEMBERED
from blechannel_capture.channel.events import ChannelFrame, HandshakeVerified
from blechannel_capture.channel.key_log import read_key_log
from blechannel_capture.channel.listener import Listener
from blechannel_capture.events import Connection, Verdict
from blechannel_capture.findings import Kind
from tests.capture.findings.test_attacks import bonded
from tests.capture.reading import Heard, hear
from tests.capture.traffic import INBOX, OUTBOX, HostTraffic
from tests.capture.writing import HCI_FILES
from tests.session.sides import Stream, join

INFO = Info(1, 1, 0x0F, 0xFF, Mode.BONDED_ONLY, 8, 8192, 0, bytes(range(16)))


@pytest.mark.parametrize(
    ("content", "detail"),
    [(b"body\x63", "unknown type 99"), (b"\x00\x00\x00", "without a type"), (b"x\x01", "Nonce")],
)
def test_records_that_open_and_are_none(content: bytes, detail: str) -> None:
    world = bonded()
    phone, watch = world.reconnecting()
    with world.connection(phone, watch):
        join(phone, watch)
        stage = phone.session._stage
        stage.stream.send(stage.sealer().seal_content(content))
        watch.hear(phone.said())
    heard = world.heard_by(Role.WATCH)
    last = heard.all(ChannelFrame)[-1]
    assert last.verdict is Verdict.NOT_OURS
    assert detail in last.detail
    assert heard.attacks() == {Kind.MALFORMED}


def reconnect(suite: int) -> Heard:
    """A reconnect of two sides that both know a suite that nobody else does, and its key log."""
    random = Stream("odd")
    phone, watch = DH_25519.generate(random), DH_25519.generate(random)
    hello, info, psk = encode(Hello(1, suite, 0, 8, 8192)), encode_frame(INFO), random(32)
    prologue = keys.prologue(keys.RECONNECT_LABEL, info, hello)
    ephemeral = DH_25519.generate(random)
    sides = [
        HandshakeState(keys.RECONNECT_PROTOCOL, initiator=initiator, random=random, prologue=prologue, keys=each)
        for initiator, each in (
            (True, Keys(s=phone, e=ephemeral, rs=watch.public, psks={0: psk})),
            (False, Keys(s=watch, rs=phone.public, psks={0: psk})),
        )
    ]
    first = sides[0].write_message()
    sides[1].read_message(first)
    second = sides[1].write_message()
    traffic = HostTraffic()
    traffic.connect()
    traffic.notify(OUTBOX, b"\x80\x00" + info)
    traffic.write(INBOX, b"\x80\x01" + encode_frame(Reconnect1(hello, bytes(16), first)))
    traffic.notify(OUTBOX, b"\x81\x01" + encode_frame(Reconnect2(second)))
    line = key_log_line("RECONNECT", Role.PHONE, INFO.nonce, (ephemeral.private, phone.private, watch.public, psk))
    return hear(HCI_FILES["btsnoop H4"](traffic.said), key_log=read_key_log([line]))


def test_a_handshake_by_hand_is_verified() -> None:
    heard = reconnect(1)
    assert len(heard.all(HandshakeVerified)) == 1
    assert {each.verdict for each in heard.all(ChannelFrame)} == {Verdict.OK}


def test_a_choice_that_nobody_knows_is_not_verified() -> None:
    heard = reconnect(7)
    assert heard.all(HandshakeVerified) == []
    assert heard.all(ChannelFrame)[-1].verdict is Verdict.NOT_OURS
    assert "nobody knows" in heard.all(ChannelFrame)[-1].detail


def test_a_first_message_before_info_is_named_and_not_judged() -> None:
    listener = Listener(Connection(1, 0x40), {})
    frame = encode_frame(Reconnect1(encode(Hello(1, 1, 0, 8, 8192)), bytes(16), bytes(48)))
    [heard] = list(listener.hear(b"\x80\x00" + frame, Role.PHONE, 1, 0))
    assert isinstance(heard, ChannelFrame)
    assert (heard.name, heard.verdict, heard.is_unexpected) == ("Reconnect1", Verdict.CAPTURE_GAP, False)
    assert heard.hello is not None


def test_records_are_remembered_up_to_a_bound() -> None:
    listener = Listener(Connection(1, 0x40), {})

    def record(number: int, at: int) -> ChannelFrame:
        frame = b"\x17\x00\x14" + number.to_bytes(20, "big")
        [heard] = list(listener.hear(bytes([0x80 | at % 128, 0]) + frame, Role.PHONE, at, 0))
        assert isinstance(heard, ChannelFrame)
        return heard

    for at in range(REMEMBERED + 1):
        assert record(at, at).verdict is Verdict.CAPTURE_GAP
    assert record(0, REMEMBERED + 1).verdict is Verdict.CAPTURE_GAP, "the oldest is forgotten"
    assert record(REMEMBERED, REMEMBERED + 2).verdict is Verdict.REPLAYED


def test_a_copy_that_was_changed_is_no_repetition() -> None:
    listener = Listener(Connection(1, 0x40), {})
    tag = bytes(range(16))
    first, second, third = (
        list(listener.hear(bytes([0x80 | at, 0]) + b"\x17\x00\x14" + text + tag, Role.PHONE, at, 0))
        for at, text in enumerate([b"said", b"Said", b"said"])
    )
    assert [each.verdict for [each] in (first, second, third) if isinstance(each, ChannelFrame)] == [
        Verdict.CAPTURE_GAP,
        Verdict.CAPTURE_GAP,
        Verdict.REPLAYED,
    ]
