"""Whom a side believes in a pairing, and what its own person is told of one that it does not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from blechannel.errors import AuthenticationFailed
from blechannel.roles import Role
from blechannel.stores.certificate_file import Leaf
from blechannel.stores.trusted_folder import TrustedFolder
from blechannel_tools.certificates import beginning, briefly
from blechannel_tools.identities import Listed
from tests.pairing.made_certificates import AT_S, FROM_S, ISSUER_KEY, OTHER_KEY, TO_S, certificate

TRUSTED = certificate("wrist")
CHANGED = certificate("wrist", issuer="authority", signed_by=OTHER_KEY)


@pytest.fixture
def listed(tmp_path: Path) -> Listed:
    folder = TrustedFolder(tmp_path / "phone.trusted")
    for der in (TRUSTED, CHANGED):
        folder.add(Leaf.of(der))
    return Listed(folder, Role.PHONE)


def test_what_is_on_the_list_is_believed_while_it_is(listed: Listed) -> None:
    assert listed.verify((TRUSTED,), at_s=AT_S).name == "wrist"
    listed.folder.remove(Leaf.of(TRUSTED))
    with pytest.raises(AuthenticationFailed, match="not trusted here"):
        listed.verify((TRUSTED,), at_s=AT_S)


@pytest.mark.parametrize(
    ("chain", "at_s", "told"),
    [
        (
            (certificate("other"),),
            AT_S,
            r"the watch showed a certificate that is not trusted here \(other, fingerprint",
        ),
        ((certificate(None),), AT_S, r"\(without a name, fingerprint"),
        ((TRUSTED,), TO_S + 1.0, "the watch's certificate expired on 2027-"),
        ((TRUSTED,), FROM_S - 1.0, r"the watch's certificate is valid only from 2023-.*clocks right"),
        ((CHANGED,), AT_S, "is not signed as it must be"),
        ((TRUSTED, certificate("authority", key=ISSUER_KEY)), AT_S, "is not signed as it must be"),
        ((b"junk",), AT_S, "no certificate that can be read"),
    ],
    ids=["unknown", "nameless", "expired", "early", "signed by another", "a wrong chain", "junk"],
)
def test_what_is_not_believed_is_explained(listed: Listed, chain: tuple[bytes, ...], at_s: float, told: str) -> None:
    with pytest.raises(AuthenticationFailed, match=told):
        listed.verify(chain, at_s=at_s)


def test_a_list_that_cannot_be_read_believes_nobody(listed: Listed) -> None:
    (listed.folder.path / "damaged.pem").write_bytes(b"")
    with pytest.raises(AuthenticationFailed, match=r"no certificate can be believed now: .*damaged\.pem"):
        listed.verify((TRUSTED,), at_s=time.time())


def test_a_beginning_is_not_taken_for_the_whole() -> None:
    leaf = Leaf.of(TRUSTED)
    assert leaf.fingerprint.hex().startswith(beginning(leaf).replace(" ", ""))
    assert briefly(leaf).endswith(" …")
