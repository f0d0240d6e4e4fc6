"""HTTPS to receivers: the certificate has to be of the name in the URL, not of the address behind it."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.adapters.http.receivers import open_receivers
from photochanger_ingest.domain.address import AddressPolicy
from photochanger_ingest.domain.webhook import SendError, Sent
from photochanger_ingest.testing.receiver import open_receiver

_HERE = AddressPolicy((ip_network("127.0.0.0/8"),))


class Here(AbstractResolver):
    """Every name leads to this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of `studio.example` with its key, its own authority."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "studio.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("studio.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "studio.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize(
    ("host", "known", "status", "error"),
    [
        ("studio.example", True, 204, None),
        ("other.example", True, None, SendError.TLS),
        ("127.0.0.1", True, None, SendError.TLS),
        ("studio.example", False, None, SendError.TLS),
    ],
)
async def test_a_receiver_proves_its_name(
    certificate: Path,
    clock: ManualClock,
    host: str,
    *,
    known: bool,
    status: int | None,
    error: SendError | None,
) -> None:
    ours = ssl.create_default_context(cafile=certificate if known else None)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate)
    asked_for: list[str | None] = []
    theirs.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    async with (
        open_receiver(ssl_context=theirs) as receiver,
        open_receivers(
            _HERE, timeout=timedelta(seconds=20), clock=clock, resolver=Here(), ssl_context=ours
        ) as receivers,
    ):
        attempt: Sent = await receivers.send(receiver.url.replace("127.0.0.1", host), b"{}", {})
    assert (attempt.status, attempt.error) == (status, error)
    assert asked_for == [None if host == "127.0.0.1" else host]
