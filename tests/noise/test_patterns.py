"""Names, patterns and modifiers: what they stand for, and which are refused."""

from __future__ import annotations

from itertools import combinations

import pytest

from blechannel.errors import LocalProtocolError
from blechannel.noise import PATTERNS, Protocol
from tests.noise.live import assert_joined, pair, product, run

ALL_PSKS = [
    f"{name}{'+'.join(f'psk{number}' for number in numbers)}"
    for name in PATTERNS
    for count in range(1, 6)
    for numbers in combinations(range(len(Protocol.parse(product(name)).messages) + 1), count)
]


def test_every_pattern_of_the_specification_is_there() -> None:
    assert len(PATTERNS) == 38
    assert max(len(Protocol.parse(product(name)).messages) for name in PATTERNS) == 4


@pytest.mark.parametrize("pattern", [*PATTERNS, *ALL_PSKS])
def test_two_live_sides(pattern: str) -> None:
    shared = pair(product(pattern))
    initiator, responder = shared.sides()
    messages = run(initiator, responder)
    sizes = [len(message) - len(b"payload 0") for message in messages]
    assert sizes == [message.overhead_bytes for message in shared.protocol.messages]
    assert_joined(initiator.split(), responder.split(), both_ways=not shared.protocol.pattern.is_one_way)


def test_modifiers_put_their_token_where_the_specification_says() -> None:
    assert Protocol.parse(product("XXpsk0+psk1+psk2+psk3")).pattern.messages == (
        ("psk0", "e", "psk1"),
        ("e", "ee", "s", "es", "psk2"),
        ("s", "se", "psk3"),
    )


def test_sizes_on_the_air() -> None:
    assert [m.overhead_bytes for m in Protocol.parse(product("XXpsk3")).messages] == [48, 96, 64]
    assert [m.overhead_bytes for m in Protocol.parse(product("KKpsk0")).messages] == [48, 48]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Noise",
        "Noise_XX_25519_ChaChaPoly",
        "Noise_XX_25519_ChaChaPoly_SHA256_",
        "Noise_XX_25519_ChaChaPoly_SHA256\n",
        "noise_XX_25519_ChaChaPoly_SHA256",
        "Noise_xx_25519_ChaChaPoly_SHA256",
        "Noise_QQ_25519_ChaChaPoly_SHA256",
        "Noise_XX_1234_ChaChaPoly_SHA256",
        "Noise_XX_25519_Salsa_SHA256",
        "Noise_XX_25519_ChaChaPoly_MD5",
        "Noise_XXfallback_25519_ChaChaPoly_SHA256",
        "Noise_XXpsk_25519_ChaChaPoly_SHA256",
        "Noise_XXpsk4_25519_ChaChaPoly_SHA256",
        "Noise_XXpsk9_25519_ChaChaPoly_SHA256",
        "Noise_NNpsk3_25519_ChaChaPoly_SHA256",
        "Noise_XXpsk3+_25519_ChaChaPoly_SHA256",
        "Noise_XX+psk3_25519_ChaChaPoly_SHA256",
        "Noise_XXpsk3psk0_25519_ChaChaPoly_SHA256",
        "Noise_XXpsk3+psk0_25519_ChaChaPoly_SHA256",
        "Noise_XXpsk3+psk3_25519_ChaChaPoly_SHA256",
        "Noise_XX_25519_ChaChaPoly_SHA256é",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        Protocol.parse(name)
