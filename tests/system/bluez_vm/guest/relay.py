"""Carries HCI packets between the kernel's virtual controller and the host's: a process of its own, so that nothing
that happens in the machine makes the controller slow to answer."""

from __future__ import annotations

import os
import select
import struct

from tests.system.bluez_vm.guest.ports import open_port

_READ_BYTES = 8192
_CREATE = bytes([0xFF, 0x00])
"""A controller of the primary kind (drivers/bluetooth/hci_vhci.c, "vendor packet")."""
_LENGTH = {0x01: (3, "B"), 0x02: (3, "<H"), 0x03: (3, "B"), 0x04: (2, "B"), 0x05: (3, "<H")}
"""Where each kind of packet has its length, and as what (volume 4, part A, 2)."""


def packets(stream: bytearray) -> list[bytes]:
    """The whole H4 packets at the head of `stream`, which are taken off it."""
    whole = []
    while stream:
        at, form = _LENGTH[stream[0]]
        head_bytes = at + struct.calcsize(form)
        if len(stream) < head_bytes:
            break
        size = head_bytes + int(struct.unpack_from(form, stream, at)[0])
        if len(stream) < size:
            break
        whole.append(bytes(stream[:size]))
        del stream[:size]
    return whole


def write_whole(port: int, data: bytes) -> None:
    """Write all of it, however the port takes it."""
    while data:
        data = data[os.write(port, data) :]


def relay(controller: int, port: int) -> None:
    """Until one of the two ends. Each read of the controller gives one packet, and each write takes one."""
    stream = bytearray()
    poll = select.poll()
    for end in (controller, port):
        poll.register(end, select.POLLIN)
    while True:
        for end, _ in poll.poll():
            data = os.read(end, _READ_BYTES)
            if not data:
                return
            if end == controller:
                write_whole(port, data)
                continue
            stream += data
            for packet in packets(stream):
                os.write(controller, packet)


def main() -> None:
    """Make the kernel's controller and serve it."""
    controller = os.open("/dev/vhci", os.O_RDWR)
    os.write(controller, _CREATE)
    os.read(controller, _READ_BYTES)  # which number it has
    relay(controller, open_port("hci"))


if __name__ == "__main__":
    main()
