"""One connection to a broker, made again whenever it is lost. The one place that knows aiomqtt."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from blechannel.errors import MissingExtra
from blechannel_gateway.broker import Broker
from blechannel_gateway.errors import BrokerAway, BrokerError, BrokerRefused
from blechannel_gateway.tls_probe import TlsProbe
from blechannel_gateway.together import together

if TYPE_CHECKING:
    from aiomqtt import Client, Message

FIRST_WAIT_S: Final = 0.2
MOST_WAIT_S: Final = 30.0
QUEUED: Final = 4096
"""Publications that wait to be looked at; what is beyond is dropped, and sent again because nobody acknowledges it."""
AT_ONCE: Final = 256
LEAVING_S: Final = 1.0
FILTERS_AT_ONCE: Final = 64
AT_LEAST_ONCE: Final = 1
FAILURE_CODES: Final = 0x80
REFUSED_FOR_GOOD: Final = {
    1: "does not speak this version of MQTT: try broker.protocol",
    2: "refuses the client's identifier",
    4: "refuses the user name or the password",
    5: "does not let this client in",
    0x84: 'does not speak MQTT 5: set broker.protocol = "3.1.1"',
    0x85: "refuses the client's identifier",
    0x86: "refuses the user name or the password",
    0x87: "does not let this client in",
    0x8A: "has banned this client",
}
"""What a CONNACK says (MQTT 3.1.1, table 3.1; MQTT 5, table 3-1)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """What is published, or what was."""

    topic: str
    payload: bytes = field(repr=False)
    retain: bool = False
    qos: int = AT_LEAST_ONCE
    properties: Mapping[str, str] = field(default_factory=dict)
    """User properties: sent with MQTT 5 only."""


class Correspondent(Protocol):
    """What a courier works for."""

    async def connected(self) -> None:
        """A connection stands, and its subscriptions."""

    async def arrived(self, letters: Sequence[Letter]) -> None:
        """Publications, in the order in which they came. Raising BrokerError or CloudStoreError ends the connection."""

    def away(self, error: BrokerError) -> None:
        """The connection is gone, or could not be made; it is tried again."""


