"""Exactly once between watch and cloud, and what the broker must not learn (`tools/blechannel_gateway`)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

GATEWAY = "tools/blechannel_gateway"
INBOX, SPOOL, STATION = f"{GATEWAY}/inbox.py", f"{GATEWAY}/spool.py", f"{GATEWAY}/station.py"
CARRYING, FORWARDER, COURIER = f"{GATEWAY}/carrying.py", f"{GATEWAY}/forwarder.py", f"{GATEWAY}/courier.py"
OF_INBOX, OF_SPOOL, OF_FORWARDER = "gateway/test_inbox.py", "gateway/test_spool.py", "gateway/test_forwarder.py"
OF_CARRYING, OF_GATEWAY, BLIND = "gateway/test_carrying.py", "gateway/test_gateway.py", "gateway/test_blind_relays.py"

MUTANTS = [
    Mutant(
        "who is cancelled as a message comes is shown it next",
        f"{GATEWAY}/cloud.py",
        "            await self._or_failure(asyncio.ensure_future(inbox.ready()))\n        return await anext(inbox)\n",
        "            return await self._or_failure(asyncio.ensure_future(anext(inbox)))\n"
        "        return await anext(inbox)\n",
        "gateway/test_cloud.py",
    ),
    Mutant(
        "what goes down on a port finds the channel where nothing comes up",
        f"{GATEWAY}/gateway.py",
        "await together([channel.wait_over(), *ports])",
        "await together(ports)",
        OF_GATEWAY,
    ),
    Mutant(
        "what was stored is not stored again",
        INBOX,
        "        if post.sequence <= judged.upto:\n            continue\n",
        "",
        OF_INBOX,
    ),
    Mutant(
        "all lanes together send no more than a broker queues",
        FORWARDER,
        "            room = self._room()\n",
        "            room = LANES_AT_ONCE * self._pace.window\n",
        OF_FORWARDER,
    ),
    Mutant(
        "a lane that waits for room hears of it",
        FORWARDER,
        "        self._changed.set()  # there may be room for others\n",
        "",
        OF_FORWARDER,
    ),
    Mutant(
        "what follows a gap waits for what is missing",
        INBOX,
        "if post.after > judged.upto and post.base is Base.KEPT:",
        "if False:",
        OF_INBOX,
    ),
    Mutant(
        "what is gone for ever is told of",
        INBOX,
        "missed = post.after if post.after > judged.upto else 0",
        "missed = 0",
        OF_INBOX,
    ),
    Mutant(
        "the number that was stored is durable with the message",
        INBOX,
        '        "INSERT INTO seen VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET upto=excluded.upto",',
        '        "INSERT OR IGNORE INTO seen VALUES(?, ?, ?, ?)",',
        OF_INBOX,
    ),
    Mutant(
        "what has no room is not stored, and not acknowledged",
        INBOX,
        "if lane in full or not self._loads.fits(lane, len(post.body)):",
        "if False:",
        OF_INBOX,
    ),
    Mutant(
        "what is stored is shown, though who stored it was cancelled",
        INBOX,
        "        _, heard = await self._database.transact("
        "lambda db: _store(db, fitting), lambda done: self._show(done[0]))\n",
        "        stored, heard = await self._database.transact(lambda db: _store(db, fitting))\n"
        "        self._show(stored)\n",
        OF_INBOX,
    ),
    Mutant(
        "what is acknowledged makes room, though who heard it was cancelled",
        SPOOL,
        ", lambda freed: self._freed(lane, *freed)\n        )\n",
        "\n        )\n        self._freed(lane, messages, _)\n",
        OF_SPOOL,
    ),
    Mutant(
        "a message is taken once",
        INBOX,
        'if not db.execute("DELETE FROM arrived WHERE row=?", (delivery.row,)).rowcount:',
        'if db.execute("DELETE FROM arrived WHERE row=?", (delivery.row,)).rowcount < 0:',
        OF_INBOX,
    ),
    Mutant(
        "a message that is put twice is kept once",
        SPOOL,
        "    if sequence <= after:\n        return False\n",
        "",
        f"{OF_SPOOL} {OF_CARRYING}",
    ),
    Mutant(
        "only what is acknowledged goes",
        SPOOL,
        "AND stream=? AND sequence<=? RETURNING",
        "AND stream=? AND sequence<=?+1 RETURNING",
        OF_SPOOL,
    ),
    Mutant(
        "an acknowledgement frees its own stream",
        SPOOL,
        "AND stream=? AND sequence<=? RETURNING",
        "AND ? IS NOT NULL AND sequence<=? RETURNING",
        OF_SPOOL,
    ),
    Mutant(
        "a stream begins when the one before is through",
        SPOOL,
        '        " AND kept.stream=(SELECT stream FROM kept WHERE watch=? AND port=? ORDER BY row LIMIT 1)"',
        '        " AND ?=kept.watch AND ?=kept.port"',
        OF_SPOOL,
    ),
    Mutant(
        "a post says that what stood before it is gone only when it was acknowledged",
        SPOOL,
        "Base.GONE if after and after <= acknowledged else Base.KEPT",
        "Base.GONE",
        OF_SPOOL,
    ),
    Mutant(
        "whoever brings too much waits",
        SPOOL,
        "while not self._loads.fits(lane, size_bytes):",
        "while False:",
        OF_SPOOL,
    ),
    Mutant(
        "a message of the watch is kept before its outbox lets it go",
        CARRYING,
        "        await station.put(lane, Message(",
        "        await delivery.taken()\n        await station.put(lane, Message(",
        OF_CARRYING,
    ),
    Mutant(
        "a message of the cloud goes into the watch's queue once",
        CARRYING,
        "message_id.sequence <= found[1]:",
        "message_id.sequence < 0:",
        OF_CARRYING,
    ),
    Mutant(
        "what is not acknowledged is sent again",
        FORWARDER,
        "if progress.due <= now:",
        "if False:",
        OF_FORWARDER,
    ),
    Mutant(
        "a new connection begins with what is not acknowledged",
        FORWARDER,
        "        for progress in self._lanes.values():\n            progress.go_back()\n            progress.wait_s",
        "        for progress in self._lanes.values():\n            progress.wait_s",
        OF_FORWARDER,
    ),
    Mutant(
        "a window bounds what is under way",
        FORWARDER,
        "room = min(most, self._pace.window - progress.in_flight)",
        "room = most",
        OF_FORWARDER,
    ),
    Mutant(
        "a gateway takes what is for its own watches",
        STATION,
        "if lane is not None and not self.address.accepts(lane):",
        "if False:",
        "gateway/test_station.py",
    ),
    Mutant(
        "who ends takes back his presence",
        COURIER,
        "await self._leave(client)",
        "pass",
        OF_GATEWAY,
    ),
    Mutant(
        "a connection that was never answered is let go",
        COURIER,
        "    client._client._sock_close()\n",
        "",
        "gateway/test_cloud.py",
    ),
    Mutant(
        "the broker learns a pseudonym, and not which bond it is",
        f"{GATEWAY}/pseudonyms.py",
        'hmac.digest(self._key, b"blechannel gateway bond\\0" + bond_id, sha256)[:PSEUDONYM_BYTES].hex()',
        "bond_id.hex().ljust(32, '0')[:32]",
        f"{BLIND} gateway/test_station.py",
    ),
    Mutant(
        "a sealed message is for its port",
        f"{GATEWAY}/sealing.py",
        'return b"blechannel sealed for the cloud\\0" + port.encode()',
        'return b"blechannel sealed for the cloud\\0"',
        BLIND,
    ),
    Mutant(
        "a watch is there while its gateway's run is",
        f"{GATEWAY}/presence.py",
        "return self._gateways.get(state.gateway) == GatewayPresence(online=True, run=state.run)",
        "return True",
        "gateway/test_presence.py",
    ),
    Mutant(
        "the gateway's file is its owner's alone",
        f"{GATEWAY}/database.py",
        "OWNER_ONLY: Final = 0o600",
        "OWNER_ONLY: Final = 0o644",
        "gateway/test_database.py",
    ),
    Mutant(
        "a file has one user at a time",
        f"{GATEWAY}/database.py",
        '    connection.execute("PRAGMA locking_mode=EXCLUSIVE")\n',
        "",
        "gateway/test_database.py",
    ),
]
