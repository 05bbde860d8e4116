"""The operating system's own Bluetooth (`blechannel/transports/bleak`, `bluez`, and what both stand on)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

LINK, ANSWERS, NAMES = "transports/queued_link.py", "transports/answers.py", "transports/adapter_names.py"
CENTRAL, SIGHTINGS = "transports/bleak/central.py", "transports/bleak/sightings.py"
BUS, OCCUPANCY, CARRIER = "transports/bluez/bus.py", "transports/bluez/occupancy.py", "transports/bluez/carrier.py"
KERNEL = "transports/bluez/kernel.py"
OF_BLEAK = "transports/bleak"
OF_BLUEZ = "transports/bluez"

MUTANTS: list[Mutant] = [
    Mutant(
        "a value longer than an attribute is refused",
        LINK,
        "        if len(fragment) > MAX_ATTRIBUTE_BYTES:",
        "        if False:",
        OF_BLUEZ,
    ),
    Mutant(
        "values before the start are bounded",
        LINK,
        "elif len(self._early) < MAX_WINDOW:",
        "elif True:",
        OF_BLUEZ,
    ),
    Mutant(
        "after a value that cannot be right nothing is taken",
        LINK,
        "        if self._deaf:",
        "        if False:",
        OF_BLUEZ,
    ),
    Mutant(
        "a fragment must fit the platform's value",
        LINK,
        "        if len(fragment) > self.max_fragment_bytes:",
        "        if False:",
        OF_BLUEZ,
    ),
    Mutant(
        "a queue that is full takes nothing",
        LINK,
        "        if not self.room:\n            raise",
        "        if False:\n            raise",
        OF_BLEAK,
    ),
    Mutant(
        "a write that failed ends the link",
        LINK,
        'self.lost(f"{error}; what was being sent may have arrived or not")',
        "del error",
        OF_BLEAK,
    ),
    Mutant(
        "closing does not wait for a write that hangs",
        LINK,
        "await asyncio.wait({sending}, timeout=after_s)",
        "await asyncio.wait({sending})",
        OF_BLEAK,
    ),
    Mutant(
        "after a loss the system's connection is freed",
        LINK,
        "        await self._stop_sending(after_s=0)\n        await self._carrier.hang_up()\n",
        "        await self._stop_sending(after_s=0)\n",
        OF_BLEAK,
    ),
    Mutant(
        "every wait for a platform is bounded",
        ANSWERS,
        "await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)",
        "await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)",
        "transports/bluez/test_trouble.py",
    ),
    Mutant(
        "an adapter's name is no path",
        NAMES,
        "re.fullmatch(",
        "re.match(",
        "transports/bleak/test_phone.py",
    ),
    Mutant(
        "one connection is made at a time",
        CENTRAL,
        "        async with self._connecting:",
        "        if True:",
        OF_BLEAK,
    ),
    Mutant(
        "a former link is gone before the next",
        CENTRAL,
        "            await link.close()\n",
        "            pass\n",
        OF_BLEAK,
    ),
    Mutant(
        "a connect that fails or is cancelled leaves nothing connected",
        CENTRAL,
        "            await self._chores.insist(carrier.link.close())\n",
        "",
        OF_BLEAK,
    ),
    Mutant(
        "what a person has to mend is not tried again",
        CENTRAL,
        "if not may_pass(error):",
        "if False:",
        OF_BLEAK,
    ),
    Mutant(
        "advertisers that are remembered are bounded",
        SIGHTINGS,
        "if len(known) > MAX_ADDRESSES:",
        "if False:",
        OF_BLEAK,
    ),
    Mutant(
        "service data that is too long is none",
        SIGHTINGS,
        "if not service_data or len(service_data) > MAX_SERVICE_DATA_BYTES:",
        "if not service_data:",
        OF_BLEAK,
    ),
    Mutant(
        "only bluetoothd may call",
        BUS,
        "if message.sender == self.bluetoothd and self.on_call is not None:",
        "if self.on_call is not None:",
        OF_BLUEZ,
    ),
    Mutant(
        "only bluetoothd is believed",
        BUS,
        "case MessageType.SIGNAL if message.sender == self.bluetoothd and self.on_signal is not None:",
        "case MessageType.SIGNAL if message.sender != _DBUS and self.on_signal is not None:",
        OF_BLUEZ,
    ),
    Mutant(
        "only the bus says that bluetoothd has ended",
        BUS,
        'case MessageType.SIGNAL if message.sender == _DBUS and message.member == "NameOwnerChanged":',
        'case MessageType.SIGNAL if message.member == "NameOwnerChanged":',
        OF_BLUEZ,
    ),
    Mutant(
        "another device cannot write into a link",
        OCCUPANCY,
        "        if carrier.device != device:",
        "        if False:",
        OF_BLUEZ,
    ),
    Mutant(
        "one phone is served at a time",
        OCCUPANCY,
        "if self._link is not None and not self._link.ended:",
        "if False:",
        OF_BLUEZ,
    ),
    Mutant(
        "a value is written in one piece",
        OCCUPANCY,
        "        if offset:",
        "        if False:",
        OF_BLUEZ,
    ),
    Mutant(
        "INFO of a former connection is not shown",
        OCCUPANCY,
        "        if info is None:",
        "        if not info:\n            info = b''\n        if False:",
        OF_BLUEZ,
    ),
    Mutant(
        "notifications do not run together",
        CARRIER,
        "socket.SOCK_SEQPACKET",
        "socket.SOCK_STREAM",
        OF_BLUEZ,
    ),
    Mutant(
        "the kernel's answer is to what was asked",
        KERNEL,
        "(whose, answered_command) != (index, command)",
        "False",
        OF_BLUEZ,
    ),
    Mutant(
        "the kernel's refusal is one",
        KERNEL,
        "                if status:",
        "                if False:",
        OF_BLUEZ,
    ),
    Mutant(
        "what wants no answer gets none",
        BUS,
        "if call.flags & MessageFlag.NO_REPLY_EXPECTED:",
        "if False:",
        OF_BLUEZ,
    ),
]
