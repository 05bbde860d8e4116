"""Which certificates are taken, by whom, and when."""

from __future__ import annotations

import hashlib
import random
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from blechannel.errors import AuthenticationFailed, LocalProtocolError
from blechannel.pairing.certificates import MAX_CERTIFICATE_BYTES, Pinned, SelfSigned, p256_certificate
from tests.pairing.made_certificates import AT_S, FROM_S, ISSUER_KEY, LEAF_KEY, OTHER_KEY, TO_S, certificate, p256

ISSUER = certificate("issuer", key=ISSUER_KEY)
LEAF = certificate("leaf", issuer="issuer", signed_by=ISSUER_KEY)
ALONE = certificate("leaf")


def pinned(leaf: bytes, *, has_clock: bool = True) -> Pinned:
    return Pinned(frozenset({hashlib.sha256(leaf).digest()}), has_clock)


def refused(chain: tuple[bytes, ...], *, at_s: float = AT_S, leaf: bytes | None = None) -> None:
    verifier = pinned(leaf or chain[0])
    with pytest.raises(AuthenticationFailed, match=r"^authentication failed$"):
        verifier.verify(chain, at_s=at_s)


def test_an_allowed_leaf_is_its_subject() -> None:
    for chain in ((ALONE,), (LEAF, ISSUER)):
        subject = pinned(chain[0]).verify(chain, at_s=AT_S)
        assert subject.name == "leaf"
        assert subject.leaf_sha256 == hashlib.sha256(chain[0]).digest()


def test_a_leaf_without_a_name_is_a_subject_without_one() -> None:
    nameless = certificate(None)
    assert pinned(nameless).verify((nameless,), at_s=AT_S).name == ""


def test_a_valid_chain_alone_is_not_enough() -> None:
    refused((LEAF, ISSUER), leaf=ISSUER)
    refused((ALONE,), leaf=LEAF)


def test_no_certificate_and_too_many_are_refused() -> None:
    refused((), leaf=ALONE)
    certificates = [certificate("0", key=p256(50))]
    for n in range(1, 5):
        made = certificate(str(n), issuer=str(n - 1), key=p256(50 + n), signed_by=p256(49 + n))
        certificates.insert(0, made)
    four = tuple(certificates[-4:])
    assert pinned(four[0]).verify(four, at_s=AT_S).name == "3"
    refused(tuple(certificates))


def test_a_certificate_that_another_key_signed_is_refused() -> None:
    refused((certificate(signed_by=OTHER_KEY),))
    refused((certificate("leaf", issuer="issuer", signed_by=OTHER_KEY), ISSUER))


def test_a_chain_in_which_one_is_missing_or_out_of_order_is_refused() -> None:
    refused((LEAF,))
    refused((LEAF, ALONE))
    refused((LEAF, ISSUER, ALONE))


def test_a_chain_whose_end_is_not_self_signed_is_refused() -> None:
    refused((LEAF, certificate("issuer", issuer="root", key=ISSUER_KEY, signed_by=OTHER_KEY)))


@pytest.mark.parametrize(("at_s", "taken"), [(FROM_S - 1, False), (FROM_S, True), (TO_S, True), (TO_S + 1, False)])
def test_with_a_clock_both_ends_of_the_validity_count(at_s: float, taken: bool) -> None:
    if taken:
        assert pinned(ALONE).verify((ALONE,), at_s=at_s).name == "leaf"
    else:
        refused((ALONE,), at_s=at_s)


def test_a_side_without_a_clock_takes_what_starts_later_and_refuses_what_has_ended() -> None:
    verifier = pinned(ALONE, has_clock=False)
    assert verifier.verify((ALONE,), at_s=0).name == "leaf"
    with pytest.raises(AuthenticationFailed):
        verifier.verify((ALONE,), at_s=TO_S + 1)


def test_an_issuer_that_has_ended_is_refused_with_its_leaf() -> None:
    early = SelfSigned.make(ISSUER_KEY, "issuer", not_before_s=FROM_S, lifetime_s=10)
    refused((LEAF, early.certificate))


def test_other_keys_than_p256_are_refused() -> None:
    curve = ec.derive_private_key(5, ec.SECP384R1())
    edwards = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    modular = rsa.generate_private_key(65537, 2048)
    for key in (curve, edwards, modular):
        # Signed by a P-256 key, so that the certificate's own key is all that is wrong with it.
        refused((certificate("leaf", issuer="issuer", key=key, signed_by=ISSUER_KEY), ISSUER))


def test_other_signatures_than_ecdsa_with_sha256_are_refused() -> None:
    refused((certificate(digest=hashes.SHA384()),))
    modular = rsa.generate_private_key(65537, 2048)
    refused((certificate("leaf", issuer="issuer", signed_by=modular), ISSUER))


def test_a_certificate_over_the_bound_is_refused_and_one_at_it_is_taken() -> None:
    room = MAX_CERTIFICATE_BYTES - len(certificate(comment_bytes=1000)) + 1000
    # A signature has a byte more or less from one content to the next.
    near = [certificate(comment_bytes=room + more) for more in range(-4, 5)]
    large = next(made for made in near if len(made) == MAX_CERTIFICATE_BYTES)
    assert pinned(large).verify((large,), at_s=AT_S).name == "leaf"
    refused((certificate(comment_bytes=room + 10),))


