"""What a controller says of itself."""

from __future__ import annotations

import pytest
from bumble import hci
from bumble.host import Host

from blechannel.errors import TransportError
from blechannel.transports.bumble import VirtualRadio
from blechannel.transports.bumble.facts import ControllerFacts, facts_of


async def test_a_virtual_controller() -> None:
    phone = await VirtualRadio().phone()
    assert phone.controller == ControllerFacts("5.0", 251, ("1M", "2M", "coded"))
    await phone.close()


async def test_other_versions_and_features() -> None:
    phone = await VirtualRadio().phone()
    host = phone._adapter.host
    assert host.local_version is not None
    host.local_le_features = hci.LeFeatureMask.LE_2M_PHY
    for number, shown in ((6, "4.0"), (14, "6.0"), (200, "200")):
        host.local_version.hci_version = number
        assert facts_of(host) == ControllerFacts(shown, 251, ("1M", "2M"))
    await phone.close()


def test_a_controller_that_was_not_switched_on() -> None:
    with pytest.raises(TransportError, match="not switched on"):
        facts_of(Host())
