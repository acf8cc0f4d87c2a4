"""Certificates for the tests of this folder, made once."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme


@dataclass(frozen=True)
class Certificates:
    """A little authority: `ca_file`, and a server certificate for `localhost` and 127.0.0.1 as `certificate` and `key`."""

    ca_file: Path
    certificate: Path
    key: Path
    der: bytes

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))


def issue(folder: Path, *names: str) -> Certificates:
    """Files of a new authority and one server certificate."""
    folder.mkdir(exist_ok=True)
    authority = trustme.CA()
    issued = authority.issue_cert(*names)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "key.pem").unlink(missing_ok=True)
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "key.pem").chmod(0o600)
    (folder / "cert.pem").unlink(missing_ok=True)
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(folder / "cert.pem"), append=True)
    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    return Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem", der)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """For `localhost` and 127.0.0.1."""
    return issue(tmp_path_factory.mktemp("tls") / "a", "localhost", "127.0.0.1")
