"""Certificates of every sort, right and wrong, made with fixed keys where the curve allows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

FROM_S, TO_S = 1_700_000_000, 1_800_000_000
AT_S = 1_750_000_000.0


def p256(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


LEAF_KEY, ISSUER_KEY, OTHER_KEY = p256(1001), p256(1002), p256(1003)


@dataclass(frozen=True)
class Held:
    """An identity with any chain and any key."""

    chain: tuple[bytes, ...]
    key: ec.EllipticCurvePrivateKey

    def sign(self, statement: bytes) -> bytes:
        return self.key.sign(statement, ec.ECDSA(hashes.SHA256()))


def name(common: str | None) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else [])


def certificate(
    subject: str | None = "leaf",
    *,
    issuer: str | None = None,
    key: Any = LEAF_KEY,
    signed_by: Any = None,
    digest: hashes.SHA256 | hashes.SHA384 | None = None,
    comment_bytes: int = 0,
) -> bytes:
    """DER, valid from `FROM_S` to `TO_S`; self-signed where no issuer is named."""
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer or subject))
    builder = builder.public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(datetime.fromtimestamp(FROM_S, UTC))
    builder = builder.not_valid_after(datetime.fromtimestamp(TO_S, UTC))
    if comment_bytes:
        comment = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), bytes(comment_bytes))
        builder = builder.add_extension(comment, critical=False)
    signer = signed_by or key
    deterministic = True if isinstance(signer, ec.EllipticCurvePrivateKey) else None
    signed = builder.sign(signer, digest or hashes.SHA256(), ecdsa_deterministic=deterministic)
    return signed.public_bytes(Encoding.DER)
