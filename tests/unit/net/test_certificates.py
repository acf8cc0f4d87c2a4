"""Certificates from files: loading, following, and the ways to verify."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from interpose.model.errors import ConfigurationError, UpstreamError
from interpose.net.certificates import ClientContexts, ServerCertificate, brings_root, server_context
from tests.unit.net.conftest import Certificates, issue


def test_a_server_context_is_strict(certificates: Certificates) -> None:
    context = server_context(certificates.certificate, certificates.key, ("postgresql",))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.num_tickets == 0


def test_what_cannot_be_loaded_is_told_with_a_hint(certificates: Certificates, tmp_path: Path) -> None:
    other = issue(tmp_path / "other", "localhost")
    for certificate, key in [(tmp_path / "none.pem", certificates.key), (certificates.certificate, other.key)]:
        with pytest.raises(ConfigurationError) as caught:
            server_context(certificate, key, ())
        assert str(certificate) in caught.value.public_message
        assert caught.value.hint


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_passphrase(
    certificates: Certificates, tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(certificates.key.read_bytes(), None)
    encrypted = tmp_path / "key.pem"
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        )
    )
    with pytest.raises(ConfigurationError):
        server_context(certificates.certificate, encrypted, ())


def test_a_new_certificate_is_taken_and_a_bad_one_is_not(tmp_path: Path) -> None:
    files = issue(tmp_path / "tls", "localhost")
    served = ServerCertificate(files.certificate, files.key, alpn=())
    first = served.context
    assert not served.look()

    files.certificate.write_text("no certificate")
    with pytest.raises(ConfigurationError):
        served.look()
    assert not served.look(), "the same fault is told once"
    assert served.context is first

    issue(tmp_path / "tls", "localhost")
    assert served.look()
    assert served.context is not first


def test_a_certificate_that_vanishes_leaves_the_old_one_serving(tmp_path: Path) -> None:
    files = issue(tmp_path / "tls", "localhost")
    served = ServerCertificate(files.certificate, files.key, alpn=())
    first = served.context
    files.key.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        served.look()
    assert not served.look()
    assert served.context is first


def test_a_fault_stands_until_the_files_serve_again(tmp_path: Path) -> None:
    files = issue(tmp_path / "tls", "localhost")
    served = ServerCertificate(files.certificate, files.key, alpn=())
    leaf, good = served.leaf, files.key.read_bytes()
    assert len(leaf.fingerprint) == 64
    files.key.write_bytes(issue(tmp_path / "other", "localhost").key.read_bytes())
    with pytest.raises(ConfigurationError):
        served.look()
    assert not served.look()
    assert served.fault is not None
    assert served.leaf is leaf
    files.key.write_bytes(good)
    assert served.look()
    assert served.fault is None
    assert served.leaf == leaf


def test_client_contexts_are_kept_until_their_authority_changes(certificates: Certificates, tmp_path: Path) -> None:
    now = 0.0
    contexts = ClientContexts(lambda: now, trusted_for=5.0)
    authority = tmp_path / "ca.pem"
    authority.write_bytes(certificates.ca_file.read_bytes())
    key = ("full", str(authority), ())
    assert contexts.ready(*key) is None
    made = contexts.make(*key)
    assert contexts.ready(*key) is made
    now = 6.0
    assert contexts.ready(*key) is None
    assert contexts.make(*key) is made
    assert contexts.ready(*key) is made
    trustme.CA().cert_pem.write_to_path(str(authority))
    os.utime(authority, (1, 1))
    now = 12.0
    assert contexts.make(*key) is not made


@pytest.mark.parametrize("verify", ["", "None", "prefer", "FULL"])
def test_only_the_exact_word_turns_verification_off(verify: str) -> None:
    with pytest.raises(UpstreamError):
        ClientContexts(float).make(verify, None, ())


def test_verification_as_named(certificates: Certificates) -> None:
    contexts = ClientContexts(float)
    full, ca, none = (contexts.make(verify, str(certificates.ca_file), ()) for verify in ("full", "ca", "none"))
    assert (full.verify_mode, full.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (ca.verify_mode, ca.check_hostname) == (ssl.CERT_REQUIRED, False)
    assert (none.verify_mode, none.check_hostname) == (ssl.CERT_NONE, False)


def test_an_authority_file_that_cannot_be_read_refuses(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nothing")
    for name in ("none.pem", "bad.pem"):
        with pytest.raises(UpstreamError) as caught:
            ClientContexts(float).make("ca", str(tmp_path / name), ())
        assert name not in caught.value.public_message


def test_a_chain_that_brings_its_root_is_private(tmp_path: Path) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost").cert_chain_pems[0].bytes()
    file = tmp_path / "chain.pem"
    file.write_bytes(leaf)
    assert not brings_root(file)
    file.write_bytes(leaf + authority.cert_pem.bytes())
    assert brings_root(file)
    file.write_text("nothing")
    assert not brings_root(file)
    assert not brings_root(tmp_path / "gone.pem")


def test_client_certificates_are_asked_for_where_there_are_roots(certificates: Certificates) -> None:
    roots = [""]
    own = ServerCertificate(certificates.certificate, certificates.key, alpn=(), clients=lambda: roots[0])
    assert own.context.verify_mode is ssl.CERT_NONE
    assert not own.look()
    first, second = trustme.CA(), trustme.CA()
    roots[0] = first.cert_pem.bytes().decode()
    assert own.look()
    assert own.context.verify_mode is ssl.CERT_OPTIONAL
    assert len(own.context.get_ca_certs()) == 1
    assert not own.look()
    roots[0] += second.cert_pem.bytes().decode()
    assert own.look()
    assert len(own.context.get_ca_certs()) == 2
