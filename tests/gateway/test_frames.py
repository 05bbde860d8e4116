"""What crosses the broker, and its names."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blechannel.codec import ValueOutOfRange, decode, encode
from blechannel.errors import MalformedFrame
from blechannel_gateway.errors import ConfigError
from blechannel_gateway.frames import Ack, Base, Post, Version, Wish
from blechannel_gateway.messages import Lane
from blechannel_gateway.topics import Topics, Way, check_watch

STREAM = bytes(range(16))
WATCH = "ab" * 16


def test_the_bytes_of_both_frames() -> None:
    post = Post(Version.ONE, Base.GONE, STREAM, 7, 5, "x", b"body")
    assert encode(post).hex() == f"0101{STREAM.hex()}000000000000000700000000000000050178{b'body'.hex()}"
    ack = Ack(Version.ONE, Wish.SEND_AGAIN, STREAM, 5)
    assert encode(ack).hex() == f"0101{STREAM.hex()}0000000000000005"
    assert (decode(Post, encode(post)), decode(Ack, encode(ack))) == (post, ack)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_frame_or_malformed(raw: bytes) -> None:
    for kind in (Post, Ack):
        with suppress(MalformedFrame):
            assert encode(decode(kind, raw)) == raw


def test_a_post_that_goes_back_is_none() -> None:
    with pytest.raises(ValueOutOfRange):
        Post(Version.ONE, Base.KEPT, STREAM, 5, 5, "", b"")
    good = bytearray(encode(Post(Version.ONE, Base.KEPT, STREAM, 6, 5, "", b"")))
    good[33] = 6
    with pytest.raises(MalformedFrame):
        decode(Post, bytes(good))


@pytest.mark.parametrize("port", ["p", "a/b", "+", "#", "heart rate", "é\0%2F", "$SYS/x"])
def test_a_ports_name_is_one_level_whatever_is_in_it(port: str) -> None:
    topics = Topics("home")
    topic = topics.posts(Way.UP, Lane(WATCH, port))
    assert topic.isascii()
    assert not set("+#\0") & set(topic)
    assert topic.count("/") == 6
    assert topics.lane(topic) == ("up", Lane(WATCH, port))


def test_topics_of_others_are_none_of_ours() -> None:
    topics = Topics("home")
    for topic in (
        "",
        "elsewhere",
        f"blechannel/v1/office/ab/{WATCH}/up/p",
        f"blechannel/v1/home/cd/{WATCH}/up/p",
        f"blechannel/v1/home/ab/{WATCH}/up/p/q",
        f"blechannel/v1/home/ab/{WATCH.upper()}/up/p",
        topics.presence("hall"),
    ):
        assert topics.lane(topic) is None, topic
    assert topics.watch_of_state(topics.state(WATCH)) == WATCH
    assert topics.gateway_of_presence(topics.presence("hall")) == "hall"
    assert topics.watch_of_state(topics.state(WATCH).replace("/ab/", "/cd/")) is None
    assert topics.gateway_of_presence("blechannel/v1/office/gateway/hall/presence") is None


def test_names_that_are_none() -> None:
    for site in ("", "Home", "a/b", "+", "#", "x" * 64):
        with pytest.raises(ConfigError, match="site"):
            Topics(site)
    check_watch(WATCH)
    with pytest.raises(ConfigError, match="32 hexadecimal"):
        check_watch("Wanda")
