"""Configuration is strict: every fault has a line and a suggestion, and all are told at once."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from interpose.app.config import read_settings
from interpose.app.strict_yaml import parse_duration, parse_size
from interpose.model.connection import Address, Durability
from interpose.model.errors import ConfigurationError
from interpose.protocols.contract import BrowserLogin, ProtocolSpec
from interpose.protocols.postgres.spec import SPEC

PROTOCOLS: Mapping[str, ProtocolSpec] = {"postgres": SPEC}
GOOD = """\
policy: policy
principals: principals.yaml
listeners:
  - protocol: postgres
    address: 127.0.0.1:6432
    allow_plaintext_tokens: true
connections:
  orders-prod:
    protocol: postgres
    address: "[::1]:5433"
    secret: env:ORDERS_PASSWORD
    labels: {env: prod, team: shop}
    durability: strict
    options: {database: shop, user: gateway, tls: verify-full}
limits: {handshake: 3s, max_message: 8MiB}
workers: 2
"""


def write(folder: Path, text: str) -> Path:
    """The text as a configuration file."""
    path = folder / "interpose.yaml"
    path.write_text(text)
    return path


def problems_of(folder: Path, text: str) -> str:
    """What is said of a bad file."""
    with pytest.raises(ConfigurationError) as caught:
        read_settings(write(folder, text), PROTOCOLS)
    return str(caught.value)


def test_a_good_file_becomes_settings(tmp_path: Path) -> None:
    settings = read_settings(write(tmp_path, GOOD), PROTOCOLS)
    (connection,) = settings.connections
    assert connection.address == Address("::1", 5433)
    assert connection.durability is Durability.STRICT
    assert connection.labels == {"env": "prod", "team": "shop"}
    assert settings.limits.handshake == 3.0
    assert settings.limits.max_message == 8 * 1024 * 1024
    assert settings.policy == tmp_path.resolve() / "policy"
    assert settings.workers == 2


def test_every_problem_is_told_at_once_with_line_and_suggestion(tmp_path: Path) -> None:
    text = GOOD.replace("workers: 2", "wrokers: 2").replace("durability: strict", "durability: strong")
    said = problems_of(tmp_path, text.replace("handshake: 3s", "handshake: 3"))
    assert "interpose.yaml:16:1: unknown key `wrokers` (did you mean `workers`?)" in said
    assert "cannot be `strong`" in said
    assert "a duration such as" in said


def test_a_credential_in_the_file_is_refused(tmp_path: Path) -> None:
    said = problems_of(tmp_path, GOOD.replace("env:ORDERS_PASSWORD", "hunter2"))
    assert "must be a reference" in said


def test_a_connection_has_a_pseudonym_scope_of_its_own_unless_it_names_one(tmp_path: Path) -> None:
    (alone,) = read_settings(write(tmp_path, GOOD), PROTOCOLS).connections
    assert alone.pseudonym_scope is None
    text = GOOD.replace("durability: strict", "pseudonym_scope: crm-2")
    (shared,) = read_settings(write(tmp_path, text), PROTOCOLS).connections
    assert shared.pseudonym_scope == "crm-2"
    assert "`a b` is no name of a scope" in problems_of(tmp_path, text.replace("crm-2", "a b"))


def test_a_listener_without_tls_must_name_the_risk(tmp_path: Path) -> None:
    said = problems_of(tmp_path, GOOD.replace("    allow_plaintext_tokens: true\n", ""))
    assert "sending the token in clear" in said


def test_an_unknown_protocol_and_a_bad_address_are_told(tmp_path: Path) -> None:
    said = problems_of(
        tmp_path, GOOD.replace("- protocol: postgres", "- protocol: postgre").replace(":6432", ":64320000")
    )
    assert "did you mean `postgres`?" in said
    assert "is no address" in said


@pytest.mark.parametrize(
    "bad",
    ["web-1:22:33", "::1", "[::1", "[::1]5433", "[web-1]:22", "a b:22", "root@web-1:22", "web-1:", "[::1]:", "web-1:²"],
)
def test_what_is_no_host_and_port_is_no_address(bad: str, tmp_path: Path) -> None:
    said = problems_of(tmp_path, GOOD.replace("[::1]:5433", bad))
    assert f"`{bad}` is no address" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web-1:22", Address("web-1", 22)),
        ("web-1", Address("web-1", 5432)),
        ("[::1]", Address("::1", 5432)),
        ("[fe80::1%eth0]:5433", Address("fe80::1%eth0", 5433)),
    ],
)
def test_the_port_may_be_left_out_and_ipv6_stands_in_brackets(text: str, expected: Address, tmp_path: Path) -> None:
    settings = read_settings(write(tmp_path, GOOD.replace("[::1]:5433", text)), PROTOCOLS)
    assert settings.connections[0].address == expected


def test_unknown_protocol_options_are_told(tmp_path: Path) -> None:
    said = problems_of(tmp_path, GOOD.replace("database: shop", "databse: shop"))
    assert "databse" in said


def test_a_file_that_is_no_yaml_says_where(tmp_path: Path) -> None:
    assert "interpose.yaml:2:" in problems_of(tmp_path, "policy: policy\n  bad: [\n")


def test_the_admin_api_beyond_loopback_needs_tls(tmp_path: Path) -> None:
    assert "beyond loopback" in problems_of(tmp_path, GOOD + "admin: {address: 0.0.0.0:6480}\n")


def test_durations_and_sizes_say_their_unit() -> None:
    assert parse_duration("15m") == 900.0
    assert parse_duration("500ms") == 0.5
    assert parse_duration("15") is None
    assert parse_size("256KiB") == 262144
    assert parse_size("4096") == 4096
    assert parse_size("1 TB") is None


def test_client_certificates_need_tls(tmp_path: Path) -> None:
    text = GOOD.replace("allow_plaintext_tokens: true", "allow_plaintext_tokens: true\n    client_certificates: true")
    assert "client certificates need `tls`" in str(problems_of(tmp_path, text))
    (tmp_path / "c.pem").write_text("x")
    tls = "tls: {certificate: c.pem, key: c.pem}\n    client_certificates: true"
    settings = read_settings(write(tmp_path, GOOD.replace("allow_plaintext_tokens: true", tls)), PROTOCOLS)
    assert settings.listeners[0].client_certificates
    assert not read_settings(write(tmp_path, GOOD), PROTOCOLS).listeners[0].client_certificates


def test_logins_in_a_browser_need_pages_and_a_provider(tmp_path: Path) -> None:
    text = GOOD.replace("allow_plaintext_tokens: true", "allow_plaintext_tokens: true\n    browser_login: offered")
    assert "`browser_login` needs `public`" in problems_of(tmp_path, text)
    public = 'public: {url: "https://gw.example"}\n'
    assert "`browser_login` needs `public`" in problems_of(tmp_path, text + public)
    people = 'identity: {providers: {corporate: {type: oidc, issuer: "https://idp.example", client_id: x}}}\n'
    settings = read_settings(write(tmp_path, text + public + people), PROTOCOLS)
    assert settings.listeners[0].browser_login is BrowserLogin.OFFERED
    # A provider of the other kind will do; what else is wrong with this one is told, and not that.
    partner = public + "identity: {providers: {partner: {type: saml, metadata: missing.xml}}}\n"
    assert "`browser_login` needs" not in problems_of(tmp_path, text + partner)
    assert "`browser_login` needs" in problems_of(tmp_path, text + partner.replace(public, ""))
    assert settings.limits.browser_login == 120.0
    for wrong in ("5s", "1h"):
        other = text.replace("handshake: 3s", f"handshake: 3s, browser_login: {wrong}")
        assert "from 10 seconds to 10 minutes" in problems_of(tmp_path, other + public + people)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("  - {protocol: postgres, address: 127.0.0.1:6432, allow_plaintext_tokens: true}", "twice in `listeners`"),
        ("  - {protocol: postgres, address: 0.0.0.0:6432, allow_plaintext_tokens: true}", "twice in `listeners`"),
        (
            "  - {protocol: postgres, address: 127.0.0.1:6480, allow_plaintext_tokens: true}",
            "in `listeners` and in `admin`",
        ),
        ("admin: {address: 127.0.0.1:6432}", "in `listeners` and in `admin`"),
        ("public: {url: 'http://localhost:6432', address: 127.0.0.1:6432}", "in `listeners` and in `public`"),
        ("public: {url: 'http://localhost', address: 127.0.0.1:7000}\nadmin: {address: 127.0.0.1:7000}", "in `public`"),
    ],
)
def test_an_address_is_listened_at_once(more: str, said: str, tmp_path: Path) -> None:
    text = GOOD.replace("connections:\n", f"{more}\nconnections:\n", 1)
    assert said in problems_of(tmp_path, text)


@pytest.mark.parametrize("address", ["127.0.0.1:2222", "127.0.0.2:6432", "'[::1]:6432'", "'[::]:6432'"])
def test_other_addresses_are_other_addresses(address: str, tmp_path: Path) -> None:
    more = f"  - {{protocol: postgres, address: {address}, allow_plaintext_tokens: true}}"
    settings = read_settings(write(tmp_path, GOOD.replace("connections:\n", f"{more}\nconnections:\n", 1)), PROTOCOLS)
    assert len(settings.listeners) == 2