class Courier:
    """`run` keeps the connection; `publish` uses the one that stands."""

    def __init__(
        self,
        broker: Broker,
        correspondent: Correspondent,
        *,
        identifier: str,
        filters: Sequence[str],
        will: Letter | None,
    ) -> None:
        self._broker = broker
        self._correspondent = correspondent
        self._identifier = identifier
        self._filters = filters
        self._will = will
        self._client: Client | None = None
        self._stood = False
        self._publishing: set[asyncio.Task[None]] = set()
        self._context = broker.tls()

    @property
    def is_connected(self) -> bool:
        """Whether something can be published now."""
        return self._client is not None

    async def publish(self, letter: Letter) -> None:
        """Return once the broker has it: with QoS 1, once it says so. That it keeps it is not certain.

        Raises:
            BrokerAway: there is no connection, or no answer.
        """
        client = self._client
        if client is None:
            raise BrokerAway("there is no connection to the broker")
        import aiomqtt

        properties = self._properties(letter.properties)
        publishing = asyncio.ensure_future(
            client.publish(letter.topic, letter.payload, letter.qos, letter.retain, properties)
        )
        self._publishing.add(publishing)
        try:
            await asyncio.wait([publishing])
        finally:
            self._publishing.discard(publishing)
            publishing.cancel()
        try:
            publishing.result()
        except asyncio.CancelledError:
            raise BrokerAway("the connection to the broker was lost under a message") from None
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise BrokerAway(f"the broker did not take a message ({error})") from error

    async def run(self) -> None:
        """Connect, and again after each loss with growing waits, until cancelled.

        Raises:
            BrokerRefused: before a connection ever stood, and trying again would not help.
            MissingExtra: aiomqtt is not installed.
        """
        try:
            import aiomqtt  # noqa: F401 - so that it is missed at once
        except ImportError as error:
            raise MissingExtra("mqtt", "the gateway") from error
        wait_s, stood_ever = FIRST_WAIT_S, False
        while True:
            self._stood = False
            try:
                await self._once()
            except BrokerError as error:
                if isinstance(error, BrokerRefused) and not (stood_ever or self._stood):
                    raise
                self._correspondent.away(error)
            stood_ever = stood_ever or self._stood
            wait_s = FIRST_WAIT_S if self._stood else min(wait_s * 2, MOST_WAIT_S)
            await asyncio.sleep(random.uniform(wait_s / 2, wait_s))  # many gateways must not come back at one moment

    async def _once(self) -> None:
        """One connection to its end, which is always an error."""
        import aiomqtt

        client = self._make()
        early = client._disconnected  # one that comes before the client has looked is thrown away there
        try:
            await self._connect(client)
            try:
                await self._subscribe(client)
                self._client = client
                self._stood = True
                await together([self._read(client), self._correspondent.connected()])
            finally:
                self._client = None
                for publishing in self._publishing:  # the client would wait in vain for what no broker answers
                    publishing.cancel()
                with suppress(aiomqtt.MqttError, OSError):
                    await self._leave(client)
                with suppress(aiomqtt.MqttError, OSError):
                    await client.__aexit__(None, None, None)
        except (aiomqtt.MqttError, OSError) as error:
            raise BrokerAway(f"the connection to {self._where} is lost ({error})") from error
        finally:
            _let_go(client, early)

    @property
    def _where(self) -> str:
        return f"the broker {self._broker.host}:{self._broker.port}"

    async def _connect(self, client: Client) -> None:
        """With TLS the reason of a refusal is asked for beside, because the client would wait for nothing."""
        import aiomqtt
        from aiomqtt.exceptions import MqttConnectError

        probe = None if self._context is None else await TlsProbe.begin(self._broker, self._context)
        connecting = asyncio.ensure_future(client.__aenter__())
        probing = None if probe is None else asyncio.ensure_future(probe.refusal())
        try:
            tasks: list[asyncio.Future[Any]] = [connecting] if probing is None else [connecting, probing]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if probing is not None and not _has_worked(connecting) and (refusal := await probing) is not None:
                raise refusal
            await connecting
        except MqttConnectError as error:
            raise _refused(self._where, error) from error
        except (aiomqtt.MqttError, OSError, ssl.SSLError) as error:
            raise BrokerAway(f"{self._where} cannot be reached ({error})") from error
        finally:
            await _drop(connecting, probing)

    async def _leave(self, client: Client) -> None:
        """A broker tells the last will of who is cut off, and not of who says good-bye: this side tells it itself."""
        if self._will is not None:
            will = self._will
            await client.publish(will.topic, will.payload, will.qos, will.retain, timeout=LEAVING_S)

    async def _subscribe(self, client: Client) -> None:
        for first in range(0, len(self._filters), FILTERS_AT_ONCE):
            filters = self._filters[first : first + FILTERS_AT_ONCE]
            codes = await client.subscribe([(topic, AT_LEAST_ONCE) for topic in filters])
            for topic, code in zip(filters, codes, strict=True):
                if _number(code) >= FAILURE_CODES:
                    advice = "let its access rules allow this client to read there"
                    raise BrokerRefused(f"{self._where} refuses the subscription to {topic}: {advice}")

    async def _read(self, client: Client) -> None:
        messages = client.messages
        async for message in messages:
            batch = [_letter(message)]
            while len(messages) and len(batch) < AT_ONCE:
                batch.append(_letter(await anext(messages)))
            await self._correspondent.arrived(batch)

    def _make(self) -> Client:
        import aiomqtt

        broker = self._broker
        is_5 = broker.is_mqtt_5
        connect = None
        if is_5:
            connect = _packet("CONNECT")
            connect.SessionExpiryInterval = broker.session_expiry_s
        will = self._will
        return aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=self._identifier,
            protocol=aiomqtt.ProtocolVersion.V5 if is_5 else aiomqtt.ProtocolVersion.V311,
            clean_session=None if is_5 else False,
            clean_start=False if is_5 else 3,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos, will.retain),
            keepalive=broker.keepalive_s,
            timeout=broker.answer_s,
            properties=connect,
            tls_context=self._context,
            max_queued_incoming_messages=QUEUED,
            logger=_quiet(),
        )

    def _properties(self, given: Mapping[str, str]) -> Any:
        if not (given and self._broker.is_mqtt_5):
            return None
        publish = _packet("PUBLISH")
        publish.UserProperty = list(given.items())
        return publish


def _let_go(client: Client, early: asyncio.Future[None]) -> None:
    """What the client leaves behind after a failure: a socket that it opened, still watched by the loop, and errors
    that nobody asks for, of which asyncio would complain."""
    client._client._sock_close()
    for disconnected in (early, client._disconnected):
        if disconnected.done() and not disconnected.cancelled():
            disconnected.exception()


def _packet(kind: str) -> Any:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    return Properties(getattr(PacketTypes, kind))  # type: ignore[no-untyped-call]


def _letter(message: Message) -> Letter:
    pairs = getattr(message.properties, "UserProperty", [])
    return Letter(str(message.topic), bytes(message.payload), bool(message.retain), message.qos, dict(pairs))


def _number(code: Any) -> int:
    """Of a reason, which MQTT 3.1.1 has as a number and MQTT 5 as an object."""
    return int(getattr(code, "value", code))


def _refused(where: str, error: Any) -> BrokerError:
    code = _number(error.rc)
    if code in REFUSED_FOR_GOOD:
        return BrokerRefused(f"{where} {REFUSED_FOR_GOOD[code]} ({error})")
    return BrokerAway(f"{where} does not take a connection now ({error})")


def _has_worked(task: asyncio.Future[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _drop(*tasks: asyncio.Future[Any] | None) -> None:
    """End what still runs; what it raised is nobody's any more."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _quiet() -> logging.Logger:
    """The client's own log, which tells of each lost connection as an error; this side tells what matters."""
    logger = logging.getLogger("blechannel_gateway.mqtt")
    logger.setLevel(logging.CRITICAL)
    return logger
