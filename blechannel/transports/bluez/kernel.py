"""Advertising through the kernel's management socket, beside bluetoothd (doc/mgmt-api.txt of BlueZ).

A program may do so that has CAP_NET_ADMIN. The kernel goes on after the program has ended without a word: what was
left so is replaced at the next start, because the last of the adapter's places is always the one taken.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import struct
from contextlib import closing, suppress

from blechannel.errors import TransportError
from blechannel.transports.adverts import SERVICE_LIST, scan_response
from blechannel.transports.answers import answered
from blechannel.transports.bluetoothd import SWITCHED_OFF

COMMAND_S = 5.0
HEADER = struct.Struct("<HHH")
"""Command or event, the adapter's index, and how many bytes follow."""
READ_FEATURES, ADD, REMOVE = 0x003D, 0x003E, 0x003F
COMPLETE, STATUS = 0x0001, 0x0002
OUTCOME = struct.Struct("<HB")
"""The command that has an answer, and its status."""
FEATURES = struct.Struct("<IBBB")
"""Flags that are supported, longest advertisement and scan response, and how many places there are."""
ADVERTISEMENT = struct.Struct("<BIHHBB")
"""Place, flags, duration, time-out, and the lengths of advertisement and scan response."""
CONNECTABLE_AND_DISCOVERABLE = 0x03
_LONGEST_EVENT_BYTES = 1024
_AF_BLUETOOTH, _BTPROTO_HCI = 31, 1
"""Linux's numbers: a Python that was built without Bluetooth's headers does not name them."""
_CONTROL_CHANNEL, _NO_ADAPTER = 3, 0xFFFF
PRIVILEGE = "permission denied: run as root or with CAP_NET_ADMIN"
REASONS = {0x0C: "the adapter cannot advertise", 0x0F: SWITCHED_OFF, 0x11: "there is no such adapter", 0x14: PRIVILEGE}


class KernelAdvertising:
    """See Advertising; `adapter` is like "hci0"."""

    def __init__(self, adapter: str) -> None:
        self._adapter = adapter
        self._index = int(adapter.removeprefix("hci"))

    async def start(self, service_data: bytes) -> None:
        """Advertise as the protocol says, byte for byte."""
        answer = scan_response(service_data)
        head = CONNECTABLE_AND_DISCOVERABLE, 0, 0, len(SERVICE_LIST), len(answer)
        with self._control() as control:
            place = await self._last_place(control)
            body = ADVERTISEMENT.pack(place, *head) + SERVICE_LIST + answer
            await self._ask(control, ADD, body)

    async def stop(self) -> None:
        """Advertise no more."""
        with suppress(TransportError), self._control() as control:
            place = await self._last_place(control)
            await self._ask(control, REMOVE, bytes([place]))

    def _control(self) -> closing[socket.socket]:
        try:
            return closing(open_control())
        except OSError as error:
            raise explained(error, self._doing) from error

    @property
    def _doing(self) -> str:
        return f"asking the kernel to advertise on {self._adapter}"

    async def _last_place(self, control: socket.socket) -> int:
        features = await self._ask(control, READ_FEATURES, b"")
        if len(features) < FEATURES.size or not features[FEATURES.size - 1]:
            raise TransportError(f"{self._doing}: {REASONS[0x0C]}")
        return features[FEATURES.size - 1]

    async def _ask(self, control: socket.socket, command: int, body: bytes) -> bytes:
        """What the kernel answers to one command."""
        work = self._exchange(control, command, body)
        return await answered(work, within_s=COMMAND_S, doing=self._doing, explain=explained)

    async def _exchange(self, control: socket.socket, command: int, body: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(control, HEADER.pack(command, self._index, len(body)) + body)
        while True:
            event = await loop.sock_recv(control, _LONGEST_EVENT_BYTES)
            if not event:
                raise EOFError("the kernel closed the socket")
            if (answer := _answer_in(event, self._index, command)) is not None:
                status, rest = answer
                if status:
                    raise TransportError(f"{self._doing}: {REASONS.get(status, f'refused (status 0x{status:02X})')}")
                return rest


def open_control() -> socket.socket:
    """The kernel's control channel. Before 3.14 Python cannot say which channel it means, so that libc has to.

    Raises:
        OSError: no Bluetooth in this kernel, or no permission.
    """
    control = socket.socket(_AF_BLUETOOTH, socket.SOCK_RAW, _BTPROTO_HCI)
    control.setblocking(False)
    address = struct.pack("<HHH", _AF_BLUETOOTH, _NO_ADAPTER, _CONTROL_CHANNEL)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.bind(control.fileno(), address, len(address)):
        control.close()
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return control


def explained(error: BaseException, doing: str) -> TransportError:
    """The same failure as an error of ours."""
    words = PRIVILEGE if isinstance(error, PermissionError) else str(error)
    return TransportError(f"{doing}: {words}")


def _answer_in(event: bytes, index: int, command: int) -> tuple[int, bytes] | None:
    """Status and parameters, if this event answers this command."""
    if len(event) < HEADER.size + OUTCOME.size:
        return None
    kind, whose, _length = HEADER.unpack_from(event)
    answered_command, status = OUTCOME.unpack_from(event, HEADER.size)
    if kind not in (COMPLETE, STATUS) or (whose, answered_command) != (index, command):
        return None
    return status, event[HEADER.size + OUTCOME.size :]
