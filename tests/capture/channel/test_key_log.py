"""Key logs: ours among other programs' lines, and damage that is named without showing a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from blechannel.roles import Role
from blechannel.session.trace import key_log_line
from blechannel_capture.channel.key_log import Kind, load_key_log, read_key_log
from blechannel_capture.errors import CaptureError

NONCE = bytes(range(16))
KEYS = tuple(bytes([number]) * 32 for number in range(1, 5))
PAIR = key_log_line("PAIR", Role.PHONE, NONCE, KEYS[:3])
RECONNECT = key_log_line("RECONNECT", Role.WATCH, NONCE, KEYS)


def test_lines_of_both_kinds() -> None:
    log = read_key_log([PAIR + "\n", "", "# a comment", "CLIENT_RANDOM 00 11", "  ", RECONNECT + "\r\n"])
    [pair, reconnect] = log[NONCE]
    assert (pair.kind, pair.role) == (Kind.PAIR, Role.PHONE)
    assert (pair.ephemeral, pair.static, pair.psk, pair.peer_static) == (*KEYS[:3], b"")
    assert (reconnect.kind, reconnect.role) == (Kind.RECONNECT, Role.WATCH)
    assert (reconnect.ephemeral, reconnect.static, reconnect.peer_static, reconnect.psk) == KEYS


DAMAGED = {
    "a key that is cut": PAIR[:-2],
    "a key with a letter": PAIR[:-1] + "x",
    "too many keys": key_log_line("PAIR", Role.PHONE, NONCE, KEYS),
    "too few keys": key_log_line("RECONNECT", Role.PHONE, NONCE, KEYS[:3]),
    "a nonce that is cut": PAIR.replace(NONCE.hex(), NONCE.hex()[2:]),
    "a column more": PAIR + " 00",
    "a column less": PAIR.rsplit(" ", 1)[0],
    "an unknown kind": PAIR.replace("_PAIR_", "_MEET_"),
    "an unknown side": PAIR.replace("_PHONE", "_CLOCK"),
    "a label with more in it": PAIR.replace("_PHONE", "_PHONE_2"),
    "a line without end": PAIR + "00" * 1000,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_named_by_its_line_and_shows_no_key(name: str) -> None:
    with pytest.raises(CaptureError, match=r"^line 2 of the key log is damaged$") as caught:
        read_key_log([RECONNECT, DAMAGED[name]])
    assert caught.value.__suppress_context__


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_text(PAIR + "\n")
    assert list(load_key_log(path)) == [NONCE]
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CaptureError, match="it is no text"):
        load_key_log(path)
    with pytest.raises(FileNotFoundError):
        load_key_log(tmp_path / "missing")
