"""What stands between strangers and the GATT services beside the channel."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

BUMBLE = "transports/bumble/plain.py"
BLUEZ = "transports/bluez/plain.py"
PLAIN = "gatt_profiles/plain.py"
SERVER = "gatt_profiles/server.py"
TUNNEL = "gatt_profiles/tunnel.py"
PEER = "gatt_profiles/tunnel_peer.py"
OF_BUMBLE = "transports/bumble/test_plain.py"
OF_BLUEZ = "transports/bluez/test_plain.py"
OF_SERVER = "gatt_profiles/test_server.py"
OF_TUNNEL = "gatt_profiles/test_tunnel.py"

MUTANTS = [
    Mutant(
        "a service for the channel only is not for strangers",
        PLAIN,
        "or not (service.channel_only or characteristic.channel_only)",
        "or not characteristic.channel_only",
        OF_SERVER,
    ),
    Mutant(
        "a characteristic for the channel only is not for strangers",
        PLAIN,
        "or not (service.channel_only or characteristic.channel_only)",
        "or not service.channel_only",
        OF_SERVER,
    ),
    Mutant(
        "strangers do not write",
        PLAIN,
        "Properties.READ | Properties.NOTIFY if not everything else ~Properties(0)",
        "~Properties(0)",
        OF_SERVER,
    ),
    Mutant("a characteristic allows what it declares", SERVER, "if not offered & wanted:", "if False:", OF_SERVER),
    Mutant(
        "a written value is a value",
        SERVER,
        "receive(decode(characteristic.value, raw))",
        "receive(characteristic.value(raw))",
        OF_SERVER,
    ),
    Mutant("a value has at most 512 bytes", SERVER, "if len(raw) > MAX_ATTRIBUTE_BYTES:", "if False:", OF_SERVER),
    Mutant(
        "a subscription ends with its port",
        TUNNEL,
        "            for undo in self._undo.values():\n                undo()\n",
        "",
        OF_TUNNEL,
    ),
    Mutant(
        "a refusal has its error code",
        PEER,
        "if reply.kind is Kind.REFUSED and len(reply.value) != 1:",
        "if False:",
        OF_TUNNEL,
    ),
    Mutant(
        "unread notifications are bounded",
        "aio/attributes.py",
        "deque(maxlen=MAX_UNREAD)",
        "deque()",
        OF_TUNNEL,
    ),
    Mutant(
        "a plain service is not the channel's",
        "aio/attributes.py",
        "uuids = [SERVICE_UUID, *(service.uuid for service in services)]",
        "uuids = [service.uuid for service in services]",
        OF_BUMBLE,
    ),
    Mutant(
        "what is not readable is not read",
        BUMBLE,
        "if not self._readable:",
        "if False:",
        OF_BUMBLE,
    ),
    Mutant("a configuration has two bytes", BUMBLE, "if len(value) != 2:", "if False:", OF_BUMBLE),
    Mutant("a configuration says notify or nothing", BUMBLE, "if bits & ~_NOTIFY:", "if False:", OF_BUMBLE),
    Mutant(
        "a subscription ends with its connection",
        BUMBLE,
        "            served.subscribers.discard(connection_handle)\n",
        "            pass\n",
        OF_BUMBLE,
    ),
    Mutant(
        "a slow connection does not hoard notifications",
        BUMBLE,
        "self._adapter.host.flow(handle).pending_packets > QUEUED_PACKETS",
        "False",
        OF_BUMBLE,
    ),
    Mutant(
        "a fault of the application is answered",
        BUMBLE,
        "raise att.ATT_Error(att.ErrorCode.UNLIKELY_ERROR) from error",
        "raise",
        OF_BUMBLE,
    ),
    Mutant(
        "bluetoothd writes only what may be written",
        BLUEZ,
        "if allowed & (Properties.WRITE | Properties.WRITE_WITHOUT_RESPONSE):",
        "if True:",
        OF_BLUEZ,
    ),
]
