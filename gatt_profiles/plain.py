"""A profile in the plain: what of it a watch's transport may serve to strangers."""

from __future__ import annotations

from blechannel.aio.attributes import PlainCharacteristic, PlainService
from blechannel.errors import LocalProtocolError
from blechannel.gatt import Properties
from gatt_profiles.server import Server


def plain_service(server: Server, *, everything: bool = False) -> PlainService:
    """What a watch's transport takes when it is opened: what `server` offers at this moment.

    Strangers may read and subscribe. They may not write, and see nothing that is declared for the channel only;
    `everything` lets them.

    Raises:
        LocalProtocolError: nothing is left for strangers.
    """
    service = server.service
    allowed = Properties.READ | Properties.NOTIFY if not everything else ~Properties(0)
    shown = tuple(
        PlainCharacteristic(characteristic.uuid, properties)
        for characteristic in service.characteristics
        if everything or not (service.channel_only or characteristic.channel_only)
        if (properties := server.offered(characteristic) & allowed)
    )
    if not shown:
        raise LocalProtocolError(f"{service.port} has nothing for strangers: serve it through the channel")
    return PlainService(service.uuid, shown, server)
