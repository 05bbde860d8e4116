"""The key log: one line a session and side, in the three columns of NSS key logs (protocol, "Key log").

``BLECHANNEL1_<PAIR|RECONNECT>_<PHONE|WATCH> <nonce of INFO> <secrets>``, all in hexadecimal. The secrets are this
side's ephemeral and static private keys, for a reconnect the peer's static public key, and the psk: what recomputes
the handshake and opens its records.
"""

from __future__ import annotations

from blechannel.roles import Role

LABEL = "BLECHANNEL1"


def key_log_line(kind: str, role: Role, nonce: bytes, keys: tuple[bytes, ...]) -> str:
    """One line, without its end; `kind` is PAIR or RECONNECT, each key has 32 bytes."""
    return f"{LABEL}_{kind}_{role.name} {nonce.hex()} {b''.join(keys).hex()}"
