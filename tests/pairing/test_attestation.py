"""A side speaks for itself in one handshake and one role, and nowhere else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from blechannel.errors import AuthenticationFailed, LocalProtocolError, MalformedFrame
from blechannel.pairing.attestation import MAX_ATTESTATION_BYTES, Attestation, attest, check, statement
from blechannel.pairing.certificates import Pinned, SelfSigned, Subject, check_signature
from blechannel.roles import Role
from tests.pairing.made_certificates import AT_S, FROM_S, LEAF_KEY, OTHER_KEY, Held, certificate

H = bytes(range(32))
WATCH = SelfSigned.make(LEAF_KEY, "watch", not_before_s=FROM_S, lifetime_s=100_000_000)
PHONE = SelfSigned.make(OTHER_KEY, "phone", not_before_s=FROM_S, lifetime_s=100_000_000)
KNOWN = Pinned(frozenset(hashlib.sha256(side.certificate).digest() for side in (WATCH, PHONE)))
MADE = attest(WATCH, role=Role.WATCH, handshake_hash=H)


@dataclass(frozen=True)
class Anyone:
    """Believes every chain: what is left is the signature over the statement."""

    def verify(self, chain: tuple[bytes, ...], *, at_s: float) -> Subject:
        return Subject(hashlib.sha256(chain[0]).digest(), str(at_s))


def refused(attestation: Attestation, *, role: Role = Role.WATCH, h: bytes = H) -> None:
    with pytest.raises(AuthenticationFailed, match=r"^authentication failed$"):
        check(attestation, KNOWN, role=role, handshake_hash=h, at_s=AT_S)


def test_the_statement_names_the_role_the_handshake_and_the_leaf() -> None:
    leaf_hash = hashlib.sha256(b"leaf").digest()
    assert statement(Role.PHONE, H, b"leaf") == b"blechannel/1 attest\x01" + H + leaf_hash
    assert statement(Role.WATCH, H, b"leaf") == b"blechannel/1 attest\x02" + H + leaf_hash


@pytest.mark.parametrize(("side", "role"), [(WATCH, Role.WATCH), (PHONE, Role.PHONE)])
def test_what_a_side_attests_the_other_one_believes(side: SelfSigned, role: Role) -> None:
    sent = attest(side, role=role, handshake_hash=H).encode()
    subject = check(Attestation.decode(sent), KNOWN, role=role, handshake_hash=H, at_s=AT_S)
    assert subject == Subject(hashlib.sha256(side.certificate).digest(), role.value)


def test_an_attestation_sent_back_in_the_other_role_is_refused() -> None:
    refused(MADE, role=Role.PHONE)


def test_an_attestation_of_another_handshake_is_refused() -> None:
    refused(MADE, h=bytes(32))


def test_a_signature_under_another_allowed_leaf_is_refused() -> None:
    refused(replace(MADE, chain=PHONE.chain))


def test_another_certificate_of_the_same_key_is_refused() -> None:
    """The key is right and the chain is believed, but the statement names the leaf."""
    other = certificate("leaf", key=LEAF_KEY)
    with pytest.raises(AuthenticationFailed):
        check(replace(MADE, chain=(other,)), Anyone(), role=Role.WATCH, handshake_hash=H, at_s=AT_S)


def test_who_has_the_certificate_but_not_its_key_is_refused() -> None:
    refused(attest(Held(WATCH.chain, OTHER_KEY), role=Role.WATCH, handshake_hash=H))


def test_a_leaf_that_is_not_allowed_is_refused() -> None:
    stranger = Held((certificate("stranger"),), LEAF_KEY)
    refused(attest(stranger, role=Role.WATCH, handshake_hash=H))


def test_a_chain_that_is_no_certificate_is_refused_even_if_the_verifier_believes_it() -> None:
    with pytest.raises(AuthenticationFailed):
        check(replace(MADE, chain=(b"junk",)), Anyone(), role=Role.WATCH, handshake_hash=H, at_s=AT_S)


def test_a_verifier_is_asked_for_the_given_moment() -> None:
    assert check(MADE, Anyone(), role=Role.WATCH, handshake_hash=H, at_s=12.5).name == "12.5"
    with pytest.raises(AuthenticationFailed):
        check(MADE, KNOWN, role=Role.WATCH, handshake_hash=H, at_s=FROM_S - 1)


def test_every_changed_byte_of_the_signature_is_refused() -> None:
    for index in range(len(MADE.signature)):
        changed = bytearray(MADE.signature)
        changed[index] ^= 1
        refused(replace(MADE, signature=bytes(changed)))
    refused(replace(MADE, signature=MADE.signature + b"\0"))


def test_an_attestation_is_a_counted_chain_and_a_signature() -> None:
    length = len(WATCH.certificate).to_bytes(2)
    assert MADE.encode() == b"\x01" + length + WATCH.certificate + MADE.signature


def test_an_attestation_is_frozen() -> None:
    """Keys, certificate and signature are deterministic, so every byte is."""
    digest = hashlib.sha256(MADE.encode()).hexdigest()
    assert digest == "84f7fc53c20454750297b3f1944d1f8ff226264286cac2b39aad61bda7043b3a"


@given(data=st.binary(max_size=200))
def test_any_bytes_are_an_attestation_or_malformed(data: bytes) -> None:
    try:
        read = Attestation.decode(data)
    except MalformedFrame:
        return
    assert read.encode() == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" + MADE.signature,
        b"\x01\x00\x01c",
        b"\x01\x00\x01c" + bytes(73),
        b"\x05" + b"\x00\x01c" * 5 + bytes(70),
        b"\x01" + (2049).to_bytes(2) + bytes(2049 + 70),
        b"\x03" + ((2048).to_bytes(2) + bytes(2048)) * 3 + bytes(70),
    ],
    ids=["nothing", "no chain", "no signature", "long signature", "five", "a large one", "over 6 KiB"],
)
def test_an_attestation_outside_the_bounds_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedFrame):
        Attestation.decode(data)


def test_one_at_the_bound_is_read() -> None:
    room = MAX_ATTESTATION_BYTES - 1 - 3 * 2 - 72
    blobs = [2048, 2048, room - 4096]
    data = b"\x03" + b"".join(size.to_bytes(2) + bytes(size) for size in blobs) + bytes(72)
    assert len(data) == MAX_ATTESTATION_BYTES
    assert Attestation.decode(data).encode() == data


def test_a_chain_that_would_not_fit_is_refused_before_it_is_sent() -> None:
    with pytest.raises(LocalProtocolError, match="shorten it"):
        Attestation((bytes(2048),) * 3, bytes(70)).encode()
    with pytest.raises(LocalProtocolError):
        Attestation((bytes(2049),), bytes(70)).encode()


def test_an_identity_without_a_certificate_cannot_attest() -> None:
    with pytest.raises(LocalProtocolError, match="its own certificate"):
        attest(Held((), LEAF_KEY), role=Role.WATCH, handshake_hash=H)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_handshake_hash_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(LocalProtocolError, match="32 bytes"):
        attest(WATCH, role=Role.WATCH, handshake_hash=bytes(length))


def test_published_signatures_are_decided_as_published(vectors: Path) -> None:
    """The verification that `check` uses, on messages of any sort: signatures in DER, strictly."""
    read = json.loads((vectors / "wycheproof" / "ecdsa_secp256r1_sha256_test.json").read_text())
    decided = {True: 0, False: 0}
    for group in read["testGroups"]:
        key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        for case in group["tests"]:
            valid = verifies(key, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
            assert valid is (case["result"] == "valid"), case
            decided[valid] += 1
    assert min(decided.values()) > 0


def verifies(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    try:
        check_signature(key, signature, message)
    except AuthenticationFailed:
        return False
    return True


def test_the_made_certificate_is_what_others_read() -> None:
    read = x509.load_der_x509_certificate(WATCH.certificate)
    assert read.serial_number > 0
    assert isinstance(read.signature_hash_algorithm, SHA256)
