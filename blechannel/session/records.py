"""Records: one AEAD a frame, its header as associated data, a key and a counter a direction (protocol, "Records").

The plaintext is `body ‖ type ‖ zeros`: the type is the last byte that is not zero, so padding needs no length.
Messages are sealed and opened as content, `body ‖ type` in one piece, because each copy of them costs; everything
else is `seal`ed and `open`ed by type and body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidTag

from blechannel.config import Padding
from blechannel.errors import AuthenticationFailed, LocalProtocolError, MalformedFrame
from blechannel.noise import CHACHAPOLY, MAX_NONCE, CipherState, Transport
from blechannel.wire.frames import RECORD_KIND
from blechannel.wire.header import FRAME_HEADER_BYTES, pack_header

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
TYPE_BYTES: Final = 1
_HEADER: Final = slice(FRAME_HEADER_BYTES)
_SEALED: Final = slice(FRAME_HEADER_BYTES, None)
REKEY_EVERY: Final = 1 << 14
_REKEY_MASK: Final = REKEY_EVERY - 1
_EDGE: Final = 2
"""Of the nonces between two changes of the key, only the first and the last are looked at more closely."""


class RestingKeys(NamedTuple):
    """A key and a counter a direction: all that there is to know of a record layer. Never printed."""

    k: bytes
    """Both keys, that for sending first."""
    send_n: int
    receive_n: int

    def __repr__(self) -> str:
        return f"RestingKeys(send_n={self.send_n}, receive_n={self.receive_n})"


class Records:
    """Seals what this side says and opens what the peer said, in order. Neither end may skip or repeat."""

    __slots__ = (
        *("_block_bytes", "_decrypt", "_encrypt", "_fitting_bytes", "_header", "_max_content_bytes", "_padding"),
        *("_receive", "_send"),
    )

    def __init__(self, transport: Transport, *, padding: Padding, max_body_bytes: int) -> None:
        """`max_body_bytes`: the longest frame body that the peer takes."""
        self._send: CipherState = transport.send
        self._receive: CipherState = transport.receive
        self._encrypt = self._send.aead.encrypt
        self._decrypt = self._receive.aead.decrypt
        self._padding = padding
        self._block_bytes = padding.block_bytes
        self._max_content_bytes = max_body_bytes - TAG_BYTES
        self._fitting_bytes = 0
        self._header = b""

    @classmethod
    def woken(cls, keys: RestingKeys, *, padding: Padding, max_body_bytes: int) -> Records:
        """The record layer that gave these keys, where it had come to."""
        send = CipherState(CHACHAPOLY, keys.k[:KEY_BYTES], keys.send_n)
        receive = CipherState(CHACHAPOLY, keys.k[KEY_BYTES:], keys.receive_n)
        return cls(Transport(send, receive, b"", b""), padding=padding, max_body_bytes=max_body_bytes)

    def rest(self) -> RestingKeys:
        """What `woken` goes on from. Whoever goes on with both uses nonces twice."""
        return RestingKeys(self._send.k + self._receive.k, self._send.n, self._receive.n)

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
        return self._max_content_bytes - TYPE_BYTES

    def seal(self, record_type: int, body: bytes) -> bytes:
        """A whole frame, header included; raises as `seal_content` does."""
        return self.seal_content(body + bytes((record_type,)))

    def open(self, frame: bytes) -> tuple[int, bytes]:
        """The record type and the body of the next frame of the peer; raises as `open_content` does."""
        content = self.open_content(frame)
        return content[-1], content[:-1]

    def seal_content(self, content: bytes) -> bytes:
        """A whole frame, header included, of `body ‖ type`, padded.

        Raises:
            LocalProtocolError: the body is too long for the peer, or every nonce is used; nothing changed.
        """
        if len(content) != self._fitting_bytes:
            content = self._fitted(content)
        send, header = self._send, self._header
        n = send.n
        if (n + 1) & _REKEY_MASK < _EDGE:
            self._encrypt = _at_edge(send).encrypt
        frame = header + self._encrypt(send.nonce(n), content, header)
        send.n = n + 1
        return frame

    def _fitted(self, content: bytes) -> bytes:
        """Within the peer's limit and padded, with its header in `_header`: the next as long as this needs no look."""
        size = len(content)
        if size > self._max_content_bytes:
            raise LocalProtocolError(f"a record of {size - 1} bytes: the peer takes {self.max_body_bytes}")
        if size % self._block_bytes:
            content += bytes(self._padding.extra_bytes(size, self._max_content_bytes))
            size = len(content)
        if size != self._fitting_bytes:
            self._fitting_bytes = size
            self._header = pack_header(RECORD_KIND, size + TAG_BYTES)
        return content

    def open_content(self, frame: bytes) -> bytes:
        """`body ‖ type` of the next frame of the peer, header included, without the padding; never empty.

        Raises:
            AuthenticationFailed: the tag is wrong; the session must end.
            LocalProtocolError: every nonce is used; nothing changed.
            MalformedFrame: the peer sealed padding and nothing else.
        """
        receive = self._receive
        n = receive.n
        if (n + 1) & _REKEY_MASK < _EDGE:
            self._decrypt = _at_edge(receive).decrypt
        try:
            content = self._decrypt(receive.nonce(n), frame[_SEALED], frame[_HEADER])
        except InvalidTag as error:
            raise AuthenticationFailed from error
        receive.n = n + 1
        if not content or not content[-1]:
            content = content.rstrip(b"\0")
            if not content:
                raise MalformedFrame("a record without a type")
        return content


def _at_edge(state: CipherState) -> ChaCha20Poly1305 | AESGCM:
    """The AEAD for the next record, under a new key where one is due.

    Raises:
        LocalProtocolError: every nonce is used; nothing changed.
    """
    if state.n >= MAX_NONCE:
        raise LocalProtocolError("no nonce is left under this key")
    if state.n and not state.n & _REKEY_MASK:
        state.rekey()
    return state.aead
