"""A capture of a host's HCI traffic in btsnoop form, which Wireshark and btmon open."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import BinaryIO

from bumble.snoop import BtSnooper, Snooper

from blechannel.errors import TransportError

_log = logging.getLogger(__name__)

_BINARY: int = getattr(os, "O_BINARY", 0)


class SnoopFile(BtSnooper):
    """Writes every HCI packet; a full disk ends the capture, not the session.

    Raises:
        TransportError: the file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._broken = False
        try:
            super().__init__(_private_file(path))
        except OSError as error:
            raise TransportError(f"the capture {path} cannot be written: {error.strerror}") from error

    def snoop(self, hci_packet: bytes, direction: Snooper.Direction) -> None:
        """Write one packet."""
        if self._broken:
            return
        try:
            super().snoop(hci_packet, direction)
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Write what is buffered and close. Safe to call again; never raises."""
        try:
            self.output.close()
        except OSError as error:
            self._give_up(error)
        self._broken = True

    def _give_up(self, error: OSError) -> None:
        if not self._broken:
            _log.error("the capture %s ends here: %s", self._path, error.strerror)
        self._broken = True


def _private_file(path: Path) -> BinaryIO:
    """Readable by nobody else, also where the file was there before: link keys may pass through HCI."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600)
    if os.name == "posix" and stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb")
