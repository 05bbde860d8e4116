"""Events in words: one line each, for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

from blechannel.wire.frames import Body, Frame
from blechannel_capture import att, events
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, HandshakeVerified, OddFragment
from blechannel_capture.events import Connection, Event, Side
from blechannel_capture.json_lines import SECRET_FIELDS

MAX_VALUE_BYTES: Final = 24
_HIDDEN: Final = "(a secret key)"
SMP_NAMES: Final = {
    0x01: "Pairing Request",
    0x02: "Pairing Response",
    0x03: "Pairing Confirm",
    0x04: "Pairing Random",
    0x05: "Pairing Failed",
    0x06: "Encryption Information",
    0x07: "Central Identification",
    0x08: "Identity Information",
    0x09: "Identity Address Information",
    0x0A: "Signing Information",
    0x0B: "Security Request",
    0x0C: "Pairing Public Key",
    0x0D: "Pairing DHKey Check",
    0x0E: "Keypress Notification",
}
LL_NAMES: Final = (
    *("LL_CONNECTION_UPDATE_IND", "LL_CHANNEL_MAP_IND", "LL_TERMINATE_IND", "LL_ENC_REQ", "LL_ENC_RSP"),
    *("LL_START_ENC_REQ", "LL_START_ENC_RSP", "LL_UNKNOWN_RSP", "LL_FEATURE_REQ", "LL_FEATURE_RSP"),
    *("LL_PAUSE_ENC_REQ", "LL_PAUSE_ENC_RSP", "LL_VERSION_IND", "LL_REJECT_IND", "LL_PERIPHERAL_FEATURE_REQ"),
    *("LL_CONNECTION_PARAM_REQ", "LL_CONNECTION_PARAM_RSP", "LL_REJECT_EXT_IND", "LL_PING_REQ", "LL_PING_RSP"),
    *("LL_LENGTH_REQ", "LL_LENGTH_RSP", "LL_PHY_REQ", "LL_PHY_RSP", "LL_PHY_UPDATE_IND"),
)


def value_in_words(value: bytes) -> str:
    """Bytes in hexadecimal, cut where they are many."""
    shown = value[:MAX_VALUE_BYTES].hex()
    return f"{shown}… ({len(value)} bytes)" if len(value) > MAX_VALUE_BYTES else shown


def _arrow(connection: Connection, side: Side) -> str:
    way = {Side.CENTRAL: "→", Side.PERIPHERAL: "←", Side.UNKNOWN: "?"}[side]
    return f"#{connection.number} {way}"


def _connected(event: events.Connected) -> str:
    link = event.connection
    if not event.seen:
        return f"#{link.number} connection {link.handle:#x}: its beginning is not in the capture"
    return (
        f"#{link.number} connected: central {link.central or '(this host)'}, peripheral "
        f"{link.peripheral or '(this host)'}, every {link.interval_us / 1000:g} ms"
    )


def _att(event: events.AttPdu) -> str:
    where = f" {event.handle:#06x}" if event.handle else ""
    return f"{_arrow(event.connection, event.sender)} ATT {att.name_of(event.opcode)}{where} " + value_in_words(
        event.value
    )


def _smp(event: events.SmpPdu, *, show_keys: bool = False) -> str:
    name = SMP_NAMES.get(event.code, f"code {event.code:#04x}")
    value = _HIDDEN if event.holds_key and not show_keys else value_in_words(event.value)
    return f"{_arrow(event.connection, event.sender)} SMP {name} {value}"


def _key(event: events.LongTermKey | events.LinkDecrypted, *, show_keys: bool = False) -> str:
    found = "a long term key is in the capture" if isinstance(event, events.LongTermKey) else "link decrypted"
    return f"#{event.connection.number} {found}: {event.source}{' ' + event.key.hex() if show_keys else ''}"


def _control(event: events.LinkControl) -> str:
    name = LL_NAMES[event.opcode] if event.opcode < len(LL_NAMES) else f"LL control {event.opcode:#04x}"
    return f"{_arrow(event.connection, event.sender)} {name} {value_in_words(event.value)}"


def _parameters(event: events.ParametersChanged) -> str:
    link = event.connection
    return (
        f"#{link.number} parameters: every {link.interval_us / 1000:g} ms, latency {link.latency}, time-out "
        f"{link.supervision_timeout_ms} ms"
    )


def _frame(event: ChannelFrame) -> str:
    way = "→" if event.sender.is_initiator else "←"
    number = f" record {event.record}" if event.record is not None else ""
    said = event.body or event.payload or event.frame
    text = f"#{event.connection.number} {way} {event.name}{number} ({event.length} bytes)"
    if said is not None and (content := fields_in_words(said)):
        text += f" {content}"
    return text if not event.detail else f"{text} [{event.detail}]"


def fields_in_words(said: Frame | Body | Any) -> str:
    """A frame's or record's fields, short."""
    shown = []
    for field in fields(said):
        value = getattr(said, field.name)
        if isinstance(value, bytes):
            if field.name in ("noise", "sealed", "hello") or not value:
                continue
            value = _HIDDEN if field.name in SECRET_FIELDS else value_in_words(value)
        shown.append(f"{field.name}={getattr(value, 'name', value)}")
    return " ".join(shown)


def handshake_in_words(event: HandshakeVerified) -> str:
    """Such as "pairing by out of band"."""
    return "reconnect" if event.method is None else f"pairing by {event.method.name.lower().replace('_', ' ')}"


def _verified(event: HandshakeVerified) -> str:
    return (
        f"#{event.connection.number} verified: {handshake_in_words(event)}, suite {event.suite.name.lower()}, h "
        f"{event.handshake_hash.hex()[:16]}…, with the {event.logged_by.value}'s secrets"
    )


_IN_WORDS: Final[dict[type[Event], Callable[[Any], str]]] = {
    events.Connected: _connected,
    events.Disconnected: lambda e: f"#{e.connection.number} disconnected: reason {e.reason:#04x}",
    events.ParametersChanged: _parameters,
    events.EncryptionChanged: lambda e: f"#{e.connection.number} link encryption {'on' if e.encrypted else 'off'}",
    events.Advertised: lambda e: f"{e.kind} {e.address} {value_in_words(e.data)}",
    events.LongTermKey: _key,
    events.AttPdu: _att,
    events.SmpPdu: _smp,
    events.StandardValue: lambda e: f"{_arrow(e.connection, e.sender)} {e.characteristic}: {fields_in_words(e.value)}",
    events.Signal: lambda e: f"{_arrow(e.connection, e.sender)} L2CAP signal {e.code:#04x} {value_in_words(e.value)}",
    events.CocData: lambda e: f"{_arrow(e.connection, e.sender)} channel {e.channel:#06x} {value_in_words(e.sdu)}",
    events.OtherPdu: lambda e: f"{_arrow(e.connection, e.sender)} CID {e.channel:#06x} {value_in_words(e.value)}",
    events.SealedPdu: lambda e: f"{_arrow(e.connection, e.sender)} sealed, {e.length} bytes: {e.verdict.value}",
    events.LinkControl: _control,
    events.LinkDecrypted: _key,
    ChannelFrame: _frame,
    HandshakeVerified: _verified,
    OddFragment: lambda e: f"#{e.connection.number} fragment of the {e.sender.value}: {e.oddity.value}",
    ChannelEnded: lambda e: (
        f"#{e.connection.number} session {e.ending.value}"
        + (f" ({e.refusal.name.lower().replace('_', ' ')})" if e.refusal else "")
    ),
}


def in_words(event: Event, *, show_keys: bool = False) -> str:
    """One line, without packet number and time; keys only where they are asked for."""
    if show_keys and isinstance(event, events.SmpPdu):
        return _smp(event, show_keys=True)
    if show_keys and isinstance(event, events.LongTermKey | events.LinkDecrypted):
        return _key(event, show_keys=True)
    return _IN_WORDS[type(event)](event)
