"""Why TLS is refused, in words: the MQTT client shows each refusal only as an answer that does not come.

With TLS 1.3 a server refuses the client's certificate after the client's handshake is done: the alert comes with what
is read first.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from blechannel_gateway.broker import Broker
from blechannel_gateway.errors import BrokerAway, BrokerRefused

ALERT_S: Final = 5.0
"""How long to wait for a refusal."""

X509_EXPIRED: Final = 10
X509_NOT_YET_VALID: Final = 9
X509_HOST_MISMATCH: Final = (62, 64)
X509_UNTRUSTED: Final = (2, 18, 19, 20, 21)

_ALERTS: Final = (
    ("CERTIFICATE_EXPIRED", "refuses this side's certificate {mine}: it has expired; renew it"),
    ("CERTIFICATE_REVOKED", "refuses this side's certificate {mine}: it was revoked; have another one issued"),
    ("CERTIFICATE_REQUIRED", "wants a certificate of this side{shown}: set broker.certificate and broker.key"),
    ("HANDSHAKE_FAILURE", "wants a certificate of this side{shown}: set broker.certificate and broker.key"),
    ("UNKNOWN_CA", "refuses this side's certificate {mine}: its issuer is not one that the broker believes"),
    ("BAD_CERTIFICATE", "refuses this side's certificate {mine} as bad"),
    ("UNSUPPORTED_CERTIFICATE", "refuses this side's certificate {mine}: it is not one for TLS clients"),
    ("DECRYPT_ERROR", "refuses this side's certificate {mine}: its signature does not verify"),
    ("WRONG_VERSION_NUMBER", "does not speak TLS on this port: use mqtt:// or another port"),
)


class TlsProbe:
    """A connection of TLS beside the client's; `begin` makes it, `refusal` waits for what comes of it."""

    def __init__(self, broker: Broker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._broker = broker
        self._reader = reader
        self._writer = writer

    @classmethod
    async def begin(cls, broker: Broker, context: ssl.SSLContext) -> TlsProbe:
        """Return once both sides have said what they say in a handshake.

        Raises:
            BrokerRefused: this side refuses the broker, or the broker this side, and why.
            BrokerAway: nobody is there, or no answer comes.
        """
        try:
            async with asyncio.timeout(broker.answer_s):
                streams = await asyncio.open_connection(
                    broker.host, broker.port, ssl=context, server_hostname=broker.host
                )
        except ssl.SSLError as error:
            raise BrokerRefused(_in_words(broker, error)) from error
        except (OSError, TimeoutError) as error:
            raise BrokerAway(f"the broker {broker.host}:{broker.port} cannot be reached ({error})") from error
        return cls(broker, *streams)

    async def refusal(self) -> BrokerRefused | None:
        """Why the broker refuses this side's certificate, None where it does not; then the connection is closed."""
        try:
            async with asyncio.timeout(ALERT_S):
                await self._reader.read(1)
        except ssl.SSLError as error:
            return BrokerRefused(_in_words(self._broker, error))
        except (OSError, TimeoutError):
            return None
        finally:
            self._writer.transport.abort()
        return None


def _in_words(broker: Broker, error: ssl.SSLError) -> str:
    who = f"the broker {broker.host}:{broker.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{who} is refused: its certificate {_fault_of_theirs(broker, error)}"
    reason = str(error.reason or error)
    for alert, words in _ALERTS:
        if alert in reason:
            shown = "" if broker.certificate is None else f", and does not take {broker.certificate}"
            return f"{who} {words.format(mine=broker.certificate, shown=shown)}"
    return f"{who} and this side find no TLS in common ({reason})"


def _fault_of_theirs(broker: Broker, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == X509_EXPIRED:
        return "has expired; it must be renewed there"
    if error.verify_code == X509_NOT_YET_VALID:
        return "is not valid yet; check the clocks of both sides"
    if error.verify_code in X509_HOST_MISMATCH:
        return f"is for another name than {broker.host}: write the name that it is for in broker.url"
    if error.verify_code in X509_UNTRUSTED:
        believed = f"by {broker.ca}" if broker.ca else "by anybody whom this system believes: set broker.ca"
        return f"is not signed {believed}"
    return f"does not verify ({error.verify_message})"
