"""The handshake and its ciphers (`blechannel/noise`)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

HANDSHAKE, SYMMETRIC, FUNCTIONS = "noise/handshake.py", "noise/symmetric.py", "noise/functions.py"
LAST = (
    '            raise LocalProtocolError("no nonce is left under this key")\n'
    "        aead = self._aead\n        if aead is None:\n"
)

MUTANTS = [
    Mutant(
        "a handshake that failed is over",
        HANDSHAKE,
        "        self._side._state = State.FAILED\n",
        "        self._side._state = self._side._state\n",
        "noise/test_attacks.py noise/test_handshake.py",
    ),
    Mutant(
        "a failed handshake forgets its keys",
        HANDSHAKE,
        "    def _fail(self) -> None:\n        self._their.clear()\n        self._forget()\n",
        "    def _fail(self) -> None:\n        self._their.clear()\n",
        "noise/test_attacks.py noise/test_handshake.py",
    ),
    Mutant(
        "a failed handshake names no peer",
        HANDSHAKE,
        "        self._their.clear()\n",
        "        pass\n",
        "noise/test_attacks.py noise/test_handshake.py",
    ),
    Mutant(
        "a handshake message has its least length",
        HANDSHAKE,
        "if not due.overhead_bytes <= len(message) <= MAX_MESSAGE_BYTES:",
        "if len(message) > MAX_MESSAGE_BYTES:",
        "noise",
    ),
    Mutant(
        "a handshake message has at most 65535 bytes",
        HANDSHAKE,
        "if not due.overhead_bytes <= len(message) <= MAX_MESSAGE_BYTES:",
        "if not due.overhead_bytes <= len(message):",
        "noise",
    ),
    Mutant(
        "own keys reflected are refused",
        HANDSHAKE,
        "if token in self._own and public == self._own[token].public:",
        "if False:",
        "noise/test_attacks.py",
    ),
    Mutant(
        "a psk has 32 bytes",
        HANDSHAKE,
        "if len(psk) != KEY_BYTES:",
        "if len(psk) > 99:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a missing psk stops the message",
        HANDSHAKE,
        "if not message.psks <= self._psks.keys():",
        "if False:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a psk is used once",
        HANDSHAKE,
        "self._psks.pop(token)",
        "self._psks[token]",
        "noise/test_handshake.py",
    ),
    Mutant(
        "the prologue is hashed",
        HANDSHAKE,
        "        self._symmetric.mix_hash(prologue)\n",
        '        self._symmetric.mix_hash(b"")\n',
        "noise/test_handshake.py noise/test_attacks.py",
    ),
    Mutant(
        "psk mode mixes the ephemeral into the key",
        HANDSHAKE,
        "        if self._protocol.psks:\n            self._symmetric.mix_key(public)",
        "        if False:\n            self._symmetric.mix_key(public)",
        "noise",
    ),
    Mutant(
        "keys are taken only when every message was read",
        HANDSHAKE,
        "if self._state is not State.FINISHED:",
        "if self._state is State.FAILED:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a split handshake forgets its keys",
        HANDSHAKE,
        "        self._state = State.SPLIT\n        self._forget()\n",
        "        self._state = State.SPLIT\n",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a low-order point is an authentication failure",
        FUNCTIONS,
        "        except ValueError as error:\n            raise AuthenticationFailed from error",
        "        except ValueError:\n            return bytes(self.loaded.public_key().public_bytes_raw())",
        "noise/test_attacks.py attacks/test_invalid_points.py",
    ),
    Mutant(
        "a ciphertext is bound to the handshake so far",
        SYMMETRIC,
        "        self.mix_hash(ciphertext)\n        return plaintext",
        "        return plaintext",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a psk changes the handshake hash",
        SYMMETRIC,
        "        self.mix_hash(temp_h)\n",
        "",
        "noise",
    ),
    Mutant(
        "the two directions have different keys",
        SYMMETRIC,
        "CipherState(self._cipher, temp_k2[:KEY_BYTES])",
        "CipherState(self._cipher, temp_k1[:KEY_BYTES])",
        "noise",
    ),
    Mutant(
        "a wrong tag is an authentication failure",
        SYMMETRIC,
        "        except InvalidTag as error:\n            raise AuthenticationFailed from error",
        "        except InvalidTag:\n            return ciphertext[:-16]",
        "noise/test_attacks.py",
    ),
    Mutant(
        "a nonce is used once for sealing",
        SYMMETRIC,
        "        self.n = n + 1\n        return ciphertext",
        "        return ciphertext",
        "noise/test_symmetric.py",
    ),
    Mutant(
        "a nonce is used once for opening",
        SYMMETRIC,
        "        self.n = n + 1\n        return plaintext",
        "        return plaintext",
        "noise/test_symmetric.py",
    ),
    Mutant(
        "one key is not given as two",
        "noise/keys.py",
        "if len(set(publics)) != len(publics):",
        "if False:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a handshake's messages are in turn",
        HANDSHAKE,
        "        if self._state is not turn:",
        "        if False:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a psk is given before it is due",
        HANDSHAKE,
        "        if passed or number not in self._protocol.psks:",
        "        if number not in self._protocol.psks:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a psk is one that the protocol has",
        HANDSHAKE,
        "        if passed or number not in self._protocol.psks:",
        "        if passed:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a handshake message that is written has at most 65535 bytes",
        HANDSHAKE,
        "        if message.overhead_bytes + len(payload) > MAX_MESSAGE_BYTES:",
        "        if False:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "no ephemeral key is made once the keys are gone",
        HANDSHAKE,
        "        if self._state in (State.SPLIT, State.FAILED):",
        "        if False:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a one-way pattern has one way",
        HANDSHAKE,
        "            second = CipherState(self._protocol.cipher, n=MAX_NONCE)\n",
        "            pass\n",
        "noise/test_handshake.py noise/test_patterns.py",
    ),
    *(
        Mutant(
            f"the last nonce {does} nothing",
            SYMMETRIC,
            f"        if n >= MAX_NONCE:\n{LAST}            if not self.k:\n                return {passed}\n",
            f"        if False:\n{LAST}            if not self.k:\n                return {passed}\n",
            "noise/test_symmetric.py",
        )
        for does, passed in (("seals", "plaintext"), ("opens", "ciphertext"))
    ),
    Mutant(
        "a new key begins at nonce 0",
        SYMMETRIC,
        "        self.k = k\n        self.n = 0\n",
        "        self.k = k\n",
        "noise/test_symmetric.py noise/test_vectors.py",
    ),
    Mutant(
        "a key that has changed is the one that seals",
        SYMMETRIC,
        'bytes(KEY_BYTES), b"")[:KEY_BYTES]\n        self._aead = None\n',
        'bytes(KEY_BYTES), b"")[:KEY_BYTES]\n',
        "noise/test_symmetric.py",
    ),
    Mutant(
        "a split handshake has no chaining key",
        SYMMETRIC,
        '        self.ck = b""\n',
        "",
        "noise/test_handshake.py noise/test_symmetric.py",
    ),
    Mutant(
        "a handshake has the static key that its pattern asks for",
        "noise/keys.py",
        "if (self.s is not None) is not protocol.pattern.needs_static(initiator=initiator):",
        "if False:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a handshake knows the peer's key where its pattern says so",
        "noise/keys.py",
        "if (self.rs is not None) is not protocol.pattern.knows_remote_static(initiator=initiator):",
        "if False:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a public key has its length",
        "noise/keys.py",
        "if any(len(public) != protocol.dh.length_bytes for public in publics):",
        "if False:",
        "noise/test_handshake.py",
    ),
    Mutant(
        "a private key has its length",
        FUNCTIONS,
        "        if len(private) != self.length_bytes:",
        "        if False:",
        "noise/test_primitives.py noise/test_handshake.py",
    ),
]
