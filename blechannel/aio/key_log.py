"""The opt-in key log: whoever reads it reads the sessions (protocol, "Key log"). For capture analysis only."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from blechannel.errors import StoreError

VARIABLE = "BLECHANNEL_KEYLOG"
_log = logging.getLogger(__name__)


class KeyLog:
    """Appends one line a session and side to a file of mode 0600."""

    def __init__(self, path: Path) -> None:
        """Open or create the file, and warn loudly.

        Raises:
            StoreError: it cannot be opened, or others may read it.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        try:
            file = os.open(path, flags, 0o600)
        except OSError as error:
            raise StoreError(f"the key log cannot be opened ({error.strerror})", str(path)) from error
        if os.name == "posix" and stat.S_IMODE(os.fstat(file).st_mode) & 0o077:
            os.close(file)
            raise StoreError("others may read the key log: chmod 600 it, or remove it", str(path))
        self._file: int | None = file
        _log.warning("KEY LOG IS ON: whoever reads %s can read every session written to it", path)

    @classmethod
    def from_environment(cls) -> KeyLog | None:
        """The log that the environment variable BLECHANNEL_KEYLOG names, if it does."""
        path = os.environ.get(VARIABLE)
        return cls(Path(path)) if path else None

    def write(self, line: str) -> None:
        """Append one line at once; a full disk costs the line, never the session. Nothing once it is closed."""
        if self._file is None:
            return
        try:
            os.write(self._file, line.encode("ascii") + b"\n")
        except OSError as error:
            _log.error("the key log could not be written: %s", error)

    def close(self) -> None:
        """Close the file. Safe to call again: the system may have given its number to another file by then."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
