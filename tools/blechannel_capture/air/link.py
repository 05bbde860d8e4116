"""One connection on the air: whose turn it is, what is new, what is sealed, and what it carries."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from blechannel_capture.air.crc import crc_init_of
from blechannel_capture.air.encryption import MIC_BYTES, Decryption, EncryptionStart
from blechannel_capture.air.frames import AirFrame
from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.air.legacy_pairing import (
    ENCRYPTION_INFORMATION,
    PUBLIC_KEY,
    Exchange,
    search,
)
from blechannel_capture.events import (
    Connection,
    Disconnected,
    EncryptionChanged,
    Event,
    Known,
    LinkControl,
    LinkDecrypted,
    LongTermKey,
    ParametersChanged,
    SealedPdu,
    Side,
    SmpPdu,
    Verdict,
)
from blechannel_capture.l2cap import Assembly, Channels
from blechannel_capture.ledger import Damage, Ledger

LL_CONNECTION_UPDATE_IND, LL_TERMINATE_IND = 0x00, 0x02
LL_ENC_REQ, LL_ENC_RSP, LL_START_ENC_REQ = 0x03, 0x04, 0x05
LL_PAUSE_ENC_RSP: Final = 0x0B
_CONTINUES, _BEGINS, _CONTROLS = 1, 2, 3
_ENDS: Final = (Side.CENTRAL, Side.PERIPHERAL)
_SILENCE_NS: Final = 5_000_000
"""More than any two frames of one connection event are apart."""


class Link:
    """Feed one connection's frames in order: `turn` for every one, then `hear` for those that are sound."""

    def __init__(self, connection: Connection, ledger: Ledger, keys: KeyRing, *, crc_init: int | None) -> None:
        self.connection = connection
        self.crc_init = crc_init
        self._supposed_init: int | None = None
        self.pairing = Exchange()
        self._ledger = ledger
        self._keys = keys
        # Both sides count from 0, and there is nothing yet that could be said again.
        is_whole = crc_init is not None
        self._last: dict[Side, tuple[int, bytes]] = {each: (1, b"") for each in _ENDS if is_whole}
        self._awaits: dict[Side, int] = dict.fromkeys(_ENDS, 0) if is_whole else {}
        """By sender, the sequence number that the other side has said it waits for."""
        self._is_acknowledged = dict.fromkeys(Side, is_whole)
        """By sender, whether the other side has said that it has the last frame."""
        self._assemblies = {each: Assembly(ledger) for each in Side}
        self._channels = Channels(connection, ledger)
        self._heard_ns: int | None = None
        self._heard_channel: int | None = None
        self._heard_from = Side.PERIPHERAL
        self._start: EncryptionStart | None = None
        self._is_sealed = False
        self._decryption: Decryption | None = None
        self._has_opened = False

    def turn(self, frame: AirFrame, time_ns: int) -> Side:
        """Who sent a frame: as the sniffer says, else by turns, the central first whenever the channel has changed.

        A turn is passed on where the frame's sequence number cannot be that side's: the sniffer has missed a frame, or
        has mistaken the sender.
        """
        before, said = self._heard_ns, frame.sender
        begins = before is None or time_ns - before > _SILENCE_NS or frame.channel != self._heard_channel
        if said is Side.UNKNOWN:
            side = self._more_likely(Side.CENTRAL if begins else self._heard_from.other, frame.pdu)
        else:  # nobody speaks twice in a row within one connection event
            is_mistaken = not begins and said is self._heard_from and not self._fits(said, frame.pdu)
            side = said.other if is_mistaken else said
        self.connection.local_known = Known.GUESSED if said is Side.UNKNOWN else Known.FLAGGED
        self._heard_ns, self._heard_channel, self._heard_from = time_ns, frame.channel, side
        return side

    def _more_likely(self, side: Side, pdu: bytes) -> Side:
        if self._fits(side, pdu):
            return side
        last = self._last.get(side.other)
        is_other = self._fits(side.other, pdu) or (last is not None and last[0] != pdu[0] >> 3 & 1)
        return side.other if is_other else side

    def _fits(self, side: Side, pdu: bytes) -> bool:
        """Whether it is what the other side waits for, or what this side has said before."""
        last, awaited, sequence = self._last.get(side), self._awaits.get(side), pdu[0] >> 3 & 1
        return awaited is None or awaited == sequence or last == (sequence, pdu[2:])

    def learn_crc(self, frame: AirFrame) -> None:
        """Where CONNECT_IND was missed: two frames that agree on the checksum's init tell it."""
        if self.crc_init is None and frame.crc_ok is None:
            init = crc_init_of(frame.pdu, frame.crc)
            if init == self._supposed_init:
                self.crc_init = init
            self._supposed_init = init

    def hear(self, frame: AirFrame, sender: Side, packet: int, time_ns: int) -> Iterator[Event]:
        """One sound frame."""
        pdu = frame.pdu
        payload = pdu[2:]
        if not self._is_new(pdu, sender, packet) or not payload:
            return
        if self._is_sealed and not frame.decrypted and not _is_paused(pdu):
            opened = self._open(pdu, sender)
            if opened is None:
                verdict = self._why_closed()
                yield SealedPdu(packet, time_ns, self.connection, sender, len(payload), verdict)
                return
            if not self._has_opened and (how := self._decryption) is not None:
                self._has_opened = True
                yield LinkDecrypted(packet, time_ns, self.connection, how.key, how.source)
            payload, sender = opened
        yield from self._take(pdu[0] & 3, payload, sender, packet, time_ns)

    def _is_new(self, pdu: bytes, sender: Side, packet: int) -> bool:
        """Whether this side has not said it before; what is missing before it is entered."""
        sequence, awaits, payload = pdu[0] >> 3 & 1, pdu[0] >> 2 & 1, pdu[2:]
        last, other = self._last.get(sender), sender.other
        said = self._last.get(other)
        if said is not None and said[0] != awaits:
            self._is_acknowledged[other] = True
        # What was acknowledged is not sent again: an empty frame that is awaited is another one.
        is_next = self._is_acknowledged[sender] and self._awaits.get(sender) == sequence
        self._awaits[other] = awaits
        if last is not None and last[0] == sequence:
            if last[1] == payload and (payload or not is_next):
                if payload:
                    self._ledger.note(Damage.RETRANSMITTED, f"{len(payload)} bytes", packet=packet)
                return False
            self._ledger.note(Damage.GAP, f"a frame of the {sender.value} is missing before this one", packet=packet)
        self._last[sender], self._is_acknowledged[sender] = (sequence, payload), False
        return True

    def end(self) -> None:
        """The capture or the connection ends."""
        for each in self._assemblies.values():
            each.drop("the capture ended")

    # --- what is inside ---

    def _take(self, kind: int, payload: bytes, sender: Side, packet: int, time_ns: int) -> Iterator[Event]:
        if kind == _CONTROLS:
            yield LinkControl(packet, time_ns, self.connection, sender, payload[0], payload[1:])
            yield from self._control(payload[0], payload[1:], packet, time_ns)
            return
        assembly = self._assemblies[sender]
        pdu = assembly.begin(payload, packet) if kind == _BEGINS else assembly.go_on(payload, packet)
        if pdu is None:
            return
        event = self._channels.take(pdu, sender, packet, time_ns)
        if event is None:
            return
        yield event
        if isinstance(event, SmpPdu):
            yield from self._pairing(event)

    def _control(self, opcode: int, body: bytes, packet: int, time_ns: int) -> Iterator[Event]:
        connection = self.connection
        if opcode == LL_ENC_REQ and len(body) == 22:
            self._start = EncryptionStart(body[:8], body[8:10], body[10:18], body[18:22])
        elif opcode == LL_ENC_RSP and len(body) == 12 and (begun := self._start) is not None:
            self._start = EncryptionStart(
                begun.rand, begun.ediv, begun.skd_central, begun.iv_central, body[:8], body[8:12]
            )
        elif opcode == LL_START_ENC_REQ:
            self._is_sealed, self._decryption, self._has_opened = True, None, False
            connection.encrypted = True
            yield EncryptionChanged(packet, time_ns, connection, True)
        elif opcode == LL_PAUSE_ENC_RSP and connection.encrypted:  # both sides say it
            self._is_sealed = connection.encrypted = False
            yield EncryptionChanged(packet, time_ns, connection, False)
        elif opcode == LL_TERMINATE_IND and len(body) == 1:
            yield Disconnected(packet, time_ns, connection, body[0])
        elif opcode == LL_CONNECTION_UPDATE_IND and len(body) == 11:
            interval, latency, timeout = struct.unpack_from("<HHH", body, 3)
            connection.interval_us, connection.latency = interval * 1250, latency
            connection.supervision_timeout_ms = timeout * 10
            yield ParametersChanged(packet, time_ns, connection)

    def _pairing(self, smp: SmpPdu) -> Iterator[Event]:
        """Keys that pass on the air: the peripheral's long term key, under the short term key."""
        self.pairing.hear(smp.code, smp.value, smp.sender)
        if smp.code == ENCRYPTION_INFORMATION and len(smp.value) == 16:
            key = smp.value[::-1]  # a shorter one was shortened before it was sent (Vol 3 Part H, 2.3.4)
            self._keys.add(key, "sent by legacy pairing")
            yield LongTermKey(smp.packet, smp.time_ns, self.connection, key, "sent by legacy pairing")
        elif smp.code == PUBLIC_KEY:
            self.pairing.confirm_central = b""

    # --- encryption ---

    def _open(self, pdu: bytes, sender: Side) -> tuple[bytes, Side] | None:
        """The plain payload, and who has sent it: the tag knows better than any guess."""
        if len(pdu) - 2 <= MIC_BYTES:
            return None
        if self._decryption is not None:
            return _opened(self._decryption, pdu, sender)
        start = self._start
        if start is None or not start.skd_peripheral:
            return None
        for key, source in self._candidates():
            decryption = Decryption.of(key, source, start)
            if (plain := _opened(decryption, pdu, sender)) is not None:
                self._decryption = decryption
                return plain
        return None

    def _candidates(self) -> Iterator[tuple[bytes, str]]:
        """Keys to try. After legacy pairing on this connection the short term key is used first, and once."""
        yield from self._keys.newest_first()
        pairing = self.pairing
        is_searchable = pairing.is_complete and pairing.is_legacy
        if is_searchable and self._keys.may_search(is_short=pairing.is_just_works):
            pairing_was, self.pairing = pairing, Exchange()
            found = search(pairing_was)
            if found is not None:
                passkey, key = found
                source = f"legacy pairing with passkey {passkey:06}" if passkey else "legacy pairing, Just Works"
                self._keys.add(key, source)
                yield key, source

    def _why_closed(self) -> Verdict:
        if self._decryption is not None:
            return Verdict.CAPTURE_GAP if self._ledger.counts[Damage.GAP] else Verdict.TAG_FAILURE
        if self._start is None or not self._start.skd_peripheral:
            return Verdict.CAPTURE_GAP
        return Verdict.WRONG_KEY if self._keys.keys else Verdict.NO_KEY


def _is_paused(pdu: bytes) -> bool:
    """Whether it is the central's last word on encryption, in the clear: sealed, it would be longer."""
    return pdu[0] & 3 == _CONTROLS and pdu[2:] == bytes([LL_PAUSE_ENC_RSP])


def _opened(decryption: Decryption, pdu: bytes, sender: Side) -> tuple[bytes, Side] | None:
    for side in (sender, sender.other):
        if (plain := decryption.open(pdu, side)) is not None:
            return plain, side
    return None
