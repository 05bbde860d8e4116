"""The simulated sensors of the command line's watch, as profiles: replayed from traces, the same for the same seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from blechannel import __version__
from blechannel.aio.attributes import PlainService
from blechannel.aio.watch import Watch
from blechannel.errors import AttributeRefused
from blechannel_tools.traces import ALERTS, HEART_RATES_BPM
from gatt_profiles import alert_notification, battery, current_time, device_information, heart_rate, immediate_alert
from gatt_profiles.alerts import Alerts
from gatt_profiles.battery import FULL_PERCENT, BatteryLevel
from gatt_profiles.current_time import Adjusted, CurrentTime
from gatt_profiles.device_information import Text
from gatt_profiles.heart_rate import BodySensorLocation, HeartRate, Location
from gatt_profiles.immediate_alert import AlertLevel, Level
from gatt_profiles.plain import plain_service
from gatt_profiles.server import Server
from gatt_profiles.tunnel import serving

PLAIN = ("battery", "current-time", "device-information")
"""Profiles of which strangers may see something."""
BATTERY_STEP_S = 60
ALERT_STEP_S = 20
KJ_PER_BEAT = 0.06
JITTER_BPM = 1
LAST_YEAR = 9998
"""Of the clock: in the year after, Python's own would run out."""


class Sensors:
    """What the watch has; `run` lets it go on, `speed` times as fast as life."""

    def __init__(self, seed: int, *, speed: float = 1.0) -> None:
        self._random = Random(seed)
        self._speed = speed
        self.on_ring: Callable[[Level], None] | None = None
        """Told when a phone wants the watch to ring, or to be quiet."""
        self._elapsed_s = self._random.randrange(len(HEART_RATES_BPM))
        self._energy_kj = 0.0
        self._clock_off_by = timedelta()
        self._battery = Server(battery.SERVICE)
        self._heart = Server(heart_rate.SERVICE)
        self._time = Server(current_time.SERVICE)
        alerts, alarm = Server(alert_notification.SERVICE), Server(immediate_alert.SERVICE)
        self._alerts = Alerts(alerts, *sorted({category for category, _ in ALERTS}))
        self.servers: Sequence[Server] = (
            *(_device_information(seed), self._battery, self._time, self._heart, alerts, alarm),
        )
        self._percent = FULL_PERCENT
        self._battery.set(battery.LEVEL, BatteryLevel(FULL_PERCENT))
        self._heart.set(heart_rate.LOCATION, BodySensorLocation(Location.WRIST))
        self._heart.on_write(heart_rate.CONTROL_POINT, self._reset_energy)
        self._time.on_read(current_time.CURRENT_TIME, lambda: CurrentTime.of(self._now()))
        self._time.on_write(current_time.CURRENT_TIME, self._set_clock)
        alarm.on_write(immediate_alert.ALERT_LEVEL, self._alarm)

    def serve(self, watch: Watch) -> None:
        """Serve each profile on its port of the watch's channels."""
        for server in self.servers:
            watch.serve(server.service.port, serving(server))

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports that are served, by name."""
        return tuple(server.service.port for server in self.servers)

    def plain(self, ports: Sequence[str]) -> list[PlainService]:
        """Those profiles in the plain.

        Raises:
            LocalProtocolError: one is for the channel only.
        """
        return [plain_service(server) for server in self.servers if server.service.port in ports]

    async def run(self) -> None:
        """A step each simulated second, without end."""
        while True:
            self.step()
            await asyncio.sleep(1 / self._speed)

    def step(self) -> None:
        """One second passes."""
        self._elapsed_s += 1
        self._beat()
        if self._elapsed_s % BATTERY_STEP_S == 0:
            self._percent = max(1, self._percent - 1)
            self._battery.set(battery.LEVEL, BatteryLevel(self._percent))
        if self._elapsed_s % ALERT_STEP_S == 0:
            self._alerts.came(*self._random.choice(ALERTS))

    def _beat(self) -> None:
        felt = HEART_RATES_BPM[self._elapsed_s % len(HEART_RATES_BPM)]
        bpm = felt + self._random.randint(-JITTER_BPM, JITTER_BPM)
        self._energy_kj += KJ_PER_BEAT * bpm / 60
        rr_1024 = round(60 * heart_rate.RR_PER_S / bpm)
        energy_kj = min(0xFFFF, int(self._energy_kj))
        self._heart.set(heart_rate.MEASUREMENT, HeartRate.of(bpm, contact=True, energy_kj=energy_kj, rr_1024=[rr_1024]))

    def _reset_energy(self, written: heart_rate.ControlPoint) -> None:
        if written.command != heart_rate.Command.RESET_ENERGY_EXPENDED:
            raise AttributeRefused(heart_rate.CONTROL_POINT_NOT_SUPPORTED, f"no command {written.command}")
        self._energy_kj = 0.0

    def _now(self) -> datetime:
        return datetime.now() + self._clock_off_by

    def _set_clock(self, written: CurrentTime) -> None:
        if written.moment is None or written.moment.year > LAST_YEAR:
            raise AttributeRefused(current_time.DATA_FIELD_IGNORED, "a time that this clock cannot hold")
        self._clock_off_by = written.moment - datetime.now()
        self._time.set(current_time.CURRENT_TIME, CurrentTime.of(self._now(), Adjusted.BY_HAND))
        self._time.on_read(current_time.CURRENT_TIME, lambda: CurrentTime.of(self._now(), Adjusted.BY_HAND))

    def _alarm(self, written: AlertLevel) -> None:
        if self.on_ring is not None:
            self.on_ring(written.level)


def _device_information(seed: int) -> Server:
    server = Server(device_information.SERVICE)
    for characteristic, text in (
        (device_information.MANUFACTURER_NAME, "blechannel"),
        (device_information.MODEL_NUMBER, "simulated watch"),
        (device_information.SERIAL_NUMBER, f"simulated-{seed}"),
        (device_information.SOFTWARE_REVISION, __version__),
    ):
        server.set(characteristic, Text(text))
    return server
