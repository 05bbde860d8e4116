"""What a watch serves in the plain on either side of the machine, and what it keeps for the channel."""

from __future__ import annotations

from datetime import datetime

from blechannel.aio.attributes import PlainService
from blechannel.aio.watch import Watch
from gatt_profiles import battery, current_time, device_information, heart_rate
from gatt_profiles.battery import BatteryLevel
from gatt_profiles.current_time import Adjusted, CurrentTime
from gatt_profiles.device_information import Text
from gatt_profiles.heart_rate import BodySensorLocation, Location
from gatt_profiles.plain import plain_service
from gatt_profiles.profile import Service
from gatt_profiles.server import Server
from gatt_profiles.tunnel import serving

CHARGED = BatteryLevel(87)
MODEL = Text("Ω 3")
SERIAL = Text("0042")
WRIST = BodySensorLocation(Location.WRIST)
NOON = CurrentTime.of(datetime(2018, 11, 15, 13, 37, 42, 992188), Adjusted.BY_HAND)
SERVICES: dict[str, Service] = {
    known.SERVICE.port: known.SERVICE for known in (battery, device_information, current_time, heart_rate)
}


class Profiles:
    """The servers of one watch, each with a value."""

    def __init__(self) -> None:
        self.battery = Server(battery.SERVICE)
        self.information = Server(device_information.SERVICE)
        self.clock = Server(current_time.SERVICE)
        self.heart = Server(heart_rate.SERVICE)
        self.battery.set(battery.LEVEL, CHARGED)
        self.information.set(device_information.MODEL_NUMBER, MODEL)
        self.information.set(device_information.SERIAL_NUMBER, SERIAL)
        self.clock.set(current_time.CURRENT_TIME, NOON)
        self.heart.set(heart_rate.LOCATION, WRIST)

    @property
    def plain(self) -> list[PlainService]:
        """What the watch's transport takes; the heart rate is for the channel only."""
        return [plain_service(server) for server in (self.battery, self.information, self.clock)]

    def serve(self, watch: Watch) -> None:
        """All of them, through the channel."""
        for server in (self.battery, self.information, self.clock, self.heart):
            watch.serve(server.service.port, serving(server))
