"""Client certificates of the built-in authority: no password at all, and every way to misuse one is refused."""

from __future__ import annotations

import datetime
import json
import shlex
import socket
import ssl
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from interpose.identity.certificates import new_request
from tests.e2e.test_connect import environment
from tests.support.postgres import PostgresServer
from tests.support.scene import Scene, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def house(postgres: PostgresServer) -> Iterator[Scene]:
    """A scene whose TLS listener takes client certificates."""
    made = Scene(postgres)
    listeners: Any = made.gateway.settings["listeners"]
    listeners[0]["client_certificates"] = True
    made.gateway.write()
    with made:
        yield made


def issue(house: Scene, name: str, *options: str, token: str = "") -> Path:
    """This person's credential folder, got with their token."""
    folder = house.folder / f"credential-{name}-{time.monotonic_ns()}"
    house.gateway.interpose("credential", "issue", "--out", str(folder), *options, token=token or house.token(name))
    return folder


def certificate(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "client.crt").read_bytes())


def serial(folder: Path) -> str:
    return f"{certificate(folder).serial_number:040x}"


def enter(house: Scene, folder: Path, name: str, **more: Any) -> psycopg.Connection[Any]:
    keywords = house.keywords("alice", "shop")
    del keywords["password"]
    keywords.update(user=name, sslcert=str(folder / "client.crt"), sslkey=str(folder / "client.key"), passfile="/none")
    return psycopg.connect(**{**keywords, **more}, autocommit=True)


def refused(house: Scene, folder: Path, name: str, **more: Any) -> str:
    """What somebody who is not let in is told."""
    with pytest.raises(psycopg.OperationalError) as error:
        enter(house, folder, name, **more)
    return str(error.value)


def forged(house: Scene, folder: Path, name: str = "alice", **changes: Any) -> Path:
    """A certificate that is signed with the authority's own stolen key, for a key of one's own."""
    root_file = sorted((house.gateway.state / "authority").glob("root-*.pem"))[-1]
    root = x509.load_pem_x509_certificate(root_file.read_bytes())
    root_key = serialization.load_pem_private_key(root_file.read_bytes(), None)
    request, key, _ = new_request()
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(root.subject)
        .public_key(x509.load_pem_x509_csr(request.encode()).public_key())
        .serial_number(changes.get("serial", x509.random_serial_number()))
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([changes.get("usage", ExtendedKeyUsageOID.CLIENT_AUTH)]), critical=False)
        .sign(root_key, hashes.SHA256())  # type: ignore[arg-type]
    )
    return kept(folder, made.public_bytes(serialization.Encoding.PEM), key)


def kept(folder: Path, certificate: bytes, key: bytes) -> Path:
    folder.mkdir()
    (folder / "client.crt").write_bytes(certificate)
    (folder / "client.key").write_bytes(key)
    (folder / "client.key").chmod(0o600)
    return folder


# --- who comes in


