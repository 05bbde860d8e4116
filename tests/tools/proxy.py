"""A TCP proxy on this machine that cuts connections: a link that is lost at a chosen byte."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self

WAIT_S = 20.0


class CuttingProxy:
    """``with CuttingProxy("tcp:127.0.0.1:…", after_bytes=…)``: the first connection that carries so many is cut."""

    def __init__(self, target: str, *, after_bytes: int) -> None:
        host, _, port = target.removeprefix("tcp:").rpartition(":")
        self._target = (host, int(port))
        self._after_bytes = after_bytes
        self._every = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._counting = threading.Lock()
        self.cuts = 0
        self.forwarded_bytes = 0
        """Towards the target."""

    @property
    def address(self) -> str:
        """Where to connect."""
        return f"tcp:127.0.0.1:{self._listener.getsockname()[1]}"

    def cut_all_after(self, after_bytes: int) -> None:
        """From now on every connection is cut after so many bytes."""
        self._after_bytes, self._every = after_bytes, True

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._sockets:
            _end(end)
        for thread in self._threads:
            thread.join(WAIT_S)
        for end in self._sockets:
            end.close()

    def _start(self, target: object, *arguments: socket.socket) -> None:
        assert callable(target)
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target, WAIT_S)
            except OSError:
                return
            self._sockets += [near, far]
            self._start(self._there, near, far)
            self._start(self._back, far, near)

    def _there(self, near: socket.socket, far: socket.socket) -> None:
        carried = 0
        try:
            while data := near.recv(4096):
                carried += len(data)
                with self._counting:
                    self.forwarded_bytes += len(data)
                    cut = carried >= self._after_bytes and (self._every or not self.cuts)
                    self.cuts += cut
                if cut:
                    break
                far.sendall(data)
        except OSError:
            pass
        _end(near)
        _end(far)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        try:
            while data := far.recv(4096):
                near.sendall(data)
        except OSError:
            pass
        _end(near)
        _end(far)


def _end(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is over already
