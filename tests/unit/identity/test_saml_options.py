"""A provider of `type: saml` is read strictly, its metadata included."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.app.config import read_settings
from interpose.identity.saml_options import SamlOptions
from interpose.identity.scim_options import ScimOptions
from tests.support.saml import metadata, signer
from tests.unit.app.test_config import GOOD, PROTOCOLS, problems_of, write

PUBLIC = GOOD + "public: {url: 'https://gateway.example'}\n"


def configured(options: str, name: str = "partner") -> str:
    return f"{PUBLIC}identity:\n  providers:\n    {name}: {{type: saml, {options}}}\n"


def test_the_options(tmp_path: Path) -> None:
    metadata(tmp_path / "idp.xml")
    more = "title: Partner, key: 'file:sp.key', name_id_format: email, idp_initiated: true, require_encryption: true, lifetime: 1h, leeway: 10s"
    settings = read_settings(write(tmp_path, configured(f"metadata: idp.xml, {more}")), PROTOCOLS)
    (options,) = settings.identity.providers
    assert isinstance(options, SamlOptions)
    assert (options.name, options.title, options.metadata) == ("partner", "Partner", tmp_path.resolve() / "idp.xml")
    assert options.key == f"file:{tmp_path.resolve() / 'sp.key'}"
    assert options.name_id_format == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    assert (options.idp_initiated, options.require_encryption, options.lifetime, options.leeway) == (
        True,
        True,
        3600.0,
        10.0,
    )


def test_what_is_not_said_is_strict(tmp_path: Path) -> None:
    metadata(tmp_path / "idp.xml")
    (options,) = read_settings(write(tmp_path, configured("metadata: idp.xml")), PROTOCOLS).identity.providers
    assert isinstance(options, SamlOptions)
    assert (options.idp_initiated, options.allow_plaintext_on_loopback) == (False, False)


def test_its_directory_may_provision(tmp_path: Path) -> None:
    metadata(tmp_path / "idp.xml")
    more = "scim: {token: 'env:PARTNER_SCIM', subject: userName}, mapping: {groups: {claim: memberOf, allow: [dba]}}"
    (options,) = read_settings(write(tmp_path, configured(f"metadata: idp.xml, {more}")), PROTOCOLS).identity.providers
    assert isinstance(options, SamlOptions)
    assert options.scim == ScimOptions("env:PARTNER_SCIM", "user_name")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("title: x", "`identity.providers.partner.metadata` is missing"),
        ("metadata: gone.xml", "is no file"),
        ("metadata: idp.xml, key: hunter2", "must be a reference"),
        ("metadata: idp.xml, name_id_format: kerberos", "cannot be `kerberos`"),
        ("metadata: idp.xml, lifetime: 30d", "`lifetime` must be from"),
        ("metadata: idp.xml, leeway: 10m", "`leeway` must be from 0s to 300s"),
        ("metadata: idp.xml, kind: agent", "unknown key `identity.providers.partner.kind`"),
        ("metadata: idp.xml, mapping: {groups: {claim: groups}}", "any group"),
        ("metadata: idp.xml, scim: {token: hunter2, groups: false}", "`scim.token` must be a reference"),
        ("metadata: idp.xml, scim: {token: 'env:T'}", "`scim.groups` needs `mapping.groups`"),
        ("metadata: plain.xml", "https://"),
        ("metadata: loopback.xml", "https://"),
        ("metadata: weak.xml", "too weak"),
        ("metadata: nothing.xml", "describes 0 identity providers"),
        ("metadata: no.xml", "is no XML"),
    ],
)
def test_faults_are_told(options: str, words: str, tmp_path: Path) -> None:
    metadata(tmp_path / "idp.xml")
    metadata(tmp_path / "plain.xml", sign_in="http://idp.example/sso")
    metadata(tmp_path / "loopback.xml", sign_in="http://127.0.0.1:9/sso")
    metadata(tmp_path / "weak.xml", signer(20, bits=1024))
    (tmp_path / "nothing.xml").write_text("<a/>")
    (tmp_path / "no.xml").write_text("what")
    assert words in problems_of(tmp_path, configured(options))


def test_people_need_the_public_address(tmp_path: Path) -> None:
    metadata(tmp_path / "idp.xml")
    without = configured("metadata: idp.xml").replace("public: {url: 'https://gateway.example'}\n", "")
    assert "`public` is missing" in problems_of(tmp_path, without)
