"""That nobody waits for ever, and that nothing is lost or hurried while the store is at work."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

SESSION, PUMP, CHANNEL, PHONE = "session/session.py", "aio/pump.py", "aio/channel.py", "aio/phone.py"
PERSON, SHELL_PERSON, WATCH = "session/person.py", "aio/person.py", "aio/watch.py"
REFUSALS, HOSTILE, METHODS = "session/test_refusals.py", "session/test_hostile_peers.py", "session/test_methods.py"
OF_SESSIONS = f"{REFUSALS} {HOSTILE} {METHODS}"
LEAVE = '"""Nothing is wanted any more."""\n'

STEPS = [
    Mutant(
        "what waits for the store is read after it",
        SESSION,
        "self._receive(iter(held), ",
        "self._receive(iter(held[:0]), ",
        OF_SESSIONS,
    ),
    Mutant(
        "what waits for the store is read in its order",
        SESSION,
        "self._receive(iter(held), ",
        "self._receive(reversed(held), ",
        OF_SESSIONS,
    ),
    Mutant(
        "what waits for the store is read once",
        SESSION,
        "        held, self._held = self._held, []\n",
        "        held = list(self._held)\n",
        OF_SESSIONS,
    ),
    Mutant(
        "a change that becomes durable after the end changes nothing more",
        SESSION,
        "        if not self.is_over:\n            self._attempt(self._continue, after)",
        "        if True:\n            self._attempt(self._continue, after)",
        HOSTILE,
    ),
    Mutant(
        "a change that cannot be stored ends the session",
        SESSION,
        "        self._take_store(token)\n        self._fail(error)\n",
        "        self._take_store(token)\n",
        f"{REFUSALS} session/test_guesses.py",
    ),
    Mutant(
        "a peer's time does not run while the store is at work",
        SESSION,
        "        if self._stage.conversation.is_over or self._after_store is not None:\n            return None",
        "        if self._stage.conversation.is_over:\n            return None",
        REFUSALS,
    ),
    Mutant(
        "no step has its time while the store is at work",
        SESSION,
        "        if not self.is_over and self._after_store is None:\n",
        "        if not self.is_over:\n",
        REFUSALS,
    ),
    Mutant(
        "a channel stands once its handshake is stored",
        SESSION,
        "        if self._traffic is None:  # also",
        "        if self.state is not State.ESTABLISHED:  # also",
        REFUSALS,
    ),
]

ENDS = [
    Mutant(
        "who gives up ends the session",
        SESSION,
        'gives up: the session ends with `error`."""\n        self._fail(error)\n',
        'gives up: the session ends with `error`."""\n',
        "aio/test_person.py",
    ),
    Mutant(
        "no answer about words is taken after the end",
        PERSON,
        f"{LEAVE}        self._owes_code = False\n        self._comparing = _Comparing.NOTHING\n",
        f"{LEAVE}        self._owes_code = False\n",
        METHODS,
    ),
    Mutant(
        "no code is taken after the end",
        PERSON,
        f"{LEAVE}        self._owes_code = False\n",
        LEAVE,
        REFUSALS,
    ),
    Mutant(
        "silence on the link ends the session",
        SESSION,
        "        self._stage.stream.expire(now)\n",
        "",
        "session/test_deadlines.py",
    ),
    Mutant(
        "what is queued at the end goes out as the peer makes room",
        SESSION,
        "            self._let_drain(fragment, now)\n",
        "            pass\n",
        REFUSALS,
    ),
    Mutant(
        "a run that is cut off lets go of the window at once",
        SESSION,
        "            self._script.close()\n",
        "            pass\n",
        REFUSALS,
    ),
]

