"""Bytes of a file, a pipe or a growing file, in order and in bounded memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final, Protocol, cast

from blechannel_capture.errors import NotACapture

CHUNK_BYTES: Final = 1 << 18
GZIP_MAGIC: Final = b"\x1f\x8b"


class Readable(Protocol):
    """What is needed of a binary file."""

    def read(self, count: int, /) -> bytes | None:
        """At most that many bytes; none at the end."""


def never() -> bool:
    """No more will come: the end of the file is the end."""
    return False


class Source:
    """Reads forward only. `wait` is asked at the end whether to look again, after it has slept a little."""

    def __init__(self, file: Readable, *, wait: Callable[[], bool] = never) -> None:
        # A pipe gives what it has at once; a plain read would wait for a whole chunk.
        self._read = cast(Readable, _Once(file)) if hasattr(file, "read1") else file
        self._wait = wait
        self._chunk = b""
        self._at = 0
        self._base = 0
        self.unread: str = ""
        """Why reading ended before the end of the file; empty when it did not."""

    @property
    def offset(self) -> int:
        """How many bytes were taken."""
        return self._base + self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes; fewer only where the file ends."""
        start, end = self._at, self._at + count
        if end <= len(self._chunk):
            self._at = end
            return self._chunk[start:end]
        self._fill(count)
        taken = self._chunk[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def peek(self, count: int) -> bytes:
        """The same, without taking them."""
        if self._at + count > len(self._chunk):
            self._fill(count)
        return self._chunk[self._at : self._at + count]

    def _fill(self, count: int) -> None:
        parts = [self._chunk[self._at :]]
        have = len(parts[0])
        self._base += self._at
        self._at = 0
        while have < count:
            more = self._more()
            if not more:
                break
            parts.append(more)
            have += len(more)
        self._chunk = b"".join(parts)

    def _more(self) -> bytes:
        while True:
            try:
                more = self._read.read(CHUNK_BYTES)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                self.unread = f"the compressed file is damaged: {error}"
                return b""
            if more or not self._wait():
                return more or b""


class _Once:
    """Reads what is there."""

    def __init__(self, file: Readable) -> None:
        self.read = cast(io.BufferedIOBase, file).read1


def decompressed(file: BinaryIO) -> BinaryIO:
    """The file, or what it holds where it is a gzip archive. It must be possible to peek or to seek.

    Raises:
        NotACapture: a pipe that cannot be looked into.
    """
    if isinstance(file, io.BufferedReader):
        start = file.peek(2)[:2]
    elif file.seekable():
        start = file.read(2)
        file.seek(-len(start), io.SEEK_CUR)
    else:
        raise NotACapture("this stream can neither be looked into nor wound back")
    return cast(BinaryIO, gzip.GzipFile(fileobj=file)) if start == GZIP_MAGIC else file
