"""A listening socket in the file system, for its owner alone, that leaves no file behind."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from blechannel.errors import TransportError


class UnixListener:
    """Bound to `path`. A file that a dead process left there is replaced; one that somebody serves is not."""

    def __init__(self, path: str) -> None:
        """Raises:
        TransportError: the path is taken.
        OSError: the system refuses it.
        """
        self._path = Path(path)
        self._remove_stale()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.bind(path)
            self._path.chmod(0o600)
            self._inode: int | None = self._path.stat().st_ino
        except OSError:
            self.socket.close()
            raise

    def remove(self) -> None:
        """Delete the file, unless it is another's by now. Safe to call again."""
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()
        self._inode = None  # the system may give the number to the next file at once

    def _remove_stale(self) -> None:
        with suppress(FileNotFoundError):
            if not stat.S_ISSOCK(os.lstat(self._path).st_mode):
                raise TransportError(f"{self._path} exists and is no socket: choose another path")
            if self._is_served():
                raise TransportError(f"another process listens at {self._path}")
            self._path.unlink()

    def _is_served(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(self._path))
            except ConnectionRefusedError:
                return False
            except BlockingIOError:
                return True  # so many wait there that it must be alive
            return True
