"""TLS 1.3 with both sides' certificates, over buffers in memory: what else a program could do for a secure channel.

The cipher is AES-256-GCM, the default of OpenSSL, which Python before 3.15 cannot change; the certificates are P-256.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Ends:
    """Two ends of one connection, with the four buffers between them."""

    client: ssl.SSLObject
    server: ssl.SSLObject
    to_client: ssl.MemoryBIO
    to_server: ssl.MemoryBIO
    from_client: ssl.MemoryBIO
    from_server: ssl.MemoryBIO

    def carry(self) -> None:
        """What each side has said goes to the other."""
        self.to_server.write(self.from_client.read())
        self.to_client.write(self.from_server.read())

    def talk(self, message: bytes) -> bytes:
        """One message from the client to the server."""
        self.client.write(message)
        self.to_server.write(self.from_client.read())
        return self.server.read(len(message))


class Tls:
    """Two contexts that trust each other's certificate."""

    def __init__(self, folder: Path) -> None:
        self._client, self._server = (
            ssl.SSLContext(each) for each in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER)
        )
        names = {"client": self._client, "server": self._server}
        files = {name: _certificate(folder / f"{name}.pem", name) for name in names}
        for name, context in names.items():
            context.check_hostname = False
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_cert_chain(files[name])
            context.load_verify_locations(files["server" if name == "client" else "client"])

    def handshake(self, session: ssl.SSLSession | None = None) -> Ends:
        """Both sides, to the end; with `session` a resumption."""
        buffers = [ssl.MemoryBIO() for _ in range(4)]
        to_client, from_client, to_server, from_server = buffers
        ends = Ends(
            self._client.wrap_bio(to_client, from_client, session=session),
            self._server.wrap_bio(to_server, from_server, server_side=True),
            to_client,
            to_server,
            from_client,
            from_server,
        )
        waiting = [ends.client, ends.server]
        while waiting:
            for side in tuple(waiting):
                try:
                    side.do_handshake()
                    waiting.remove(side)
                except ssl.SSLWantReadError:
                    pass
                ends.carry()
        return ends

    def session(self) -> ssl.SSLSession:
        """What a client keeps to resume: the server's ticket comes behind the handshake."""
        ends = self.handshake()
        try:
            ends.client.read(1)
        except ssl.SSLWantReadError:
            assert ends.client.session is not None
            return ends.client.session
        raise AssertionError("the server said something")


def _certificate(path: Path, name: str) -> Path:
    """A new key and its own certificate, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    began = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
