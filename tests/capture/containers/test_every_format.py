"""The same traffic in every container and envelope: the same events."""

from __future__ import annotations

import gzip

import pytest

from blechannel_capture.events import AttPdu, Connected, Disconnected, Side
from blechannel_capture.host.hci_packets import ISO, SCO
from tests.capture.reading import hear
from tests.capture.traffic import HostTraffic, small_talk
from tests.capture.writing import HCI_FILES, START_NS, HciSaid

VALUES = [b"\x01", b"twenty bytes, no more", bytes(range(256)) * 2]


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("local", [Side.CENTRAL, Side.PERIPHERAL])
@pytest.mark.parametrize("name", HCI_FILES)
def test_host_traffic_reads_the_same(name: str, local: Side, compress: type[bytes]) -> None:
    traffic = small_talk(HostTraffic(local), VALUES)
    heard = hear(compress(HCI_FILES[name](traffic.said)))
    [connected] = heard.all(Connected)
    assert connected.seen
    assert connected.connection.local is local
    assert heard.all(Disconnected)[0].reason == 0x13
    values = [(pdu.sender, pdu.opcode, pdu.handle, pdu.value) for pdu in heard.all(AttPdu)]
    expected = [
        said for value in VALUES for said in ((Side.CENTRAL, 0x52, 0x21, value), (Side.PERIPHERAL, 0x1B, 0x24, value))
    ]
    assert values == expected
    assert connected.time_ns == START_NS
    assert heard.damage() == {}
    assert heard.findings == []


@pytest.mark.parametrize("name", [name for name in HCI_FILES if name != "btsnoop H1"])
def test_voice_and_broadcast_data_are_passed_over(name: str) -> None:
    """But for H1: without a type byte, what is no command and no event counts as ACL data."""
    said = [HciSaid(kind, sent, bytes(20)) for kind in (SCO, ISO) for sent in (True, False)]
    heard = hear(HCI_FILES[name](said))
    assert heard.events == []
    assert heard.damage() == {}
