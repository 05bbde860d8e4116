"""Files that hold a ticket: for their owner's eyes only, whole or not there, and read no further than a bound."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from blechannel.errors import CarrierError


def write_private(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` with mode 0600, in place of what was there.

    Raises:
        CarrierError: the file cannot be written; what was there is left as it was.
    """
    target = Path(path)
    try:
        # Made by mkstemp, the file is private before it has content; a later chmod would come too late.
        descriptor, fresh = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(fresh).replace(target)
        except OSError:
            with suppress(OSError):
                Path(fresh).unlink()
            raise
    except OSError as error:
        raise CarrierError(f"cannot write the ticket ({error.strerror}): {target}") from error


def read_bounded(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """The file's content, or its first `max_bytes` + 1 bytes if it is longer.

    Raises:
        CarrierError: the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise CarrierError(f"cannot read the ticket ({error.strerror}): {path}") from error
