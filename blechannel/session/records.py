"""Records: one AEAD a frame, its header as associated data, a key and a counter a direction (protocol, "Records").

The plaintext is `body ‖ type ‖ zeros`: the type is the last byte that is not zero, so padding needs no length.
"""

from __future__ import annotations

from typing import Final

from blechannel.config import Padding
from blechannel.errors import LocalProtocolError, MalformedFrame
from blechannel.noise import CipherState, Transport
from blechannel.wire.frames import RECORD_KIND
from blechannel.wire.header import FRAME_HEADER_BYTES, pack_header

TAG_BYTES: Final = 16
TYPE_BYTES: Final = 1
REKEY_EVERY: Final = 1 << 14
_REKEY_MASK: Final = REKEY_EVERY - 1
_TYPES: Final = tuple(bytes((number,)) for number in range(256))


class Records:
    """Seals what this side says and opens what the peer said, in order. Neither end may skip or repeat."""

    __slots__ = ("_block_bytes", "_max_plaintext_bytes", "_padding", "_receive", "_send")

    def __init__(self, transport: Transport, *, padding: Padding, max_body_bytes: int) -> None:
        """`max_body_bytes`: the longest frame body that the peer takes."""
        self._send: CipherState = transport.send
        self._receive: CipherState = transport.receive
        self._padding = padding
        self._block_bytes = padding.block_bytes
        self._max_plaintext_bytes = max_body_bytes - TAG_BYTES

    @property
    def sent(self) -> int:
        """Records sealed so far."""
        return self._send.n

    @property
    def received(self) -> int:
        """Records opened so far."""
        return self._receive.n

    @property
    def max_body_bytes(self) -> int:
        """The longest body that `seal` takes."""
        return self._max_plaintext_bytes - TYPE_BYTES

    def seal(self, record_type: int, body: bytes) -> bytes:
        """A whole frame, header included.

        Raises:
            LocalProtocolError: the body is too long for the peer, or every nonce is used; nothing changed.
        """
        length_bytes = len(body) + TYPE_BYTES
        if length_bytes > self._max_plaintext_bytes:
            raise LocalProtocolError(f"a record of {len(body)} bytes: the peer takes {self.max_body_bytes}")
        end = _TYPES[record_type]
        if length_bytes % self._block_bytes:
            extra_bytes = self._padding.extra_bytes(length_bytes, self._max_plaintext_bytes)
            length_bytes += extra_bytes
            end += bytes(extra_bytes)
        header = pack_header(RECORD_KIND, length_bytes + TAG_BYTES)
        send = self._send
        if not send.n & _REKEY_MASK:
            _rekey_when_due(send)
        return header + send.encrypt_with_ad(header, body + end)

    def open(self, frame: bytes) -> tuple[int, bytes]:
        """The record type and the body of the next frame of the peer, header included.

        Raises:
            AuthenticationFailed: the tag is wrong; the session must end.
            MalformedFrame: the peer sealed padding and nothing else.
        """
        receive = self._receive
        if not receive.n & _REKEY_MASK:
            _rekey_when_due(receive)
        content = receive.decrypt_with_ad(frame[:FRAME_HEADER_BYTES], frame[FRAME_HEADER_BYTES:])
        if not content or not content[-1]:
            content = content.rstrip(b"\0")
            if not content:
                raise MalformedFrame("a record without a type")
        return content[-1], content[:-1]


def _rekey_when_due(cipher: CipherState) -> None:
    """Before record n, when n > 0 and n is a multiple of 2^14, the key moves on; n does not start again."""
    if cipher.n:
        cipher.rekey()
