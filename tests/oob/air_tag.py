"""A Type 3 tag in the air: nfcpy's own emulation of its commands, behind the datagrams that nfcpy's reader sends.

Both ends are on the loopback address. What is missing is the radio: anticollision, field and antenna.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import nfc.clf
from nfc.tag.tt3 import Type3TagEmulation

BLOCK_BYTES = 16


class AirTag:
    """Memory of a tag: an attribute block, then the message (Type 3 Tag, 6.1)."""

    def __init__(self, message: bytes, *, blocks: int = 16, writeable: bool = True) -> None:
        self.blocks = blocks
        self.memory = bytearray((blocks + 1) * BLOCK_BYTES)
        attributes = bytearray(BLOCK_BYTES)
        attributes[0:5] = bytes([0x10, 4, 4]) + blocks.to_bytes(2)
        attributes[10] = 1 if writeable else 0
        attributes[11:14] = len(message).to_bytes(3)
        attributes[14:16] = sum(attributes[:14]).to_bytes(2)
        self.memory[: BLOCK_BYTES + len(message)] = attributes + message
        self.answers_left = 10_000
        """Commands after which the tag is taken away."""
        self.keeps = True
        """Whether what is written stays."""

    @property
    def message(self) -> bytes:
        return bytes(self.memory[BLOCK_BYTES : BLOCK_BYTES + int.from_bytes(self.memory[11:14])])

    def emulate(self) -> Type3TagEmulation:
        target = nfc.clf.LocalTarget("212F")
        target.sensf_res = bytearray.fromhex("01 02fe010203040506 ffffffffffffffff 12fc")
        target.tt3_cmd = bytearray(10)
        tag = Type3TagEmulation(None, target)
        tag.add_service(0x0009, self._read, self._write)
        tag.add_service(0x000B, self._read, lambda *_: False)
        return tag

    def _read(self, block: int, _first: bool, _last: bool) -> bytearray | None:
        return self.memory[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES] if block <= self.blocks else None

    def _write(self, block: int, data: bytearray, _first: bool, _last: bool) -> bool:
        if block > self.blocks:
            return False
        if self.keeps:
            self.memory[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES] = data
        return True


@contextmanager
def in_the_air(tag: AirTag | None) -> Iterator[str]:
    """The path of a reader that has this tag in front of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as air:
        air.bind(("127.0.0.1", 0))
        stop = threading.Event()
        thread = threading.Thread(target=_answer, args=(air, tag, stop))
        thread.start()
        try:
            yield f"udp:127.0.0.1:{air.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


def _answer(air: socket.socket, tag: AirTag | None, stop: threading.Event) -> None:
    emulated = tag.emulate() if tag else None
    air.settimeout(0.02)
    while not stop.is_set():
        try:
            data, reader = air.recvfrom(1024)
        except TimeoutError:
            continue
        kind, _, text = data.partition(b" ")
        answer = None
        if kind == b"212F" and tag and emulated and tag.answers_left:
            tag.answers_left -= 1
            answer = _polled(emulated, bytearray.fromhex(text.decode()))
        if answer:
            air.sendto(kind + b" " + answer.hex().encode(), reader)
        elif kind in (b"106A", b"106B", b"212F"):
            # Says at once that nothing answers, which the reader would else wait a second for.
            air.sendto(b"RFOFF", reader)


def _polled(tag: Type3TagEmulation, command: bytearray) -> bytes | None:
    if command.startswith(b"\x06\x00"):
        return bytes([18]) + bytes(tag.target.sensf_res[:17])
    answer = tag.process_command(command)
    return bytes(answer) if answer else None
