import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_chassis.settings import GrpcClientSettings, GrpcServerSettings

_METHOD = "/chassis.test.v1.Echo/unary_unary"


class Authority:
    """Signs certificates for 127.0.0.1."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.certificate = self._signed(self._name, self._key, authority=True)

    def identity(self, folder: Path) -> GrpcClientSettings:
        """Writes a new certificate, its key and this authority to the folder, over what is there."""
        folder.mkdir(exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "service")])
        pem = serialization.Encoding.PEM
        cert = self._signed(name, key, authority=False)
        (folder / "cert.pem").write_bytes(cert.public_bytes(pem))
        (folder / "ca.pem").write_bytes(self.certificate.public_bytes(pem))
        (folder / "key.pem").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return GrpcClientSettings(
            grpc_tls_cert=folder / "cert.pem", grpc_tls_key=folder / "key.pem", grpc_tls_ca=folder / "ca.pem"
        )

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )


async def _echo(text: str) -> str:
    return text


async def _call(port: int, settings: GrpcClientSettings) -> str:
    async with open_channel(f"127.0.0.1:{port}", settings) as channel:
        call: Any = channel.unary_unary(
            _METHOD,
            request_serializer=StringValue.SerializeToString,
            response_deserializer=StringValue.FromString,
        )
        with translate_rpc_errors():
            answer = await call(StringValue(value="x"), timeout=10)
    return str(answer.value)


def _server_settings(identity: GrpcClientSettings, **more: Any) -> GrpcServerSettings:
    return GrpcServerSettings(**identity.model_dump(), **more)


async def test_a_client_with_a_certificate_of_the_authority_is_served(serve: Any, tmp_path: Path) -> None:
    authority = Authority()
    settings = _server_settings(authority.identity(tmp_path / "server"))
    async with serve(_echo, settings) as running:
        assert await _call(running.server.port, authority.identity(tmp_path / "client")) == "x"


@pytest.mark.parametrize("client", ["plaintext", "without", "foreign"])
async def test_a_client_without_one_is_refused(serve: Any, tmp_path: Path, client: str) -> None:
    authority = Authority()
    settings = _server_settings(authority.identity(tmp_path / "server"))
    foreign = Authority().identity(tmp_path / "client")
    assert foreign.grpc_tls_cert is not None
    assert foreign.grpc_tls_key is not None
    # Each trusts the server; it is for the server to refuse.
    trusted = authority.certificate.public_bytes(serialization.Encoding.PEM)
    credentials = {
        "without": grpc.ssl_channel_credentials(trusted),
        "foreign": grpc.ssl_channel_credentials(
            trusted, foreign.grpc_tls_key.read_bytes(), foreign.grpc_tls_cert.read_bytes()
        ),
    }
    async with serve(_echo, settings) as running:
        address = f"127.0.0.1:{running.server.port}"
        async with (
            grpc.aio.insecure_channel(address)
            if client == "plaintext"
            else grpc.aio.secure_channel(address, credentials[client])
        ) as channel:
            call: Any = channel.unary_unary(_METHOD)
            with pytest.raises(Unavailable), translate_rpc_errors():
                await call(b"", timeout=10)
    assert running.echo.calls == 0


async def test_a_key_that_does_not_fit_its_certificate_ends_the_start(serve: Any, tmp_path: Path) -> None:
    identity = Authority().identity(tmp_path / "server")
    other = Authority().identity(tmp_path / "other")
    assert identity.grpc_tls_key is not None
    assert other.grpc_tls_key is not None
    identity.grpc_tls_key.write_bytes(other.grpc_tls_key.read_bytes())
    with pytest.raises(ssl.SSLError):
        async with serve(_echo, _server_settings(identity)):
            pass


def _served_serial(port: int, identity: GrpcClientSettings) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert identity.grpc_tls_cert is not None
    context.load_verify_locations(identity.grpc_tls_ca)
    context.load_cert_chain(identity.grpc_tls_cert, identity.grpc_tls_key)
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        der = secure.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


def _written_serial(identity: GrpcClientSettings) -> int:
    assert identity.grpc_tls_cert is not None
    return x509.load_pem_x509_certificate(identity.grpc_tls_cert.read_bytes()).serial_number


async def test_replaced_files_are_used_from_the_next_connection_on(serve: Any, tmp_path: Path) -> None:

    authority = Authority()
    server = authority.identity(tmp_path / "server")
    client = authority.identity(tmp_path / "client")
    async with serve(_echo, _server_settings(server)) as running:
        port = running.server.port
        first = _written_serial(server)
        assert await asyncio.to_thread(_served_serial, port, client) == first
        authority.identity(tmp_path / "server")
        assert _written_serial(server) != first
        assert await asyncio.to_thread(_served_serial, port, client) == _written_serial(server)
        assert await _call(port, client) == "x"


async def test_half_replaced_files_leave_the_old_identity_in_use(serve: Any, tmp_path: Path) -> None:
    authority = Authority()
    server = authority.identity(tmp_path / "server")
    client = authority.identity(tmp_path / "client")
    other = authority.identity(tmp_path / "other")
    async with serve(_echo, _server_settings(server)) as running:
        assert server.grpc_tls_cert is not None
        assert other.grpc_tls_cert is not None
        server.grpc_tls_cert.write_bytes(other.grpc_tls_cert.read_bytes())  # its key is not there yet
        assert await _call(running.server.port, client) == "x"


async def test_probes_reach_health_in_plaintext_on_a_port_of_its_own(serve: Any, tmp_path: Path) -> None:

    settings = _server_settings(Authority().identity(tmp_path / "server"), health_listen="127.0.0.1:0")
    async with serve(_echo, settings) as running:
        await running.server.health.check_now()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.server.health_port}") as channel:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service="readiness"), timeout=10
            )
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            call: Any = channel.unary_unary(_METHOD)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(b"", timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
