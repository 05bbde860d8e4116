"""That a session which rests is the same when it is woken (`Session.park`), and that nothing under way is forgotten."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

SESSION, STAGE, RECORDS, PORTS = "session/session.py", "session/stage.py", "session/records.py", "session/ports.py"
PARKING, STANDING, TESTS = "session/parking.py", "session/standing.py", "session/test_parking.py"
PUMP, SHELL_TESTS = "aio/pump.py", "aio/test_parking.py"

MUTANTS = [
    Mutant(
        "a session that rests remembers how much it has sealed",
        RECORDS,
        "keys.k[:KEY_BYTES], keys.send_n)",
        "keys.k[:KEY_BYTES], 0)",
        TESTS,
    ),
    Mutant(
        "a session that rests remembers how much it has opened",
        RECORDS,
        "keys.k[KEY_BYTES:], keys.receive_n)",
        "keys.k[KEY_BYTES:], 0)",
        TESTS,
    ),
    Mutant(
        "a parked session is woken once",
        PARKING,
        "keys, self.keys = self.keys, None",
        "keys = self.keys",
        TESTS,
    ),
    Mutant(
        "a session that was parked says no more",
        STAGE,
        "        keys = self.sealer().rest()\n        self.conversation.fail()\n",
        "        keys = self.sealer().rest()\n",
        TESTS,
    ),
    Mutant(
        "a session that rests remembers what shut ports owe",
        PORTS,
        "ports._owed = {row[0]: row[1] for row in _rows(table.owed, 2)}",
        "pass",
        TESTS,
    ),
    Mutant(
        "a session that rests uses no port's number again",
        PORTS,
        "table.next_written, table.next_read",
        "len(table.writing), table.next_read",
        TESTS,
    ),
    Mutant(
        "a session that rests remembers what its peer was told",
        STANDING,
        "self.told_key, self.told_copied = told_key, told_copied",
        "pass",
        TESTS,
    ),
    Mutant(
        "no session rests while its store is at work",
        SESSION,
        "is_busy = self._after_store is not None or",
        "is_busy =",
        TESTS,
    ),
    Mutant(
        "no session rests while a frame is on its way",
        SESSION,
        " or not self.stream.is_quiet()",
        "",
        TESTS,
    ),
    Mutant(
        "no session rests whose bond has moved on",
        SESSION,
        "bond is None or not bond.knows(stage.belongs_to[1])",
        "bond is None",
        TESTS,
    ),
    Mutant(
        "a session that rests ends when its bond does",
        PARKING,
        "if not is_control(fragment) or self.is_news()",
        "if not is_control(fragment)",
        TESTS,
    ),
    Mutant(
        "a session that is woken looks at its bond",
        STANDING,
        "self.book = _NOT_LOOKED_AT",
        "pass",
        TESTS,
    ),
    Mutant(
        "a book in which its own bond changed is news to a session",
        STANDING,
        "book.bonds.get(self.bond_id) is not self._seen[0]",
        "False",
        "session/test_news.py",
    ),
    Mutant(
        "a book with another discovery key is news to a session",
        STANDING,
        "if book.discovery_key != self._seen[1]:",
        "if False:",
        "session/test_news.py",
    ),
    Mutant(
        "a book that concerns a channel at rest wakes it",
        PUMP,
        "else self._parked.is_news()",
        "else False",
        SHELL_TESTS,
    ),
    Mutant(
        "a peer that falls silent is missed at rest",
        PUMP,
        "            self.act(self.session.abandon(error))\n        else:\n            self.flush_soon()",
        "            pass\n        else:\n            self.flush_soon()",
        SHELL_TESTS,
    ),
    Mutant(
        "all that arrives with what wakes a channel is read",
        PUMP,
        "self.session.receive_all((fragment, *left), now)",
        "self.session.receive_all((fragment,), now)",
        SHELL_TESTS,
    ),
    Mutant(
        "a channel that talks does not rest",
        PUMP,
        " or session.records_moved != self._moved",
        "",
        SHELL_TESTS,
    ),
]
