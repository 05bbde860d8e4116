"""The Noise Protocol Framework, revision 34: any pattern, psk modifiers, DH, cipher and hash by name.

No I/O, no clock, no randomness of its own: ``random`` is an argument. What the peer did wrong is a
RemoteProtocolError, what the caller did wrong a LocalProtocolError that changed nothing.
"""

from blechannel.noise.functions import CHACHAPOLY, DH_448, DH_25519, SHA256, KeyPair, Random
from blechannel.noise.handshake import HandshakeState, State, Transport
from blechannel.noise.keys import Keys
from blechannel.noise.patterns import PATTERNS, Pattern
from blechannel.noise.protocol import MAX_MESSAGE_BYTES, Message, Protocol
from blechannel.noise.symmetric import MAX_NONCE, CipherState, SymmetricState

__all__ = [
    "CHACHAPOLY",
    "DH_448",
    "DH_25519",
    "MAX_MESSAGE_BYTES",
    "MAX_NONCE",
    "PATTERNS",
    "SHA256",
    "CipherState",
    "HandshakeState",
    "KeyPair",
    "Keys",
    "Message",
    "Pattern",
    "Protocol",
    "Random",
    "State",
    "SymmetricState",
    "Transport",
]
