from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from blechannel.errors import AuthenticationFailed


class DecapsulationKey:
    def __init__(self, seed: bytes) -> None:
        self._key = MLKEM768PrivateKey.from_seed_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    @classmethod
    def generate(cls, random: Callable[[int], bytes]) -> DecapsulationKey:
        return cls(random(64))

    def decapsulate(self, ciphertext: bytes) -> bytes:
        try:
            return self._key.decapsulate(ciphertext)
        except ValueError as error:
            raise AuthenticationFailed from error


def encapsulate(encapsulation_key: bytes) -> tuple[bytes, bytes]:
    try:
        secret, ciphertext = MLKEM768PublicKey.from_public_bytes(encapsulation_key).encapsulate()
    except ValueError as error:
        raise AuthenticationFailed from error
    return ciphertext, secret