TIMES = [
    Mutant(
        "each step of a handshake has its time",
        SESSION,
        "            self._due = now + patience.handshake_s + (patience.person_s if wait.person else 0.0)\n",
        "            self._due = None\n",
        "session/test_deadlines.py",
    ),
    Mutant(
        "a step that needs a person has a person's time",
        SESSION,
        "(patience.person_s if wait.person else 0.0)",
        "0.0",
        "session/test_deadlines.py",
    ),
    Mutant(
        "a step that needs no person has no person's time",
        SESSION,
        "(patience.person_s if wait.person else 0.0)",
        "patience.person_s",
        "session/test_deadlines.py",
    ),
    *(
        Mutant(
            f"a step is measured from the end of the one before: {what}",
            SESSION,
            f"{before}        self._stage.moment = now\n",
            before,
            "session/test_deadlines.py",
        )
        for what, before in (
            ("the store's", "        after = self._take_store(token)\n"),
            ("who types", "        self._person.take_code(code)\n"),
        )
    ),
    Mutant(
        "who types a code has so long for it",
        SESSION,
        "            self._due = now + patience.person_s\n            self._stage.tell(CodeWanted())",
        "            self._due = None\n            self._stage.tell(CodeWanted())",
        "session/test_deadlines.py",
    ),
    Mutant(
        "who compares words has so long for it",
        SESSION,
        "            self._due = self._stage.moment + self._patience.person_s\n",
        "            self._due = None\n",
        "session/test_deadlines.py",
    ),
    Mutant(
        "the peer has so long for its CLOSE",
        SESSION,
        "            self._due = now + self._patience.close_s\n",
        "",
        "session/test_deadlines.py",
    ),
    Mutant(
        "a channel that stands has no step's deadline",
        SESSION,
        "        self._due = None\n        self._standing.begin()",
        "        self._standing.begin()",
        "session/test_deadlines.py",
    ),
    Mutant(
        "a person's silence is told from a peer's",
        SESSION,
        "        self._person.check_in_time()\n",
        "",
        "session/test_deadlines.py",
    ),
    Mutant(
        "a store that does not answer is given up",
        PUMP,
        "asyncio.timeout(STORE_S)",
        "asyncio.timeout(None)",
        "aio/test_pump.py",
    ),
    Mutant(
        "a store that somebody else wrote may fail in any way",
        PUMP,
        "        except Exception as error:  # a store that somebody else wrote",
        "        except ZeroDivisionError as error:",
        "aio/test_pump.py",
    ),
    Mutant(
        "what is queued at the end has so long to go out",
        PUMP,
        "asyncio.timeout(patience_s)",
        "asyncio.timeout(None)",
        "aio/test_pump.py aio/test_channel.py aio/test_silence.py",
    ),
    Mutant(
        "services have so long to end",
        CHANNEL,
        "asyncio.wait(services, timeout=FINISH_S)",
        "asyncio.wait(services)",
        "aio/test_channel.py",
    ),
    Mutant(
        "services that do not end are cancelled",
        CHANNEL,
        "        for task in running:\n            task.cancel()\n",
        "",
        "aio/test_channel.py",
    ),
    Mutant(
        "services that cannot be cancelled hold nobody",
        CHANNEL,
        "asyncio.wait(running, timeout=FINISH_S)",
        "asyncio.wait(running)",
        "aio/test_channel.py",
    ),
    Mutant(
        "a service that closes its channel does not wait for itself",
        CHANNEL,
        "        if asyncio.current_task() not in self._tasks:\n            await self.wait_over()",
        "        await self.wait_over()",
        "aio/test_channel.py",
    ),
    Mutant(
        "a port that is asked for after the end is at its end",
        CHANNEL,
        "        if self._finishing is not None:\n            port.over(",
        "        if False:\n            port.over(",
        "aio/test_port_contract.py",
    ),
    Mutant(
        "the end of a channel wakes who waits on its ports",
        CHANNEL,
        "            port.over(cleanly=error is None)\n",
        "            pass\n",
        "aio/test_port_contract.py aio/test_port.py",
    ),
    Mutant(
        "who cannot be stopped asking holds nobody",
        SHELL_PERSON,
        "asyncio.wait({task}, timeout=LEAVE_S)",
        "asyncio.wait({task})",
        "aio/test_person.py",
    ),
    Mutant(
        "answers that are none leave others their turn",
        SHELL_PERSON,
        "            await asyncio.sleep(0)  # an",
        "            pass  # an",
        "aio/test_person.py",
    ),
    Mutant(
        "nobody is asked once the channel stands or has failed",
        SHELL_PERSON,
        "        if (task := self._asked.get(channel)) is not None:\n            task.cancel()\n\n    async def stop",
        "        pass\n\n    async def stop",
        "aio/test_ways.py aio/test_person.py",
    ),
    Mutant(
        "finding a watch takes so long",
        PHONE,
        "asyncio.timeout(timeout_s), aclosing",
        "asyncio.timeout(None), aclosing",
        "aio/test_phone.py",
    ),
    Mutant(
        "pairing and connecting take so long",
        PHONE,
        "asyncio.timeout(timeout_s), self._turn(intent)",
        "asyncio.timeout(None), self._turn(intent)",
        "aio/test_phone.py",
    ),
    Mutant(
        "what did not come to stand is closed",
        PHONE,
        "it says CLOSE all the same\n                await channel.close()\n",
        "it says CLOSE all the same\n                pass\n",
        "aio/test_person.py aio/test_phone.py",
    ),
    Mutant(
        "a link that carries too little is let go by the phone",
        PHONE,
        "            await link.close()\n            raise\n",
        "            raise\n",
        "aio/test_phone.py",
    ),
    Mutant(
        "a link that carries too little is let go by the watch",
        WATCH,
        "                self._happened(Declined(link.peer, error))\n                await link.close()\n",
        "                self._happened(Declined(link.peer, error))\n",
        "aio/test_watch.py",
    ),
    Mutant(
        "what happened and nobody looked at is bounded",
        "aio/broadcast.py",
        "            if reader.full():\n                reader.get_nowait()\n",
        "",
        "aio/test_watch.py aio/test_broadcast.py",
    ),
]

MUTANTS = [*STEPS, *ENDS, *TIMES]
