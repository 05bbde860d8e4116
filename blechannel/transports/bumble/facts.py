"""What a controller says of itself."""

from __future__ import annotations

from bumble import hci
from bumble.host import Host

from blechannel.errors import TransportError
from blechannel.values import dataclass

_PHYS = {
    "2M": hci.LeFeatureMask.LE_2M_PHY,
    "coded": hci.LeFeatureMask.LE_CODED_PHY,
}


@dataclass(frozen=True, slots=True)
class ControllerFacts:
    """Read while it was powered on (Core, volume 4, part E, 7.4.1, 7.8.2 and 7.8.3)."""

    version: str
    """Of the Core Specification, such as "5.4"; a number where it is newer than bumble."""
    acl_bytes: int
    """The length of one of its buffers for data: what is longer goes in pieces."""
    phys: tuple[str, ...]
    """Physical layers: "1M", which all have, "2M" and "coded"."""


def facts_of(host: Host) -> ControllerFacts:
    """The facts of a controller.

    Raises:
        TransportError: it was not powered on.
    """
    queue, version = host.le_acl_packet_queue, host.local_version
    if queue is None or version is None:
        raise TransportError("a controller that was not switched on says nothing of itself")
    return ControllerFacts(
        version=_shown(version.hci_version),
        acl_bytes=queue.max_packet_size,
        phys=("1M", *(name for name, feature in _PHYS.items() if host.supports_le_features(feature))),
    )


def _shown(version: int) -> str:
    _, known, digits = hci.SpecificationVersion(version).name.partition("BLUETOOTH_CORE_")
    return digits.replace("_", ".", 1) if known else str(version)
