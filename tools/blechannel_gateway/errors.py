"""What can go wrong between a gateway and its broker.

::

    GatewayError
    ├── ConfigError       the configuration says what makes no sense (which file, which key, what is allowed)
    ├── BrokerError
    │   ├── BrokerAway     there is no connection to the broker now
    │   └── BrokerRefused  it or we refuse the other for good: certificates, a password, rights, a version
    ├── CloudStoreError    the gateway's or the cloud's file cannot be read or written
    └── SealBroken         a sealed message that this key does not open
"""

from __future__ import annotations

from blechannel.errors import BlechannelError


class GatewayError(BlechannelError):
    """Base of what the gateway and the cloud's side raise beside the channel's own errors."""


class ConfigError(GatewayError):
    """The configuration cannot be used; the message says where and what is allowed."""


class BrokerError(GatewayError):
    """The broker cannot be used."""


class BrokerAway(BrokerError):
    """There is no connection to the broker now; it is tried again."""


class BrokerRefused(BrokerError):
    """Trying again would not help: certificates, a password, rights, or a version of MQTT."""


class CloudStoreError(GatewayError):
    """A file of messages cannot be read or written; nothing that was stored before is lost."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(f"{message}: {path}")
        self.path = path


class SealBroken(GatewayError):
    """A sealed message that this key does not open: another key, another watch or port, or changed bytes."""
