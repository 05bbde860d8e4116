"""From what `--transport` says to a phone's or a watch's radio; only what is asked for is imported."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from blechannel.aio.attributes import PlainService
from blechannel.aio.link import PhoneTransport, WatchTransport
from blechannel.errors import LocalProtocolError

SOCKETS = ("tcp:", "unix:")
"""Simulated radios between two processes of one machine."""
BLEAK = "bleak"
"""The operating system's own Bluetooth, for phones."""
BLUEZ = "bluez"
"""The same for watches, on Linux; everything else is one of Bumble's transports."""


async def open_phone_radio(spec: str, *, snoop: Path | None = None) -> PhoneTransport:
    """The central behind `spec`.

    Raises:
        LocalProtocolError: `spec` is no transport, or cannot be captured.
        TransportError: there is no such adapter, or it refuses.
        MissingExtra: what drives it is not installed.
    """
    if spec.startswith(SOCKETS):
        _check_socket(spec, snoop)
        from blechannel.transports.tcp import TcpPhoneTransport

        return TcpPhoneTransport([spec])
    kind, _, adapter = spec.partition(":")
    if kind == BLEAK:
        _check_no_snoop(spec, snoop)
        from blechannel.transports.bleak import BleakPhoneTransport, Stack

        return BleakPhoneTransport(Stack(adapter or None))
    if kind == BLUEZ:
        raise LocalProtocolError("bluez is a watch's radio: give the phone bleak, or one of Bumble's, such as usb:0")
    from blechannel.transports.bumble import BumblePhoneTransport

    return await BumblePhoneTransport.open(spec, snoop=snoop)


async def open_watch_radio(
    spec: str, *, snoop: Path | None = None, plain_services: Sequence[PlainService] = ()
) -> WatchTransport:
    """The peripheral behind `spec`; raises as `open_phone_radio`."""
    if spec.startswith(SOCKETS):
        _check_socket(spec, snoop)
        if plain_services:
            raise LocalProtocolError(f"nothing can be served in the plain at {spec}: it has no GATT")
        from blechannel.transports.tcp import TcpWatchTransport

        return TcpWatchTransport(spec)
    kind, _, adapter = spec.partition(":")
    if kind == BLUEZ:
        _check_no_snoop(spec, snoop)
        from blechannel.transports.bluez import BluezWatchTransport

        return await BluezWatchTransport.open(adapter or None, plain_services=plain_services)
    if kind == BLEAK:
        raise LocalProtocolError("bleak is a phone's radio: give the watch bluez, or one of Bumble's, such as usb:0")
    from blechannel.transports.bumble import BumbleWatchTransport

    return await BumbleWatchTransport.open(spec, snoop=snoop, plain_services=plain_services)


def address_of(radio: WatchTransport, spec: str) -> str:
    """Where phones reach this watch; over the air the address changes, and `spec` has to do."""
    from blechannel.transports.tcp import TcpWatchTransport

    if not isinstance(radio, TcpWatchTransport):
        return spec
    return radio.address if radio.address.startswith("unix:") else f"tcp:{radio.address}"


def _check_no_snoop(spec: str, snoop: Path | None) -> None:
    if snoop is not None:
        raise LocalProtocolError(
            f"--snoop captures what Bumble drives; with {spec}, the system has tools: btmon -w FILE"
        )


def _check_socket(spec: str, snoop: Path | None) -> None:
    if snoop is not None:
        raise LocalProtocolError(f"--snoop captures a controller's traffic; {spec} has no controller")
    if spec.startswith("unix:") and not hasattr(socket, "AF_UNIX"):
        raise LocalProtocolError("this system has no Unix sockets: use tcp:127.0.0.1:7001")
