"""Every other refusal: numbers, lengths, names and orders that nothing goes on with, on this side or the peer's."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CERTIFICATES, COMPARISON, ATTESTATION = "pairing/certificates.py", "pairing/comparison.py", "pairing/attestation.py"
FRAGMENTS, FRAMES, PORTS, WINDOW = "wire/fragments.py", "wire/frames.py", "session/ports.py", "pairing/window.py"
OF_CERTIFICATES, OF_ATTESTATION = "pairing/test_certificates.py", "pairing/test_attestation.py"
OF_PORTS, OF_CONTRACT, OF_RECORDS = "session/test_ports.py", "aio/test_port_contract.py", "session/test_records.py"
REFUSALS, METHODS, OF_BONDS = "session/test_refusals.py", "session/test_methods.py", "pairing/test_bonds.py"
HOSTILE = "session/test_hostile_peers.py"
OF_DEADLINES, OF_FRAGMENTS = "session/test_deadlines.py", "wire/test_fragments.py"


def unguarded(check: str, file: str, guard: str, tests: str) -> Mutant:
    """The refusal that stands behind this condition never comes."""
    return Mutant(check, file, f"if {guard}:", "if False:", tests)


def any_bond(check: str, condition: str) -> Mutant:
    """A value of a bond that is not looked at."""
    return Mutant(check, "pairing/bonds.py", f"_require({condition}, ", "_require(True, ", OF_BONDS)


MUTANTS = [
    unguarded("a pattern is a known one", "noise/patterns.py", "name not in PATTERNS", "noise/test_patterns.py"),
    unguarded("a psk has its message", "noise/patterns.py", "index >= len(self.messages)", "noise/test_patterns.py"),
    unguarded("a function is a known one", "noise/protocol.py", "name not in functions", "noise/test_patterns.py"),
    unguarded("a protocol's name is one", "noise/protocol.py", "match is None", "noise/test_patterns.py"),
    unguarded(
        "modifiers are in order", "noise/protocol.py", "list(psks) != sorted(set(psks))", "noise/test_patterns.py"
    ),
    Mutant(
        "no AEAD without a key",
        "noise/symmetric.py",
        'if not self.k:\n            raise LocalProtocolError("there is no key")',
        "if False:\n            raise LocalProtocolError",
        "noise/test_symmetric.py",
    ),
    unguarded(
        "an advertisement's time is one",
        "wire/adverts.py",
        "not 0 <= unix_time_s < _MAX_STEP * TIME_STEP_S",
        "wire/test_adverts.py",
    ),
    unguarded(
        "an advertisement is made of flags that are defined",
        "wire/adverts.py",
        "self.flags & ~(PAIRING_OPEN | TIMED)",
        "wire/test_adverts.py",
    ),
    unguarded("a link that stalls is given up", "wire/flow.py", "self._is_stalled(now)", OF_FRAGMENTS),
    Mutant(
        "nothing is sent on fragments that have failed",
        FRAGMENTS,
        '        if self._failure is not None:\n            raise LocalProtocolError("the',
        '        if False:\n            raise LocalProtocolError("the',
        OF_FRAGMENTS,
    ),
    unguarded("no frame is sent that the peer does not take", FRAGMENTS, "size > self._max_send_bytes", OF_FRAGMENTS),
    unguarded(
        "no frame is sent that lies about its length",
        FRAGMENTS,
        "size < FRAME_HEADER_BYTES or size - FRAME_HEADER_BYTES != frame[1] << 8 | frame[2]",
        OF_FRAGMENTS,
    ),
    Mutant(
        "a first fragment has a frame's header",
        FRAGMENTS,
        "            if size < FRAME_HEADER_BYTES:\n                raise FragmentRefused",
        "            if False:\n                raise FragmentRefused",
        OF_FRAGMENTS,
    ),
    unguarded("a frame's body has a length", FRAMES, "len(body) > MAX_BODY_BYTES", "wire/test_frames.py"),
    Mutant(
        "a frame is of a known kind",
        FRAMES,
        "    if cls is None:\n        raise MalformedFrame",
        "    if False:\n        raise MalformedFrame",
        "wire/test_frames.py",
    ),
    unguarded(
        "an attestation signs a whole handshake hash",
        ATTESTATION,
        "len(handshake_hash) != HASH_BYTES",
        OF_ATTESTATION,
    ),
    unguarded("an identity has a certificate", ATTESTATION, "not identity.chain", OF_ATTESTATION),
    Mutant(
        "no attestation is made that nobody takes",
        ATTESTATION,
        "        if len(data) > MAX_ATTESTATION_BYTES:\n            raise LocalProtocolError",
        "        if False:\n            raise LocalProtocolError",
        OF_ATTESTATION,
    ),
    any_bond("an epoch's number is in range", "0 <= self.number <= MAX_COUNT"),
    any_bond("a certificate is remembered by its hash", "len(self.peer_certificate) in (0, KEY_BYTES)"),
    any_bond("a peer's name is bounded", "_name_fits(self.peer_name)"),
    any_bond("a bond's version is in range", "1 <= self.version <= 255"),
    any_bond("a bond's times are finite", "all(map(math.isfinite, times))"),
    any_bond("a discovery key has 32 bytes", "len(self.discovery_key) in (0, KEY_BYTES)"),
    unguarded(
        "an identity's key is on P-256",
        CERTIFICATES,
        "not isinstance(self.key.curve, ec.SECP256R1)",
        OF_CERTIFICATES,
    ),
    unguarded("an identity's name is bounded", CERTIFICATES, "not is_name(name, MAX_NAME_BYTES)", OF_CERTIFICATES),
    unguarded("an identity lives for a while", CERTIFICATES, "lifetime_s <= 0", OF_CERTIFICATES),
    Mutant(
        "the words are of a whole handshake hash",
        COMPARISON,
        "if len(handshake_hash) != HASH_BYTES or ",
        "if ",
        "pairing/test_comparison.py",
    ),
    Mutant(
        "the words are of whole nonces",
        COMPARISON,
        "len(phone_nonce) != NONCE_BYTES or len(watch_nonce) != NONCE_BYTES:",
        "False:",
        "pairing/test_comparison.py",
    ),
    unguarded(
        "the words have a possible number of bits",
        COMPARISON,
        "not 1 <= bits <= MAX_SAS_BITS",
        "pairing/test_comparison.py",
    ),
    unguarded("the words are whole words", COMPARISON, "bits % WORD_BITS", "pairing/test_comparison.py"),
    unguarded("a run of CPace is over after its secret", "pairing/cpace.py", "scalar is None", "pairing/test_cpace.py"),
    unguarded(
        "a coordinate has 32 bytes",
        "pairing/elligator.py",
        "len(encoded) != COORDINATE_BYTES",
        "pairing/test_elligator.py",
    ),
    unguarded(
        "a seed of ML-KEM has its length", "pairing/hybrid.py", "len(seed) != SEED_BYTES", "pairing/test_hybrid.py"
    ),
    unguarded(
        "an ML-KEM key is over after its secret", "pairing/hybrid.py", "private is None", "pairing/test_hybrid.py"
    ),
    unguarded("a window has time and attempts", WINDOW, "attempts < 1 or duration_s <= 0", "pairing/test_window.py"),
    Mutant(
        "a run that does not hold the window spends nothing",
        WINDOW,
        "        if self._run is not run:\n            raise",
        "        if False:\n            raise",
        "pairing/test_window.py",
    ),
    unguarded("a window without a ticket gives none", WINDOW, "self.static is None", METHODS),
    unguarded(
        "who pairs by certificate has one and a list",
        "session/credentials.py",
        "self.identity is None or self.verifier is None",
        "session/test_certificates.py",
    ),
    unguarded("a code is taken when one is wanted", "session/person.py", "not self._owes_code", REFUSALS),
    unguarded(
        "an answer is taken when one is wanted",
        "session/person.py",
        "self._comparing not in (_Comparing.SHOWN, _Comparing.AWAITED)",
        METHODS,
    ),
    unguarded("who typed no code in time is told so", "session/person.py", "self._owes_code", OF_DEADLINES),
    unguarded(
        "who compared no words in time is told so",
        "session/person.py",
        "self._comparing is _Comparing.AWAITED",
        OF_DEADLINES,
    ),
    unguarded("a port's name is one", PORTS, "not is_name(name, MAX_PORT_NAME_BYTES)", OF_CONTRACT),
    unguarded("a port opens once", PORTS, "any(port.name == name for port in self._writing.values())", OF_CONTRACT),
    Mutant(
        "so many ports and no more",
        PORTS,
        "if len(self._writing) + len(self._owed) >= MAX_PORTS or ",
        "if ",
        f"{OF_PORTS} {OF_CONTRACT}",
    ),
    Mutant(
        "a port that is shut counts until its credit is back",
        PORTS,
        "if len(self._writing) + len(self._owed) >= MAX_PORTS or ",
        "if len(self._writing) >= MAX_PORTS or ",
        OF_PORTS,
    ),
    Mutant(
        "a port's number is used once",
        PORTS,
        " or self._next_written > _MAX_NUMBER:",
        ":",
        OF_PORTS,
    ),
    Mutant(
        "nothing is sent on a port that is not open",
        PORTS,
        "        if port is None:\n            raise LocalProtocolError",
        "        if False:\n            raise LocalProtocolError",
        OF_PORTS,
    ),
    unguarded(
        "nothing is taken twice",
        PORTS,
        "port is None or port.taken_bytes + taken_bytes > port.unread_bytes",
        OF_PORTS,
    ),
    unguarded("a tag of no bond is not recognised", "session/reconnect.py", "found is None", REFUSALS),
    Mutant(
        "the last nonce seals no record",
        "session/records.py",
        "            self._encrypt = _at_edge(send).encrypt\n",
        "            self._encrypt = send.aead.encrypt\n",
        OF_RECORDS,
    ),
    Mutant(
        "the last nonce opens no record",
        "session/records.py",
        "            self._decrypt = _at_edge(receive).decrypt\n",
        "            self._decrypt = receive.aead.decrypt\n",
        OF_RECORDS,
    ),
    Mutant(
        "no port before the channel stands",
        "session/session.py",
        "        if self._traffic is None:\n            raise LocalProtocolError",
        "        if False:\n            raise LocalProtocolError",
        REFUSALS,
    ),
    unguarded("a refusal ends the session", "session/session.py", "isinstance(said, Refuse)", REFUSALS),
    unguarded(
        "a ticket is for pairing out of band",
        "session/setup.py",
        "(self.method is Method.OUT_OF_BAND) != (self.ticket is not None)",
        METHODS,
    ),
    unguarded("a message fits", "session/traffic.py", "length_bytes > self.max_message_bytes", HOSTILE),
    unguarded("a channel that is over opens no port", "aio/channel.py", "not self.is_open", OF_CONTRACT),
    unguarded("a channel that was cut off says so", "aio/channel.py", "self._error is not None", OF_CONTRACT),
    unguarded("who has no bond does not connect", "aio/phone.py", "not bonds", "aio/test_phone.py"),
    unguarded(
        "a stranger's watch is told from one's own",
        "aio/phone.py",
        "not last.pending and self._strangers.has_refused(watch.address, last.bond_id)",
        "aio/test_revocation.py",
    ),
    Mutant(
        "one task receives",
        "aio/port.py",
        "            if self._receiver is not None:\n                raise",
        "            if False:\n                raise",
        OF_CONTRACT,
    ),
    Mutant(
        "nothing is sent before a port opens",
        "aio/port.py",
        '                raise LocalProtocolError(f"port {self.name} is not open")',
        "                return",
        OF_CONTRACT,
    ),
    unguarded(
        "who watches the events is told that the adapter is gone",
        "aio/watch.py",
        "self._failure is not None and reader.empty()",
        "aio/test_watch.py",
    ),
    unguarded("a closed store keeps nothing: memory", "stores/memory.py", "self._is_closed", "stores/test_memory.py"),
    unguarded(
        "a closed store keeps nothing: file", "stores/sqlite.py", "self._closing is not None", "stores/test_sqlite.py"
    ),
    unguarded("no tag in time is an error", "oob/reader.py", "tag is None", "oob/test_reader.py"),
    unguarded("a reader that fails is an error", "oob/reader.py", "tag is False", "oob/test_reader.py"),
    unguarded("a tag without a message is an error", "oob/reader.py", "tag.ndef is None", "oob/test_reader.py"),
]
