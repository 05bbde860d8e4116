"""The key log's line: three columns, as written down."""

from __future__ import annotations

import pytest

from blechannel.roles import Role
from blechannel.session.events import KeysLogged
from blechannel.session.trace import key_log_line


@pytest.mark.parametrize(
    ("kind", "role", "label"),
    [
        ("PAIR", Role.PHONE, "BLECHANNEL1_PAIR_PHONE"),
        ("PAIR", Role.WATCH, "BLECHANNEL1_PAIR_WATCH"),
        ("RECONNECT", Role.PHONE, "BLECHANNEL1_RECONNECT_PHONE"),
        ("RECONNECT", Role.WATCH, "BLECHANNEL1_RECONNECT_WATCH"),
    ],
)
def test_a_line_is_label_nonce_and_secrets(kind: str, role: Role, label: str) -> None:
    line = key_log_line(kind, role, bytes(range(16)), (b"\xaa" * 32, b"\xbb" * 32, b"\xcc" * 32))
    assert line == f"{label} 000102030405060708090a0b0c0d0e0f {'aa' * 32}{'bb' * 32}{'cc' * 32}"
    assert "\n" not in line


def test_the_event_does_not_show_its_line() -> None:
    assert "secret" not in repr(KeysLogged("secret"))
