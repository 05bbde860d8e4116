"""A certificate in a PEM file (RFC 7468), as one device hands it to another. Nothing in it is secret."""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
from dataclasses import field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from blechannel.errors import AuthenticationFailed, IdentityError
from blechannel.pairing.certificates import common_name, p256_certificate
from blechannel.values import dataclass

MAX_FILE_BYTES: Final = 16384
"""More than one certificate of the greatest length and a key take; a longer file is refused before it is read."""
OTHERS_WRITE: Final = 0o022
PRIVATE_KEY: Final = b"PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A device's own certificate, and what it says of itself; `read_leaf` and `Leaf.of` make one."""

    der: bytes = field(repr=False)
    name: str
    """Its common name, for people, or nothing."""
    not_before_s: float
    """Unix time; so is `not_after_s`."""
    not_after_s: float

    @classmethod
    def of(cls, der: bytes) -> Leaf:
        """What `der` says.

        Raises:
            AuthenticationFailed: no certificate as this protocol takes them.
        """
        read = p256_certificate(der)
        return cls(der, common_name(read), read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp())

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 (32 bytes) of the certificate's DER: what decides, and what people compare."""
        return hashlib.sha256(self.der).digest()

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM)


def read_leaf(path: Path) -> Leaf:
    """The one certificate of a file that another device wrote. Blocks.

    Raises:
        IdentityError: no such file, or not just one certificate on P-256 in it, or a private key beside it.
    """
    content = read_bounded(path, forbidden_mode=0)
    if PRIVATE_KEY in content:
        raise IdentityError(
            "a private key is in this file, and must not leave its device; carry the certificate", str(path)
        )
    return leaf_in(content, path)


def leaf_in(content: bytes, path: Path) -> Leaf:
    """The one certificate of a PEM text; `path` is for the error. Raises IdentityError as `read_leaf`."""
    try:
        [found] = x509.load_pem_x509_certificates(content)
        return Leaf.of(found.public_bytes(Encoding.DER))
    except (ValueError, AuthenticationFailed) as error:
        raise IdentityError("there is not one certificate on P-256, in PEM, in this file", str(path)) from error


def read_bounded(path: Path, *, forbidden_mode: int) -> bytes:
    """The whole file, which is not long. `forbidden_mode`: the permissions that it must not give, where there are any.

    Raises:
        IdentityError: it cannot be read, is no file, is too long, or is open to others.
    """
    try:
        found = path.stat()
        # Opening a pipe would wait for its other end.
        if not stat.S_ISREG(found.st_mode):
            raise IdentityError("this is no file", str(path))
        check_mode(found, path, forbidden_mode)
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise unusable("read", error, path) from error
    if len(content) > MAX_FILE_BYTES:
        raise IdentityError(f"this file has over {MAX_FILE_BYTES} bytes: it holds something else", str(path))
    return content


def unusable(done: str, error: OSError, path: Path) -> IdentityError:
    """What the system says of a file or folder that cannot be `done` (read, made, …)."""
    return IdentityError(f"this cannot be {done} ({(error.strerror or 'no reason given').lower()})", str(path))


def check_mode(found: os.stat_result, path: Path, forbidden: int) -> None:
    """Raises IdentityError where others have one of the permissions `forbidden`. Windows knows no such mode."""
    if os.name == "posix" and stat.S_IMODE(found.st_mode) & forbidden:
        may, mend = ("write", "go-w") if forbidden == OTHERS_WRITE else ("read", "go-rwx")
        command = f"chmod {mend} {shlex.quote(str(path))}"
        raise IdentityError(f"other users may {may} {path}; see that none did, then run `{command}`")
