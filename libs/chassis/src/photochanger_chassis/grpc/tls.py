"""Mutual TLS for both sides, from files that may be replaced while the service runs."""

import ssl
from pathlib import Path
from threading import Lock
from typing import cast

import grpc
import structlog

from photochanger_chassis.settings import GrpcTlsSettings

_log = structlog.stdlib.get_logger(__name__)


class _Files:
    """The three files of an identity, read again when one of them changed."""

    def __init__(self, cert: Path, key: Path, authorities: Path) -> None:
        self._cert, self._key, self._authorities = cert, key, authorities
        self._lock = Lock()
        self._seen = self._stamp()

    def read(self) -> tuple[bytes, bytes, bytes]:
        """Returns key, certificate chain and authorities, as gRPC orders them.

        Raises:
            OSError: a file cannot be read.
            ssl.SSLError: key and certificate do not belong together (a subclass of OSError).
        """
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._cert, self._key)
        return self._key.read_bytes(), self._cert.read_bytes(), self._authorities.read_bytes()

    def reread_if_changed(self) -> tuple[bytes, bytes, bytes] | None:
        """Returns the new contents, or None when there are none, or none that are whole yet."""
        with self._lock:
            try:
                stamp = self._stamp()
                if stamp == self._seen:
                    return None
                contents = self.read()
            except OSError as error:
                _log.warning("tls.reload_failed", error=str(error))
                return None
            self._seen = stamp
            _log.info("tls.reloaded", certificate=str(self._cert))
            return contents

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        stats = (path.stat() for path in (self._cert, self._key, self._authorities))
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)


def _files(settings: GrpcTlsSettings) -> _Files | None:
    cert, key, authorities = settings.grpc_tls_cert, settings.grpc_tls_key, settings.grpc_tls_ca
    if cert is None or key is None or authorities is None:
        return None
    return _Files(cert, key, authorities)


def server_credentials(settings: GrpcTlsSettings) -> grpc.ServerCredentials | None:
    """Makes credentials that ask every client for a certificate; None when TLS is not configured.

    Replaced files are used from the next connection on.

    Raises:
        OSError: a file cannot be read, or key and certificate do not match.
    """
    files = _files(settings)
    if files is None:
        return None

    def configuration(contents: tuple[bytes, bytes, bytes]) -> grpc.ServerCertificateConfiguration:
        key, cert, authorities = contents
        return grpc.ssl_server_certificate_configuration([(key, cert)], authorities)

    def changed() -> grpc.ServerCertificateConfiguration:
        # Called by gRPC from its own threads before each handshake; None, for "as before", is missing from
        # the annotation of this callback.
        contents = files.reread_if_changed()
        return cast(
            grpc.ServerCertificateConfiguration, None if contents is None else configuration(contents)
        )

    return grpc.dynamic_ssl_server_credentials(
        configuration(files.read()), changed, require_client_authentication=True
    )


def channel_credentials(settings: GrpcTlsSettings) -> grpc.ChannelCredentials | None:
    """Makes credentials that present this service's certificate; None when TLS is not configured.

    Read once: gRPC cannot exchange a channel's certificate (https://github.com/grpc/grpc/issues/15735).

    Raises:
        OSError: a file cannot be read, or key and certificate do not match.
    """
    files = _files(settings)
    if files is None:
        return None
    key, cert, authorities = files.read()
    return grpc.ssl_channel_credentials(authorities, key, cert)