@pytest.mark.parametrize("behind", [b"\0", ALONE, b"\x05\0"])
def test_bytes_behind_a_certificate_are_refused(behind: bytes) -> None:
    with pytest.raises(AuthenticationFailed):
        p256_certificate(ALONE + behind)


@pytest.mark.parametrize("der", [b"", b"\x30\x80", ALONE[:-1], b"-----BEGIN CERTIFICATE-----"])
def test_bytes_that_are_no_certificate_are_refused(der: bytes) -> None:
    refused((der,))


def test_one_changed_byte_anywhere_is_refused() -> None:
    # But for one: how many bits of the signature's last byte are none stands in front of it, and no key signs that.
    spare_bits = len(ALONE) - len(x509.load_der_x509_certificate(ALONE).signature) - 1
    for index in range(len(ALONE)):
        if index != spare_bits:
            refused((ALONE[:index] + bytes([ALONE[index] ^ 1]) + ALONE[index + 1 :],))


def test_mutated_certificates_are_refused_and_raise_nothing_else() -> None:
    source = random.Random(20)
    for _ in range(5000):
        mutated = mutate(ALONE, source)
        with suppress(AuthenticationFailed):
            # What is signed is whole, then: only the bits that no key signs can differ.
            pinned(mutated).verify((mutated,), at_s=AT_S)
            assert tbs(mutated) == tbs(ALONE)


def mutate(data: bytes, source: random.Random) -> bytes:
    """One to three bytes changed, taken out or put in."""
    mutated = bytearray(data)
    for _ in range(source.randint(1, 3)):
        index = source.randrange(len(mutated))
        mutated[index : index + source.randint(0, 1)] = source.randbytes(source.randint(0, 2))
    return bytes(mutated)


def tbs(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).tbs_certificate_bytes


def test_what_its_reader_only_warns_of_is_refused() -> None:
    """A negative serial number, under a signature that is right."""
    serial_number = tbs(ALONE).index(b"\x02\x01\x07") + 2
    negative = tbs(ALONE)[:serial_number] + b"\xf7" + tbs(ALONE)[serial_number + 1 :]
    assert pinned(signed(tbs(ALONE))).verify((signed(tbs(ALONE)),), at_s=AT_S).name == "leaf"
    refused((signed(negative),))


def test_a_name_of_another_type_than_its_reader_knows_is_refused() -> None:
    """A common name as a bit string, for which the reader raises TypeError."""
    odd = tbs(ALONE).replace(b"\x0c\x04leaf", b"\x03\x04\0eaf")
    assert odd != tbs(ALONE)
    refused((signed(odd),))


def signed(tbs_certificate: bytes) -> bytes:
    """A certificate of these contents, signed by the leaf's key (RFC 5280, 4.1.1), whatever they say."""
    ecdsa_with_sha256 = bytes.fromhex("300a06082a8648ce3d040302")
    signature = LEAF_KEY.sign(tbs_certificate, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    bits = b"\x03" + bytes([len(signature) + 1, 0]) + signature
    body = tbs_certificate + ecdsa_with_sha256 + bits
    return b"\x30\x82" + len(body).to_bytes(2) + body


def test_the_same_arguments_make_the_same_certificate() -> None:
    made = [SelfSigned.make(LEAF_KEY, "a watch", not_before_s=FROM_S, lifetime_s=100) for _ in range(2)]
    assert made[0].certificate == made[1].certificate
    assert made[0].sign(b"it") == made[1].sign(b"it")
    assert pinned(made[0].certificate).verify(made[0].chain, at_s=FROM_S + 50).name == "a watch"
    refused(made[0].chain, at_s=FROM_S + 101)


def test_a_self_signed_identity_does_not_print_its_key() -> None:
    made = SelfSigned.make(LEAF_KEY, "a watch", not_before_s=FROM_S, lifetime_s=100)
    assert "key=" not in repr(made)


@pytest.mark.parametrize("name", ["", "n" * 49])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="1 to 48 bytes"):
        SelfSigned.make(LEAF_KEY, name, not_before_s=FROM_S, lifetime_s=100)


@pytest.mark.parametrize(("not_before_s", "lifetime_s"), [(1e30, 1), (-1e12, 1), (float("nan"), 1), (-1e10, 1)])
def test_times_that_no_certificate_can_say_are_refused(not_before_s: float, lifetime_s: float) -> None:
    with pytest.raises(LocalProtocolError, match="no certificate can say this"):
        SelfSigned.make(LEAF_KEY, "a", not_before_s=not_before_s, lifetime_s=lifetime_s)


def test_no_lifetime_and_another_curve_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="lifetime"):
        SelfSigned.make(LEAF_KEY, "a", not_before_s=FROM_S, lifetime_s=0)
    with pytest.raises(LocalProtocolError, match="P-256"):
        SelfSigned(ec.derive_private_key(5, ec.SECP384R1()), ALONE)
