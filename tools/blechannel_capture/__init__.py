"""Bluetooth LE captures: read, decoded, decrypted and judged.

::

    with open_capture("session.btsnoop", key_log=load_key_log("keys.log")) as capture:
        for event in capture:
            match event:
                case AttPdu(handle=handle, value=value): ...
                case ChannelFrame(verdict=Verdict.OK, body=body): ...
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from blechannel_capture.air.key_ring import KeyRing
from blechannel_capture.capture import Capture, open_capture
from blechannel_capture.channel.events import ChannelEnded, ChannelFrame, Ending, HandshakeVerified, OddFragment
from blechannel_capture.channel.key_log import KeyLog, load_key_log, read_key_log
from blechannel_capture.errors import CaptureError, DamagedCapture, NotACapture
from blechannel_capture.events import (
    Advertised,
    AttPdu,
    CocData,
    Connected,
    Connection,
    Disconnected,
    EncryptionChanged,
    Event,
    LinkControl,
    LinkDecrypted,
    LongTermKey,
    OtherPdu,
    ParametersChanged,
    SealedPdu,
    Side,
    Signal,
    SmpPdu,
    StandardValue,
    Verdict,
)

if TYPE_CHECKING:
    from blechannel_capture.findings import Certainty, Finding, Findings, Kind, Level
    from blechannel_capture.json_lines import as_object
    from blechannel_capture.timing import Timing
    from blechannel_capture.words import in_words

__all__ = [
    "Advertised",
    "AttPdu",
    "Capture",
    "CaptureError",
    "Certainty",
    "ChannelEnded",
    "ChannelFrame",
    "CocData",
    "Connected",
    "Connection",
    "DamagedCapture",
    "Disconnected",
    "EncryptionChanged",
    "Ending",
    "Event",
    "Finding",
    "Findings",
    "HandshakeVerified",
    "KeyLog",
    "KeyRing",
    "Kind",
    "Level",
    "LinkControl",
    "LinkDecrypted",
    "LongTermKey",
    "NotACapture",
    "OddFragment",
    "OtherPdu",
    "ParametersChanged",
    "SealedPdu",
    "Side",
    "Signal",
    "SmpPdu",
    "StandardValue",
    "Timing",
    "Verdict",
    "as_object",
    "in_words",
    "load_key_log",
    "open_capture",
    "read_key_log",
]

_WHEN_ASKED: Final = {
    **dict.fromkeys(("Certainty", "Finding", "Findings", "Kind", "Level"), "findings"),
    "Timing": "timing",
    "as_object": "json_lines",
    "in_words": "words",
}


def __getattr__(name: str) -> object:
    """Load what judges and words events when it is first asked for: who only reads them starts sooner."""
    if name not in _WHEN_ASKED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHEN_ASKED[name]}"), name)
