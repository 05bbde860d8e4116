"""A new file that only its owner may read, and that is whole on the disk or not there."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from blechannel.errors import StoreError

OWNER_ONLY: Final = 0o600
_EXCLUSIVE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def write_private(path: Path, content: bytes) -> None:
    """Make `path` with `content`, mode 0600, durable on return. Blocks.

    The name is reserved first, so that no file is replaced; the content is written beside it and renamed into it.

    Raises:
        StoreError: there is such a file already, or it cannot be written; nothing is left behind.
    """
    try:
        os.close(os.open(path, _EXCLUSIVE, OWNER_ONLY))
    except FileExistsError:
        raise StoreError("there is such a file already; choose another name", str(path)) from None
    except OSError as error:
        raise _cannot(error, path) from error
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        _write(unfinished, content)
        os.replace(unfinished, path)
        _sync_folder(path.parent)
    except OSError as error:
        for left in (unfinished, path):
            with suppress(OSError):
                left.unlink(missing_ok=True)
        raise _cannot(error, path) from error


def _cannot(error: OSError, path: Path) -> StoreError:
    return StoreError(f"the file cannot be written ({error.strerror}); name another place", str(path))


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, _EXCLUSIVE, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """A name is durable when its folder is; Windows opens no folders and needs none of this."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
