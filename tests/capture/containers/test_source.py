"""Bytes of files, pipes and growing files, in order and in bounded memory."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc
import zlib
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blechannel_capture.capture import Capture, open_capture
from blechannel_capture.containers.source import CHUNK_BYTES, Source, decompressed
from blechannel_capture.errors import NotACapture
from blechannel_capture.events import AttPdu
from blechannel_capture.ledger import Damage
from tests.capture.reading import drain, hear
from tests.capture.traffic import HostTraffic, small_talk
from tests.capture.writing import HCI_FILES

VALUES = [b"one", bytes(400)]
CONTENT = HCI_FILES["btsnoop H4"](small_talk(HostTraffic(), VALUES).said)


@settings(max_examples=30)
@given(st.binary(max_size=200), st.lists(st.tuples(st.booleans(), st.integers(0, 60))), st.integers(1, 50))
def test_any_steps_give_the_bytes_in_order(content: bytes, steps: list[tuple[bool, int]], piece: int) -> None:
    class Trickle(io.RawIOBase):
        def __init__(self) -> None:
            self._left = io.BytesIO(content)

        def read(self, count: int = -1) -> bytes:
            return self._left.read(min(count, piece))

    source, at = Source(Trickle()), 0
    for takes, count in steps:
        expected = content[at : at + count]
        assert (source.take(count) if takes else source.peek(count)) == expected
        at += len(expected) if takes else 0
        assert source.offset == at


def test_a_large_compressed_file_is_streamed() -> None:
    packer = zlib.compressobj(1, wbits=31)
    packed = b"".join([packer.compress(bytes(1 << 20)) for _ in range(24)]) + packer.flush()
    source = Source(decompressed(io.BytesIO(packed)))
    tracemalloc.start()
    while len(source.take(10_000)) == 10_000:
        """Nothing is kept."""
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert source.offset == 24 << 20
    assert peak < 6 * CHUNK_BYTES


def test_a_compressed_file_that_is_cut_or_altered_is_said_to_be() -> None:
    packed = gzip.compress(CONTENT, mtime=0)
    for damaged in (packed[:-12], packed[:60] + bytes([packed[60] ^ 0xFF]) + packed[61:], packed[:-1] + b"!"):
        heard = hear(damaged)
        assert set(heard.damage()) == {Damage.TRUNCATED}
        assert "the compressed file is damaged" in heard.ledger.entries[0].detail


def test_what_only_looks_compressed_is_no_capture() -> None:
    with pytest.raises(NotACapture, match="compressed file is damaged"):
        hear(b"\x1f\x8b and so on")


def test_a_pipe_is_read() -> None:
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for at in range(0, len(CONTENT), 100):
                pipe.write(CONTENT[at : at + 100])

    writer = Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb") as pipe:
        heard = drain(Capture(pipe))
    writer.join()
    assert [each.value for each in heard.all(AttPdu)][::2] == VALUES
    assert heard.damage() == {}


def test_a_stream_that_cannot_be_looked_into_is_refused() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe, pytest.raises(NotACapture, match="wound back"):
        Capture(pipe)


def test_a_file_without_a_buffer_is_read(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(CONTENT)
    with path.open("rb", buffering=0) as file:
        assert drain(Capture(file)).all(AttPdu)


@pytest.mark.parametrize("step", [1, 7, 100])
def test_a_growing_file_is_followed_without_losing_a_byte(tmp_path: Path, step: int) -> None:
    path = tmp_path / "growing"
    path.touch()
    written = 0

    def more() -> bool:
        nonlocal written
        with path.open("ab") as file:
            file.write(CONTENT[written : written + step])
        written += step
        return written < len(CONTENT) + step

    with path.open("rb") as file:
        heard = drain(Capture(file, wait=more))
    assert [each.value for each in heard.all(AttPdu)][::2] == VALUES
    assert heard.damage() == {}


def test_a_file_is_closed_with_the_capture_and_where_it_is_none(tmp_path: Path) -> None:
    path = tmp_path / "capture.txt"
    path.write_bytes(CONTENT)
    with open_capture(path) as capture:
        assert drain(capture).all(AttPdu)
    path.write_bytes(b"a text, and no capture at all")
    with pytest.raises(NotACapture, match="61 20 74 65 78 74"):
        open_capture(path)
    with pytest.raises(FileNotFoundError):
        open_capture(tmp_path / "missing")
