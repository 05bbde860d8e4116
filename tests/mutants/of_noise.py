"""The handshake and its ciphers (`blechannel/noise`)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

HANDSHAKE, SYMMETRIC, FUNCTIONS = "noise/handshake.py", "noise/symmetric.py", "noise/functions.py"

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
]
