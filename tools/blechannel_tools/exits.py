"""Exit codes, and which error leads to which."""

from __future__ import annotations

import errno
from enum import IntEnum

from blechannel.errors import (
    AccessDenied,
    BlechannelError,
    BondError,
    CaptureError,
    IdentityError,
    LocalProtocolError,
    PairingRefused,
    TransportError,
    WatchNotFound,
    WrongPassphrase,
)
from blechannel.pairing.access import OWNER_PORTS


class Exit(IntEnum):
    """What the program returns; scripts may rely on these."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_WATCH = 3
    REFUSED = 4
    STORE = 5
    LINK = 6
    CAPTURE = 7
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "done",
    Exit.FAILED: "failed; the message says why",
    Exit.USAGE: "wrong usage: an option, a name or a transport that makes no sense",
    Exit.NO_WATCH: "no suitable watch was found in time",
    Exit.REFUSED: (
        "refused: a wrong code or certificate, no window, a locked pairing, a port, "
        "or a bond that the watch does not know"
    ),
    Exit.STORE: (
        "no such bond or certificate, or its file is busy, open to others, under another passphrase, or damaged"
    ),
    Exit.LINK: "the link or the adapter failed",
    Exit.CAPTURE: "a capture, or a key log, map or policy for it, that cannot be read, or --strict met damage",
    Exit.INTERRUPTED: "interrupted by Ctrl-C; the bond store is whole",
}

_OF_ERROR: tuple[tuple[type[BlechannelError], Exit], ...] = (
    (WatchNotFound, Exit.NO_WATCH),
    (PairingRefused, Exit.REFUSED),
    (AccessDenied, Exit.REFUSED),
    (BondError, Exit.STORE),
    (IdentityError, Exit.STORE),
    (TransportError, Exit.LINK),
    (LocalProtocolError, Exit.USAGE),
    (CaptureError, Exit.CAPTURE),
)
"""The first that fits; what none fits has failed."""


def exit_of(error: Exception) -> Exit:
    """The exit code for an error that was expected."""
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), Exit.FAILED)


def in_words(error: Exception) -> str:
    """An error for people, with what the command line can advise."""
    if isinstance(error, WrongPassphrase):
        return f"{error} (options: --passphrase-file, --ask-passphrase, --keyring)"
    if isinstance(error, AccessDenied):
        return _denied(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or 'it cannot be used').lower()}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # files that commands write are named
        return "standard output: no space left on device"
    return str(error)


def _denied(error: AccessDenied) -> str:
    """What a guest is told; that the household is the owner's no owner can change by permitting it."""
    if error.port in OWNER_PORTS:
        return (
            "only the owner's phone may do this, and this one is a guest's on that watch: do it on the owner's phone, "
            "or let its owner hand the watch over with `blechannel phone household transfer`"
        )
    return f"{error} with `blechannel phone household permit`"


def epilog() -> str:
    """The codes for --help."""
    lines = [f"  {code.value:3}  {meaning}" for code, meaning in MEANINGS.items()]
    return "\n".join(["exit codes:", *lines])
