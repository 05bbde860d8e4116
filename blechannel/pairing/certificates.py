"""X.509 certificates as this protocol takes them: small, P-256, ECDSA with SHA-256, no trailing bytes (RFC 5280)."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from blechannel.errors import AuthenticationFailed, LocalProtocolError
from blechannel.limits import MAX_NAME_BYTES, is_name
from blechannel.values import dataclass

MAX_CERTIFICATE_BYTES: Final = 2048
MAX_CHAIN: Final = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a verified chain names."""

    leaf_sha256: bytes
    """32 bytes: of the leaf's DER."""
    name: str
    """The leaf's common name, or nothing. It is what the leaf says of itself, for people; decide by the hash."""


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """An identity of one certificate that its own P-256 key has signed; `make` makes the certificate.

    Raises:
        LocalProtocolError: the key is not on P-256.
    """

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.key.curve, ec.SECP256R1):
            raise LocalProtocolError("an identity's key is on P-256")

    @classmethod
    def make(cls, key: ec.EllipticCurvePrivateKey, name: str, *, not_before_s: float, lifetime_s: float) -> SelfSigned:
        """An identity called `name` (1 to 48 bytes), valid from `not_before_s` in Unix time; seconds are cut off.

        The same arguments give the same certificate.

        Raises:
            LocalProtocolError: the key is not on P-256, the name is no name, or the times are out of range.
        """
        if not is_name(name, MAX_NAME_BYTES):
            raise LocalProtocolError(f"a name has 1 to {MAX_NAME_BYTES} bytes of UTF-8")
        if lifetime_s <= 0:
            raise LocalProtocolError("a certificate's lifetime is more than nothing")
        try:
            not_before, not_after = _moment(not_before_s), _moment(not_before_s + lifetime_s)
            return cls(key, _self_signed(key, name, not_before, not_after))
        except (ValueError, OverflowError) as error:
            raise LocalProtocolError(f"no certificate can say this: {error}") from error

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificate alone, in DER."""
        return (self.certificate,)

    def sign(self, statement: bytes) -> bytes:
        """ECDSA with SHA-256 in DER, deterministic (RFC 6979)."""
        return self.key.sign(statement, ec.ECDSA(SHA256(), deterministic_signing=True))


@dataclass(frozen=True, slots=True)
class Pinned:
    """A verifier that takes the leaves that it was given, and no others, however well their chain is signed.

    `leaves` holds the SHA-256 (32 bytes) of each leaf's DER. What stands above a leaf must be signed in order, to a
    self-signed end; it adds no authority. Without a clock (`has_clock` is false), `at_s` is only a moment that has
    passed: a certificate that starts later is then taken, and one that ended before it is not.
    """

    leaves: frozenset[bytes]
    has_clock: bool = True

    def verify(self, chain: tuple[bytes, ...], *, at_s: float) -> Subject:
        """The subject of an allowed leaf, whose whole chain is valid at `at_s` (Unix time in seconds).

        Raises:
            AuthenticationFailed: for every reason alike.
        """
        if not 0 < len(chain) <= MAX_CHAIN:
            raise AuthenticationFailed
        certificates = [p256_certificate(der) for der in chain]
        for certificate in certificates:
            self._check_time(certificate, at_s)
        for certificate, issuer in pairwise([*certificates, certificates[-1]]):
            _check_issued(certificate, issuer)
        leaf_sha256 = hashlib.sha256(chain[0]).digest()
        if leaf_sha256 not in self.leaves:
            raise AuthenticationFailed
        return Subject(leaf_sha256, common_name(certificates[0]))

    def _check_time(self, certificate: x509.Certificate, at_s: float) -> None:
        ended = certificate.not_valid_after_utc.timestamp() < at_s
        not_begun = self.has_clock and at_s < certificate.not_valid_before_utc.timestamp()
        if ended or not_begun:
            raise AuthenticationFailed


def p256_certificate(der: bytes) -> x509.Certificate:
    """The certificate that `der` is, down to its last byte: a P-256 key, signed by ECDSA with SHA-256.

    Raises:
        AuthenticationFailed: anything else.
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise AuthenticationFailed
    try:
        certificate = _loaded(der)
        p256_key(certificate)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, Warning) as error:
        raise AuthenticationFailed from error
    if certificate.signature_algorithm_oid != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        raise AuthenticationFailed
    return certificate


def p256_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """The certificate's key.

    Raises:
        AuthenticationFailed: it is not on P-256.
    """
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise AuthenticationFailed
    return key


def _loaded(der: bytes) -> x509.Certificate:
    # What is against RFC 5280 but tolerated comes as a warning, which a peer must not be able to cause: such as a
    # negative serial number, or a country of one letter. Names are read only when asked for.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        certificate = x509.load_der_x509_certificate(der)
        common_name(certificate)
    return certificate


def check_signature(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """Hold an ECDSA signature with SHA-256, in DER, against `message`.

    Raises:
        AuthenticationFailed: it is not this key's.
    """
    try:
        key.verify(signature, message, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise AuthenticationFailed from error


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise AuthenticationFailed from error


def common_name(certificate: x509.Certificate) -> str:
    """What a certificate says that its subject is called, for people; nothing where it does not."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _moment(unix_s: float) -> datetime:
    return datetime.fromtimestamp(int(unix_s), UTC)


def _self_signed(key: ec.EllipticCurvePrivateKey, name: str, not_before: datetime, not_after: datetime) -> bytes:
    public = key.public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # A serial number needs no secrecy, only to differ between keys; a positive one of 16 bytes (RFC 5280, 4.1.2.2).
    serial_number = int.from_bytes(hashlib.sha256(spki).digest()[:16], "big") | 1
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(public)
    builder = builder.serial_number(serial_number).not_valid_before(not_before).not_valid_after(not_after)
    return builder.sign(key, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)
