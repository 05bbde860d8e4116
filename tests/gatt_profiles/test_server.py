"""The serving side of a profile: what is offered, what is refused, and what strangers may see."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from blechannel.codec import REST, on_air
from blechannel.errors import AttributeRefused, LocalProtocolError
from blechannel.gatt import AttErrorCode, Properties, assigned_uuid
from gatt_profiles import alert_notification, battery, current_time, device_information, heart_rate, immediate_alert
from gatt_profiles.battery import LEVEL, BatteryLevel
from gatt_profiles.device_information import Text
from gatt_profiles.immediate_alert import ALERT_LEVEL, AlertLevel, Level
from gatt_profiles.plain import plain_service
from gatt_profiles.profile import Characteristic, Service
from gatt_profiles.server import Server


@dataclass(frozen=True, slots=True)
class Blob:
    """Any bytes."""

    data: bytes = on_air(REST, "any")


BLOB = Characteristic("Blob", "b1ec1001-7c4b-4f0e-9a53-5d8f6a3c21e7", Blob, Properties.READ)
BLOBS = Service("b1ec1000-7c4b-4f0e-9a53-5d8f6a3c21e7", "blobs", (BLOB,))
PROFILES = (alert_notification, battery, current_time, device_information, heart_rate, immediate_alert)


def test_what_was_never_given_is_not_offered() -> None:
    server = Server(device_information.SERVICE)
    server.set(device_information.MODEL_NUMBER, Text("3"))
    assert server.read(device_information.MODEL_NUMBER.uuid) == b"3"
    for uuid in (device_information.SERIAL_NUMBER.uuid, LEVEL.uuid):
        with pytest.raises(AttributeRefused, match=f"does not offer {uuid}") as refused:
            server.read(uuid)
        assert refused.value.code == AttErrorCode.ATTRIBUTE_NOT_FOUND


def test_only_what_the_properties_allow() -> None:
    server = Server(immediate_alert.SERVICE)
    heard: list[AlertLevel] = []
    server.on_write(ALERT_LEVEL, heard.append)
    server.set(ALERT_LEVEL, AlertLevel(Level.MILD_ALERT))
    with pytest.raises(AttributeRefused) as refused:
        server.read(ALERT_LEVEL.uuid)
    assert refused.value.code == AttErrorCode.READ_NOT_PERMITTED
    with pytest.raises(AttributeRefused) as refused:
        server.subscribe(ALERT_LEVEL.uuid, lambda _value: None)
    assert refused.value.code == AttErrorCode.REQUEST_NOT_SUPPORTED
    charge = Server(battery.SERVICE)
    charge.set(LEVEL, BatteryLevel(1))
    with pytest.raises(AttributeRefused) as refused:
        charge.write(LEVEL.uuid, b"\x02")
    assert refused.value.code == AttErrorCode.WRITE_NOT_PERMITTED
    assert charge.read(LEVEL.uuid) == b"\x01"


@pytest.mark.parametrize("value", [b"", b"\x03", b"\x01\x01", bytes(600)])
def test_a_written_value_that_is_none_reaches_nobody(value: bytes) -> None:
    server = Server(immediate_alert.SERVICE)
    heard: list[AlertLevel] = []
    server.on_write(ALERT_LEVEL, heard.append)
    with pytest.raises(AttributeRefused, match="no AlertLevel") as refused:
        server.write(ALERT_LEVEL.uuid, value)
    assert refused.value.code == AttErrorCode.VALUE_NOT_ALLOWED
    server.write(ALERT_LEVEL.uuid, b"\x02")
    assert heard == [AlertLevel(Level.HIGH_ALERT)]


def test_the_application_cannot_give_what_has_no_place() -> None:
    server = Server(battery.SERVICE)
    with pytest.raises(LocalProtocolError, match="Model Number is no characteristic of battery"):
        server.set(device_information.MODEL_NUMBER, Text("3"))
    with pytest.raises(LocalProtocolError, match="Battery Level takes a BatteryLevel"):
        server.set(LEVEL, Text("3"))  # type: ignore[misc]
    with pytest.raises(LocalProtocolError, match="percent is 0 to 100"):
        server.set(LEVEL, BatteryLevel(101))
    with pytest.raises(LocalProtocolError, match="Blob has at most 512 bytes, not 513"):
        Server(BLOBS).set(BLOB, Blob(bytes(513)))


def test_a_source_that_gives_what_has_no_place_is_refused_to_the_client() -> None:
    server = Server(battery.SERVICE)
    server.on_read(LEVEL, lambda: BatteryLevel(101))
    with pytest.raises(AttributeRefused, match="percent is 0 to 100") as refused:
        server.read(LEVEL.uuid)
    assert refused.value.code == AttErrorCode.UNLIKELY_ERROR


def test_a_subscription_ends_once() -> None:
    server = Server(battery.SERVICE)
    server.set(LEVEL, BatteryLevel(3))
    heard: list[bytes] = []
    undo = server.subscribe(LEVEL.uuid, heard.append)
    server.set(LEVEL, BatteryLevel(2))
    undo()
    undo()
    server.set(LEVEL, BatteryLevel(1))
    assert heard == [b"\x02"]


def test_strangers_never_see_what_is_for_the_channel() -> None:
    server = Server(device_information.SERVICE)
    for characteristic in device_information.STRINGS:
        server.set(characteristic, Text("3"))
    server.set(device_information.SYSTEM_ID, device_information.SystemId(bytes(5), bytes(3)))
    shown = {characteristic.uuid for characteristic in plain_service(server).characteristics}
    everything = {characteristic.uuid for characteristic in plain_service(server, everything=True).characteristics}
    assert everything - shown == {device_information.SERIAL_NUMBER.uuid, device_information.SYSTEM_ID.uuid}


def test_strangers_never_write() -> None:
    server = Server(current_time.SERVICE)
    server.on_read(current_time.CURRENT_TIME, lambda: current_time.CurrentTime(0, 0, 0, 0, 0, 0, 0, 0, 0))  # type: ignore[arg-type]
    server.on_write(current_time.CURRENT_TIME, lambda _written: None)
    [shown] = plain_service(server).characteristics
    assert shown.properties == Properties.READ | Properties.NOTIFY
    [shown] = plain_service(server, everything=True).characteristics
    assert shown.properties == Properties.READ | Properties.NOTIFY | Properties.WRITE


@pytest.mark.parametrize("profile", [heart_rate, alert_notification, immediate_alert])
def test_profiles_of_which_strangers_see_nothing(profile: object) -> None:
    service: Service = profile.SERVICE  # type: ignore[attr-defined]
    server = Server(service)
    server.on_write(service.characteristics[-1], lambda _written: None)
    with pytest.raises(LocalProtocolError, match=f"{service.port} has nothing for strangers"):
        plain_service(server)
    assert plain_service(server, everything=True).characteristics


def test_profiles_are_named_apart() -> None:
    services = [profile.SERVICE for profile in PROFILES]
    uuids = [service.uuid for service in services]
    uuids += [characteristic.uuid for service in services for characteristic in service.characteristics]
    assert len(set(uuids)) == len(uuids)
    assert len({service.port for service in services}) == len(services)
    assert {uuid for uuid in uuids if uuid != assigned_uuid(int(uuid[:8], 16))} == set()
