"""The radio simulated over TCP or a Unix socket, so that watch and phone run as two processes. For tests and CI.

The link has no protection of its own: what protects the channel over a radio protects it here. Still only loopback
addresses are served or reached unless `allow_remote` says otherwise, because nobody expects a test to be a server.

On the stream each message is a 16-bit big-endian length and as many bytes, at most 512. The first message each way
is a greeting (see `greeting`), all others are fragments.
"""

from blechannel.transports.tcp.phone import TcpPhoneTransport
from blechannel.transports.tcp.watch import TcpWatchTransport

__all__ = ["TcpPhoneTransport", "TcpWatchTransport"]
