"""No key that is known or found shows in what Python prints."""

from __future__ import annotations

from collections.abc import Iterator

from blechannel.roles import Role
from blechannel_capture.air.encryption import Decryption, EncryptionStart
from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.containers.pcapng import Remarks
from blechannel_capture.events import LinkDecrypted, LongTermKey
from tests.capture.air.test_link import read, whole
from tests.capture.channel_traffic import honest_life
from tests.capture.reading import hear
from tests.capture.test_fuzz import host_talk
from tests.capture.writing import HCI_FILES

KEY = bytes(range(0x41, 0x51))


def forms(key: bytes) -> Iterator[str]:
    yield from (key.hex(), repr(key)[2:-1], repr(key[::-1])[2:-1])


def shows(text: str, key: bytes) -> bool:
    return any(form in text for form in forms(key))


def test_link_keys() -> None:
    ring = KeyRing(search_passkeys=False)
    ring.add(KEY, "given")
    [decrypted] = read(whole(KEY), link_keys=ring).all(LinkDecrypted)
    assert decrypted.key == KEY
    [found] = hear(HCI_FILES["btsnoop H4"](host_talk().said)).all(LongTermKey)
    assert found.key == bytes(range(16))[::-1]
    decryption = Decryption.of(
        KEY, "given", EncryptionStart(bytes(8), bytes(2), bytes(8), bytes(4), bytes(8), bytes(4))
    )
    printed = f"{ring!r} {decrypted!r} {decryption!r}"
    assert "given" in printed
    assert not shows(printed, KEY)
    assert not shows(repr(found), found.key)


def test_key_logs() -> None:
    world = honest_life()
    log: KeyLog = world.key_log(Role.PHONE)
    for secrets in (each for found in log.values() for each in found):
        for key in (secrets.ephemeral, secrets.static, secrets.psk):
            assert len(key) == 32
            assert not shows(repr(log), key)


def test_secrets_of_a_file() -> None:
    remarks = Remarks()
    remarks.secrets.append((1, KEY))
    assert not shows(repr(remarks), KEY)
