"""Links in memory: one process, no radio, as fast or as troubled as a test asks for."""

from blechannel.transports.loopback.air import LoopbackAir
from blechannel.transports.loopback.faults import Faults, FaultScript, Passage, RandomFaults, Rates
from blechannel.transports.loopback.link import LoopbackLink, loopback_pair

__all__ = [
    "FaultScript",
    "Faults",
    "LoopbackAir",
    "LoopbackLink",
    "Passage",
    "RandomFaults",
    "Rates",
    "loopback_pair",
]
