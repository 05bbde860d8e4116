"""What btmon and both sides' hosts have recorded of the machine's sessions, read and judged by our own analysis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blechannel.aio.key_log import KeyLog as KeyLogFile
from blechannel_capture import ChannelEnded, ChannelFrame, HandshakeVerified, Level, Verdict, load_key_log, open_capture
from blechannel_capture.channel.events import Ending
from blechannel_capture.channel.key_log import KeyLog
from blechannel_capture.ledger import Damage
from tests.capture.reading import Heard, drain
from tests.system.bluez_vm.machine import Machine
from tests.system.bluez_vm.sides import WatchSide

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

LOST = {Damage.UNFINISHED, Damage.ORPHAN, Damage.MALFORMED}
"""What a btmon in a busy machine leaves: the kernel drops what its socket has no room for, and does not say so."""


def heard(path: Path, key_log: KeyLog) -> Heard:
    with open_capture(path, key_log=key_log) as capture:
        return drain(capture)


@pytest.fixture
def key_log(tmp_path: Path) -> Iterator[KeyLogFile]:
    """A key log that is being written."""
    log = KeyLogFile(tmp_path / "keys.log")
    yield log
    log.close()


async def test_a_session_is_verified_in_the_captures_of_both_ends(
    machine: Machine, key_log: KeyLogFile, tmp_path: Path
) -> None:
    side = WatchSide(machine, key_log=key_log)
    await side.switch_on()
    await machine.call("phone.start")
    await machine.call("phone.pair", way="passkey", secret=side.on.open_pairing().code)
    await machine.call("phone.echo", count=3)
    await machine.call("phone.stop")
    await side.switch_off()
    await machine.call("sync")
    keys = load_key_log(tmp_path / "keys.log")
    for path in (machine.out / "machine.btsnoop", side.captures[-1]):
        capture = heard(path, keys)
        [verified] = capture.all(HandshakeVerified)
        number = verified.connection.number
        frames = [each for each in capture.all(ChannelFrame) if each.connection.number == number]
        assert {each.verdict for each in frames} == {Verdict.OK}
        assert [each.ending for each in capture.all(ChannelEnded) if each.connection.number == number] == [
            Ending.CLOSED
        ]
    # Whatever ran in the machine before this was honest: lost links and wrong codes are notes, nothing is an attack.
    for path in sorted(machine.out.glob("*.btsnoop")):
        capture = heard(path, {})
        assert [str(each) for each in capture.findings if each.level is not Level.NOTE] == [], path.name
        assert set(capture.damage()) <= (LOST if path.name == "machine.btsnoop" else {Damage.UNFINISHED}), path.name
