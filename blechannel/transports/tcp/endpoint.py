"""Where a simulated watch listens: `127.0.0.1:7001`, `[::1]:7001` or `unix:/path`."""

from __future__ import annotations

import ipaddress
import re

from blechannel.errors import LocalProtocolError
from blechannel.values import dataclass

_HOST_AND_PORT = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<host>[^:\[\]/\s]+)):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A host and a port; port 0, for listening only, is one that the system chooses."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def option(self) -> str:
        """As the command line's `--transport` takes it."""
        return f"tcp:{self}"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can be meant. A name other than `localhost` may lead anywhere."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class UnixEndpoint:
    """A socket in the file system."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"

    @property
    def option(self) -> str:
        """As the command line's `--transport` takes it."""
        return str(self)

    @property
    def is_local(self) -> bool:
        """Always."""
        return True


Endpoint = TcpEndpoint | UnixEndpoint


def parse_endpoint(address: str, *, allow_remote: bool = False) -> Endpoint:
    """Read an address; a leading `tcp:` is ignored.

    Raises:
        LocalProtocolError: no address, or one that leaves this machine without `allow_remote`.
    """
    if address.startswith("unix:") and len(address) > len("unix:"):
        return UnixEndpoint(address.removeprefix("unix:"))
    match = _HOST_AND_PORT.fullmatch(address.removeprefix("tcp:"))
    if match is None or int(match["port"]) > 0xFFFF:
        raise LocalProtocolError(f"no address: {address!r}; expected 127.0.0.1:7001, [::1]:7001 or unix:/path")
    endpoint = TcpEndpoint(match["v6"] or match["host"], int(match["port"]))
    if not (allow_remote or endpoint.is_local):
        raise LocalProtocolError(f"{endpoint} is not on this machine: this simulates a radio, for tests only")
    return endpoint
