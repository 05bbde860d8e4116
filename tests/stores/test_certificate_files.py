"""Certificates, keys and lists of the trusted in files: what is read again, and what is refused with what to do."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from blechannel.errors import IdentityError, StoreError
from blechannel.pairing.certificates import SelfSigned
from blechannel.stores import trusted_folder
from blechannel.stores.certificate_file import MAX_FILE_BYTES, Leaf, read_leaf
from blechannel.stores.identity_file import read_identity, write_identity
from blechannel.stores.trusted_folder import TrustedFolder
from tests.pairing.made_certificates import FROM_S, LEAF_KEY, OTHER_KEY, TO_S, certificate

OWN = SelfSigned.make(LEAF_KEY, "wrist", not_before_s=FROM_S, lifetime_s=TO_S - FROM_S)
OTHER = SelfSigned.make(OTHER_KEY, "pocket", not_before_s=FROM_S, lifetime_s=TO_S - FROM_S)
THIRD = Leaf.of(certificate("third"))
LEAF = Leaf.of(OWN.certificate)

needs_modes = pytest.mark.skipif(os.name != "posix", reason="files have no modes here")


def key_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, lock: KeySerializationEncryption) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def private(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


# --- one certificate ---------------------------------------------------------------------------------------------


def test_a_certificate_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "wrist.pem"
    path.write_bytes(LEAF.pem)
    assert read_leaf(path) == LEAF
    assert (LEAF.name, LEAF.not_before_s, LEAF.not_after_s) == ("wrist", FROM_S, TO_S)
    assert LEAF.fingerprint.hex() not in repr(LEAF)
    path.write_bytes(b"a comment\n" + LEAF.pem + b"\n")
    assert read_leaf(path) == LEAF


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not one certificate"),
        (b"junk", "not one certificate"),
        (LEAF.der, "not one certificate"),
        (LEAF.pem + THIRD.pem, "not one certificate"),
        (LEAF.pem.replace(b"MII", b"MIJ", 1), "not one certificate"),
        (Leaf(certificate(key=ec.derive_private_key(7, ec.SECP384R1())), "", 0, 0).pem, "not one certificate"),
        (key_pem(LEAF_KEY, NoEncryption()) + LEAF.pem, "must not leave its device"),
        (bytes(MAX_FILE_BYTES + 1), f"over {MAX_FILE_BYTES} bytes"),
    ],
    ids=["empty", "junk", "DER", "two", "damaged", "another curve", "with a key", "long"],
)
def test_what_is_no_certificate_of_a_peer(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "wrist.pem"
    path.write_bytes(content)
    with pytest.raises(IdentityError, match=told) as refused:
        read_leaf(path)
    assert str(path) in str(refused.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="no such file"):
        read_leaf(tmp_path / "missing")
    with pytest.raises(IdentityError, match="this is no file"):
        read_leaf(tmp_path)


# --- the own key -------------------------------------------------------------------------------------------------


def test_an_identity_is_read_again_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "watch.identity.pem"
    write_identity(path, OWN)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    found = read_identity(path)
    assert found.certificate == OWN.certificate
    assert found.key.private_numbers() == OWN.key.private_numbers()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="such a file already"):
        write_identity(path, OTHER)
    assert path.read_bytes() == before
    (tmp_path / "in the way").touch()
    with pytest.raises(IdentityError, match="cannot be made"):
        write_identity(tmp_path / "in the way" / "x.pem", OWN)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (LEAF.pem, "no private key"),
        (key_pem(LEAF_KEY, NoEncryption()), "not one certificate"),
        (key_pem(LEAF_KEY, BestAvailableEncryption(b"secret")) + LEAF.pem, "under a passphrase"),
        (key_pem(OTHER_KEY, NoEncryption()) + LEAF.pem, "is not the certificate's"),
        (key_pem(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), NoEncryption()) + LEAF.pem, "not on P-256"),
    ],
    ids=["no key", "no certificate", "passphrase", "of two identities", "another kind of key"],
)
def test_what_is_no_identity(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(IdentityError, match=told):
        read_identity(private(tmp_path / "key.pem", content))


@needs_modes
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
def test_a_key_that_others_may_use_is_not_used(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "it's.pem"
    write_identity(path, OWN)
    path.chmod(mode)
    with pytest.raises(IdentityError, match=r"run `chmod go-rwx '.*it'\"'\"'s.pem'`"):
        read_identity(path)


# --- whom a side trusts ------------------------------------------------------------------------------------------


def test_a_list_is_kept(tmp_path: Path) -> None:
    folder = TrustedFolder(tmp_path / "new" / "watch.trusted")
    assert folder.leaves() == []
    assert [folder.add(leaf) for leaf in (LEAF, THIRD, LEAF)] == [True, True, False]
    assert [leaf.name for leaf in TrustedFolder(folder.path).leaves()] == ["third", "wrist"]
    if os.name == "posix":
        assert {stat.S_IMODE(each.stat().st_mode) for each in (folder.path, folder.path.parent)} == {0o700}
    (folder.path / "by hand.pem").write_bytes(LEAF.pem)
    (folder.path / "README").write_text("no certificate")
    assert len(folder.leaves()) == 2
    folder.remove(LEAF)
    assert folder.leaves() == [THIRD]


def test_a_damaged_certificate_is_not_one_less(tmp_path: Path) -> None:
    folder = TrustedFolder(tmp_path)
    folder.add(LEAF)
    (tmp_path / "damaged.pem").write_bytes(b"")
    with pytest.raises(IdentityError, match=r"damaged\.pem"):
        folder.leaves()


def test_a_list_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trusted_folder, "MAX_TRUSTED", 1)
    folder = TrustedFolder(tmp_path)
    folder.add(LEAF)
    with pytest.raises(IdentityError, match="remove one first"):
        folder.add(THIRD)
    assert folder.leaves() == [LEAF]
    (tmp_path / "by hand.pem").write_bytes(THIRD.pem)
    with pytest.raises(IdentityError, match="over 1 certificates"):
        folder.leaves()


@needs_modes
def test_a_list_that_others_may_write_is_not_believed(tmp_path: Path) -> None:
    folder = TrustedFolder(tmp_path / "trusted")
    folder.add(LEAF)
    [file] = folder.path.iterdir()
    for path, mode in ((file, 0o660), (file, 0o602), (folder.path, 0o770), (folder.path, 0o702)):
        before = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode)
        with pytest.raises(IdentityError, match="other users may write"):
            folder.leaves()
        path.chmod(before)
    assert folder.leaves() == [LEAF]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IdentityError, match="cannot be read"):
        TrustedFolder(tmp_path / "file").leaves()
    with pytest.raises(IdentityError, match="cannot be made"):
        TrustedFolder(tmp_path / "file" / "below").add(LEAF)


def test_a_certificate_that_cannot_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = TrustedFolder(tmp_path)
    folder.add(LEAF)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(IdentityError, match=r"cannot be removed \(permission denied\)"):
        folder.remove(LEAF)