def test_psql_needs_no_password(house: Scene) -> None:
    folder = issue(house, "alice")
    words = [sys.executable, "-m", "interpose", "connect", "shop", "--credential", str(folder), "--"]
    done = subprocess.run(
        [*words, *shlex.split(r"psql -XAtw -c 'select count(*) from customers' -c '\conninfo'")],
        env=environment(house, ""),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("20\n")
    assert 'as user "alice"' in done.stdout
    opened = house.events("session.opened", method="certificate")
    assert opened[-1]["fields"]["token"] == serial(folder)
    issued = house.events("certificate.issued", serial=serial(folder))
    assert issued[0]["fields"]["principal"] == "alice"
    assert issued[0]["fields"]["token"]


def test_what_is_printed_is_a_way_in_too(house: Scene) -> None:
    folder = issue(house, "alice")
    printed = subprocess.run(
        [sys.executable, "-m", "interpose", "connect", "shop", "--credential", str(folder), "--print"],
        env=environment(house, ""),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    done = subprocess.run(
        ["/bin/sh", "-c", printed + "exec psql -XAtw -c 'select 6 * 7'"],
        env=environment(house, ""),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "42\n", done.stderr
    assert "client.pk8" in printed


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_both_versions_of_tls(house: Scene, version: str) -> None:
    folder = issue(house, "bob")
    with enter(house, folder, "bob", ssl_min_protocol_version=version, ssl_max_protocol_version=version) as session:
        assert session.execute("select 1").fetchone() == (1,)


def test_without_a_certificate_the_token_is_asked_for_as_before(house: Scene) -> None:
    assert house.psql("alice", "shop", "select 1").stdout == "1\n"


def test_an_agent_stays_what_its_token_said(house: Scene) -> None:
    _, token = house.new_token("shopbot", acting_for="bob")
    folder = issue(house, "shopbot", token=token)
    assert house.events("certificate.issued", serial=serial(folder))[0]["fields"]["acting_for"] == "bob"
    with enter(house, folder, "shopbot") as session:
        session.execute("select 1")
    assert house.events("session.opened", token=serial(folder))[0]["actor"] == "Agent:shopbot for bob"


# --- how long


def test_it_never_outlives_what_it_was_got_with_nor_a_day(house: Scene) -> None:
    _, token = house.new_token("alice", expires="30m")
    short = certificate(issue(house, "alice", "--ttl", "8h", token=token))
    assert short.not_valid_after_utc < datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=31)
    _, token = house.new_token("alice", expires="90d")
    long = certificate(issue(house, "alice", "--ttl", "80h", token=token))
    left = long.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(hours=23) < left <= datetime.timedelta(hours=24)


def test_a_session_ends_with_its_certificate_and_a_new_one_is_refused(house: Scene) -> None:
    folder = issue(house, "alice", "--ttl", "4s")
    session = enter(house, folder, "alice")
    with pytest.raises(psycopg.OperationalError, match="expired"):
        until(lambda: session.execute("select pg_sleep(0.1)") and False)
    assert "your certificate has expired" in refused(house, folder, "alice")


# --- who does not


def test_a_certificate_is_for_one_name(house: Scene) -> None:
    folder = issue(house, "alice")
    assert "another principal's" in refused(house, folder, "carol")
    # Not even with that other's own token.
    assert "another principal's" in refused(house, folder, "carol", password=house.token("carol"))
    assert house.events("login.failed", reason="certificate_of_another", claimed_name="carol")


def test_revocation_ends_the_session_and_refuses_the_next(house: Scene) -> None:
    folder = issue(house, "alice")
    session = enter(house, folder, "alice")
    house.gateway.interpose("credential", "revoke", serial(folder))
    with pytest.raises(psycopg.OperationalError, match="revoked"):
        until(lambda: session.execute("select pg_sleep(0.1)") and False)
    assert "your certificate was revoked" in refused(house, folder, "alice")
    assert house.events("certificate.revoked", serial=serial(folder))
    missing = house.gateway.interpose("credential", "revoke", "00", check=False)
    assert "there is no certificate `00`" in missing.stderr


def test_revoking_the_token_takes_its_certificates_along(house: Scene) -> None:
    name, token = house.new_token("alice")
    folder = issue(house, "alice", token=token)
    session = enter(house, folder, "alice")
    house.gateway.interpose("token", "revoke", name)
    with pytest.raises(psycopg.OperationalError, match="revoked"):
        until(lambda: session.execute("select pg_sleep(0.1)") and False)
    assert "your certificate was revoked" in refused(house, folder, "alice")


def test_a_request_that_is_held_back_gets_nothing_by_a_token_that_was_revoked_meanwhile(house: Scene) -> None:
    name, token = house.new_token("alice")
    body = json.dumps({"request": new_request()[0], "ttl": 3600}).encode()
    head = (
        f"POST /v1/credentials HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", house.gateway.admin_port), 20) as held:
        held.sendall(head.encode() + body[:-1])
        # Whoever comes later is answered: the head was read by then.
        assert house.api("alice", "GET", "/v1/whoami")[0] == 200
        house.gateway.interpose("token", "revoke", name)
        held.sendall(body[-1:])
        answer = b"".join(iter(lambda: held.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 401 "), answer
    assert b"CERTIFICATE" not in answer


def test_a_disabled_principal_is_out(house: Scene) -> None:
    folder = issue(house, "dave")
    house.gateway.interpose("principals", "disable", "dave")
    until(lambda: "does not exist any more or is disabled" in refused(house, folder, "dave"))
    house.gateway.interpose("principals", "enable", "dave")
    until(lambda: enter_if_let(house, folder, "dave"))


def enter_if_let(house: Scene, folder: Path, name: str) -> bool:
    try:
        enter(house, folder, name).close()
    except psycopg.OperationalError:
        return False
    return True


def test_even_the_authoritys_own_signature_makes_no_certificate_that_was_not_issued(
    house: Scene, tmp_path: Path
) -> None:
    real = certificate(issue(house, "alice"))
    assert "not one that this gateway knows" in refused(house, forged(house, tmp_path / "a"), "alice")
    twin = forged(house, tmp_path / "b", serial=real.serial_number)
    assert "not one that this gateway knows" in refused(house, twin, "alice")


def test_another_authority_or_usage_ends_in_the_handshake(house: Scene, tmp_path: Path) -> None:
    stranger = trustme.CA().issue_cert("alice@example.com", common_name="alice")
    foreign = kept(tmp_path / "f", stranger.cert_chain_pems[0].bytes(), stranger.private_key_pem.bytes())
    assert "alert" in refused(house, foreign, "alice")
    server = forged(house, tmp_path / "s", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    assert "alert" in refused(house, server, "alice")
    # The roots are no certificates of clients, whoever has their key.
    root = sorted((house.gateway.state / "authority").glob("root-*.pem"))[-1].read_bytes()
    key = serialization.load_pem_private_key(root, None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = x509.load_pem_x509_certificate(root).public_bytes(serialization.Encoding.PEM)
    assert refused(house, kept(tmp_path / "r", made, key), "alice")


def test_the_names_in_a_request_are_ignored(house: Scene) -> None:
    key = serialization.load_pem_private_key(new_request()[1], None)
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "carol")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())  # type: ignore[arg-type]
    )
    body = {"request": request.public_bytes(serialization.Encoding.PEM).decode(), "ttl": 60}
    status, made = house.api("alice", "POST", "/v1/credentials", body)
    assert (status, made["principal"]) == (201, "alice")
    issued = x509.load_pem_x509_certificate(made["certificate"].encode())
    assert [each.value for each in issued.subject] == ["alice"]
    assert not issued.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [each.value for each in names] == ["interpose://principal/alice"]
    assert house.api("alice", "POST", "/v1/credentials", {"request": "nonsense"})[0] == 400


def test_a_resumed_session_proves_nobody(house: Scene) -> None:
    folder = issue(house, "carol")
    context = ssl.create_default_context(cafile=str(house.authority_file))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # resumption without tickets
    context.load_cert_chain(folder / "client.crt", folder / "client.key")

    def first_answer(session: ssl.SSLSession | None) -> tuple[bytes, ssl.SSLSession | None, bool]:
        with socket.create_connection(("127.0.0.1", house.gateway.port), 10) as plain:
            plain.sendall(struct.pack(">II", 8, 80877103))
            assert plain.recv(1) == b"S"
            with context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as secure:
                words = b"".join(word + b"\0" for word in (b"user", b"carol", b"database", b"shop", b""))
                secure.sendall(struct.pack(">II", 8 + len(words), 196608) + words)
                return secure.recv(9), secure.session, bool(secure.session_reused)

    answer, session, reused = first_answer(None)
    assert (answer, reused) == (b"R" + struct.pack(">II", 8, 0), False)
    answer, _, reused = first_answer(session)
    if reused:
        assert answer == b"R" + struct.pack(">II", 8, 3)  # a password is asked for
    else:
        assert answer == b"R" + struct.pack(">II", 8, 0)  # the handshake was whole


# --- rotation, and what is on disk


def test_after_a_rotation_both_roots_are_taken(house: Scene) -> None:
    before = issue(house, "alice")
    assert house.gateway.interpose("ca", "show").stdout.count("BEGIN CERTIFICATE") == 1
    house.gateway.interpose("ca", "rotate")
    shown = house.gateway.interpose("ca", "show").stdout
    assert shown.count("BEGIN CERTIFICATE") == 2
    assert "PRIVATE" not in shown
    enter(house, before, "alice").close()

    def signed_anew() -> Path | None:
        folder = issue(house, "alice")
        return folder if certificate(folder).issuer != certificate(before).issuer else None

    after = until(signed_anew, 60, "a certificate of the new root")
    assert after is not None
    enter(house, after, "alice").close()
    enter(house, before, "alice").close()
    old, new = sorted((house.gateway.state / "authority").glob("root-*.pem"))
    assert b"PRIVATE" not in old.read_bytes()  # what signs no more has no key
    assert b"PRIVATE" in new.read_bytes()


def test_files_are_for_their_owner_alone(house: Scene) -> None:
    folder = issue(house, "alice")
    for path in (*folder.iterdir(), *(house.gateway.state / "authority").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for path in (folder, house.gateway.state / "authority"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_no_key_and_no_token_is_written_anywhere(house: Scene) -> None:
    folder = issue(house, "alice")
    enter(house, folder, "alice").close()
    key = (folder / "client.key").read_text().splitlines()[1:-1]
    canaries = [line.encode() for line in key[:2]] + [
        house.token("alice").encode(),
        (folder / "client.pk8").read_bytes(),
    ]
    searched = 0
    for path in [house.gateway.log, *house.gateway.state.rglob("*")]:
        if path.is_file() and "authority" not in path.parts:
            searched += 1
            data = path.read_bytes()
            assert not [canary for canary in canaries if canary in data], path
    assert searched > 5
