"""Which broker, and how to reach it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from blechannel_gateway.errors import ConfigError

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
PROTOCOLS: Final = ("5", "3.1.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker's address, and what this side shows and believes.

    Raises:
        ConfigError: the address or the protocol makes no sense, or files of certificates without TLS.
    """

    url: str
    """mqtt://HOST[:1883] or, with TLS, mqtts://HOST[:8883]."""
    protocol: str = "5"
    """"5", or "3.1.1" for a broker that has only that."""
    ca: Path | None = None
    """Whose certificate the broker's must be signed by; None: whom the system believes."""
    certificate: Path | None = None
    """This side's, with those between it and the broker's root; None: it shows none."""
    key: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keepalive_s: int = 30
    session_expiry_s: int = 3600
    """How long the broker keeps what is addressed to this side while it is away (MQTT 5)."""
    answer_s: float = 10.0
    """How long to wait for each answer of the broker."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/"):
            raise ConfigError(f"broker.url = {self.url!r} is no mqtt://HOST:PORT or mqtts://HOST:PORT")
        if self.protocol not in PROTOCOLS:
            raise ConfigError(f"broker.protocol = {self.protocol!r} must be one of {', '.join(PROTOCOLS)}")
        if not self.is_tls and (self.ca or self.certificate or self.key):
            raise ConfigError("broker.ca, .certificate and .key are for TLS: write mqtts:// in broker.url")
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("broker.certificate and broker.key belong together: give both or none")

    @property
    def host(self) -> str:
        """The name that its certificate must have."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Of TCP."""
        return urlsplit(self.url).port or PORTS[urlsplit(self.url).scheme]

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.startswith("mqtts:")

    @property
    def is_mqtt_5(self) -> bool:
        """Whether properties can be sent."""
        return self.protocol == "5"

    def tls(self) -> ssl.SSLContext | None:
        """The context of TLS, or None without TLS.

        Raises:
            ConfigError: a file of certificates cannot be read or does not fit.
        """
        if not self.is_tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"broker.ca = {str(self.ca)!r} holds no certificates in PEM ({error})") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate, self.key)
            except (OSError, ssl.SSLError) as error:
                what = f"broker.certificate = {str(self.certificate)!r} and broker.key = {str(self.key)!r}"
                raise ConfigError(f"{what} are no certificate in PEM and its key ({error})") from error
        return context
