"""A GATT connection as a link: one object for both roles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from bumble import att
from bumble.core import ConnectionPHY
from bumble.device import Connection

from blechannel.aio.link import LinkPosture, LinkReceiver
from blechannel.errors import LinkLost, LocalProtocolError
from blechannel.gatt import ATT_HEADER_BYTES, MAX_ATTRIBUTE_BYTES, MAX_WRITE_BYTES
from blechannel.limits import MAX_WINDOW
from blechannel.transports.bumble.adapter import Adapter
from blechannel.transports.bumble.failures import explained, hci_reason
from blechannel.transports.bumble.gate import WRITE_COMMAND

_log = logging.getLogger(__name__)

ROOM_FRAGMENTS = 32
"""Queued and not yet sent by the controller; more would only wait longer."""
FLUSH_S = 2.0
_L2CAP_HEADER_BYTES = 4
_PHY_NAMES = {1: "1M", 2: "2M", 3: "coded"}


class BumbleLink:
    """One connection, from when it can carry fragments; the opposite of `head` comes in through `deliver`."""

    def __init__(self, adapter: Adapter, connection: Connection, head: bytes, *, subscribed: bool) -> None:
        self._adapter = adapter
        self._connection = connection
        self._head = head
        self._longest_bytes = MAX_WRITE_BYTES if head[0] == WRITE_COMMAND else MAX_ATTRIBUTE_BYTES
        self._host = adapter.host
        self._flow = adapter.host.flow(connection.handle)
        queue = connection.data_packet_queue
        self._packet_bytes = queue.max_packet_size if queue is not None else MAX_ATTRIBUTE_BYTES
        self._flow.on_completed = self._completed
        self._subscribed = subscribed
        self._receiver: LinkReceiver | None = None
        self._started = False
        self._early: list[bytes] = []
        self._starved = False
        self._reason = ""
        self._lost: LinkLost | None = None
        self._closing: asyncio.Task[None] | None = None
        self._phy: ConnectionPHY | None = None
        self.on_ended: Callable[[], None] | None = None
        self.info: bytes | None = None
        connection.on(connection.EVENT_DISCONNECTION, self._disconnected)
        connection.on(connection.EVENT_CONNECTION_PHY_UPDATE, self._phy_changed)

    @property
    def peer(self) -> str:
        """The peer's address; "/P" marks a public one."""
        return str(self._connection.peer_address)

    @property
    def max_fragment_bytes(self) -> int:
        """ATT_MTU − 3 as exchanged, at most what the phone writes or the watch notifies."""
        return min(self._payload_bytes, self._longest_bytes)

    @property
    def posture(self) -> LinkPosture:
        """Encryption as the controller reports it; the PHY once it is known."""
        phy = None
        if self._phy is not None:
            both_ways = (self._phy.tx_phy, self._phy.rx_phy)
            phy = "/".join(dict.fromkeys(_PHY_NAMES.get(way, str(way)) for way in both_ways))
        return LinkPosture("bumble", encrypted=self._connection.is_encrypted, phy=phy)

    @property
    def room(self) -> int:
        """Fragments that `send` takes now; whoever is told 0 is called when there is room again."""
        if not self._subscribed or self._closing is not None or self._lost is not None:
            return 0
        packets = self._packets_per_fragment()
        room = max(0, (ROOM_FRAGMENTS * packets - self._flow.pending_packets) // packets)
        self._starved = self._starved or not room
        return room

    @property
    def subscribed(self) -> bool:
        """Whether the phone wants the outbox."""
        return self._subscribed

    def start(self, receiver: LinkReceiver) -> None:
        """Begin to deliver, with what came before; if the link is gone by now, that comes last.

        Raises:
            LocalProtocolError: called before.
        """
        if self._started:
            raise LocalProtocolError("a link starts once")
        self._started = True
        self._receiver = receiver
        early, self._early = self._early, []
        for fragment in early:
            receiver.fragment_received(fragment)
        if self._lost is not None:
            self._tell_lost(self._lost)
        elif self.room:
            receiver.resume_sending()

    def send(self, fragment: bytes) -> None:
        """Queue one fragment.

        Raises:
            LocalProtocolError: `room` is 0 or the fragment is longer than `max_fragment_bytes`; bumble would
                cut it without a word.
        """
        if len(fragment) > self.max_fragment_bytes:
            raise LocalProtocolError(f"a fragment of {len(fragment)} bytes: at most {self.max_fragment_bytes}")
        if not self.room:
            raise LocalProtocolError("the link has no room: wait for resume_sending")
        try:
            self._host.send_l2cap_pdu(self._connection.handle, att.ATT_CID, self._head + fragment)
        except Exception as error:
            self._break(LinkLost(str(explained(error, "the controller takes no more data"))))

    def publish_info(self, info: bytes) -> None:
        """What `info` answers on this connection."""
        self.info = info

    async def close(self) -> None:
        """Send what is queued if the link still lives, then disconnect. Safe to call again. Never raises."""
        await asyncio.shield(self._closed_for("closed on this side"))

    def hang_up(self, reason: str) -> None:
        """Begin to close, for this reason unless there is one already."""
        self._closing = self._closed_for(reason)

    def deliver(self, fragment: bytes) -> int | None:
        """Take a value from the air: None, or the ATT error to refuse it with."""
        if len(fragment) > self._payload_bytes:
            return att.ErrorCode.INVALID_ATTRIBUTE_LENGTH
        if not self._subscribed or self._lost is not None:
            return att.ErrorCode.WRITE_REQUEST_REJECTED
        if self._receiver is not None:
            self._receiver.fragment_received(fragment)
        elif len(self._early) < MAX_WINDOW:
            self._early.append(fragment)
        else:
            self.hang_up("the peer sent more than the window before the link was used")
        return None

    def subscribe(self, wanted: bool) -> None:
        """The phone turned notifications on or off; off ends the link."""
        if wanted and not self._subscribed:
            self._subscribed = True
            # After bumble has answered: some phones drop notifications that overtake the answer.
            asyncio.get_running_loop().call_soon(self._resume)
        elif self._subscribed and not wanted:
            self.hang_up("the phone unsubscribed")

    async def learn_phy(self) -> None:
        """Ask the controller, for the posture; without an answer it stays unknown."""
        with suppress(Exception):
            self._phy = await self._connection.get_phy()

    def _closed_for(self, reason: str) -> asyncio.Task[None]:
        if self._closing is None:
            self._reason = reason
            self._closing = asyncio.ensure_future(self._close())
        return self._closing

    @property
    def _payload_bytes(self) -> int:
        return min(self._connection.att_mtu - ATT_HEADER_BYTES, MAX_ATTRIBUTE_BYTES)

    def _packets_per_fragment(self) -> int:
        return -(-(self.max_fragment_bytes + ATT_HEADER_BYTES + _L2CAP_HEADER_BYTES) // self._packet_bytes)

    def _completed(self) -> None:
        enough = ROOM_FRAGMENTS * self._packets_per_fragment() // 2
        if self._starved and self._flow.pending_packets <= enough:
            self._resume()

    def _resume(self) -> None:
        if self._receiver is not None and self.room:
            self._starved = False
            self._receiver.resume_sending()

    def _phy_changed(self, phy: ConnectionPHY) -> None:
        self._phy = phy

    def _disconnected(self, reason: int) -> None:
        self._break(LinkLost(self._reason or hci_reason(reason)))

    def _break(self, error: LinkLost) -> None:
        """The end, whoever notices first."""
        if self._lost is not None:
            return
        self._lost = error
        self._flow.ended()
        self._adapter.gate.forget(self._connection.handle)
        if self.on_ended is not None:
            self.on_ended()
        self._tell_lost(error)

    def _tell_lost(self, error: LinkLost) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.link_lost(error)

    async def _close(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._flow.drained()
        await self._adapter.hang_up(self._connection)
        self._break(LinkLost(self._reason))
