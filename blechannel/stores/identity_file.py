"""A side's private key and its certificate in one PEM file, mode 0600. Neither is under a passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from blechannel.errors import IdentityError
from blechannel.pairing.certificates import SelfSigned, p256_certificate, p256_key
from blechannel.stores.certificate_file import Leaf, leaf_in, read_bounded, unusable
from blechannel.stores.private_file import write_private

OTHERS: Final = 0o077


def write_identity(path: Path, identity: SelfSigned) -> None:
    """Make a new file with the key and the certificate; its folder is made where it is missing. Blocks.

    Raises:
        IdentityError: the folder cannot be made.
        StoreError: there is such a file already, or it cannot be written; nothing is left behind.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable("made", error, path.parent) from error
    key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(path, key + Leaf.of(identity.certificate).pem)


def read_identity(path: Path) -> SelfSigned:
    """The key and the certificate again. Blocks.

    Raises:
        IdentityError: no such file, others may read it, it does not hold just one key on P-256 without a passphrase
            and one certificate, or they do not belong together.
    """
    content = read_bounded(path, forbidden_mode=OTHERS)
    leaf = leaf_in(content, path)
    try:
        key = load_pem_private_key(content, None)
    except TypeError as error:
        raise IdentityError(
            "the private key is under a passphrase; save it without one, for you alone", str(path)
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise IdentityError("there is no private key in this file", str(path)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityError("the private key is not on P-256", str(path))
    if key.public_key() != p256_key(p256_certificate(leaf.der)):
        raise IdentityError("the private key is not the certificate's: this file is put together of two", str(path))
    return SelfSigned(key, leaf.der)
