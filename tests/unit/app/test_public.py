"""`public:` names one origin, and people's logins never cross a network in clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.app.config import read_settings
from interpose.app.public import read_origin
from interpose.app.settings import PublicSettings
from interpose.model.connection import Address
from tests.unit.app.test_config import GOOD, PROTOCOLS, problems_of, write


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://gateway.example.com", "https://gateway.example.com"),
        ("https://Gateway.Example.com:443/", "https://gateway.example.com"),
        ("https://gateway.example.com:6443", "https://gateway.example.com:6443"),
        ("http://127.0.0.1:6443", "http://127.0.0.1:6443"),
        ("http://localhost:6443", "http://localhost:6443"),
        ("https://[2001:db8::1]:6443", "https://[2001:db8::1]:6443"),
        ("http://gateway.example.com", None),
        ("http://127.0.0.1.evil.example", None),
        ("https://a@gateway.example.com", None),
        ("https://gateway.example.com/path", None),
        ("https://gateway.example.com?x", None),
        ("https://gateway.example.com#x", None),
        ("https://*.example.com", None),
        ("https://gateway.example.com:99999", None),
        ("ftp://gateway.example.com", None),
        ("gateway.example.com", None),
        ("https://", None),
    ],
)
def test_an_origin_is_nothing_else(text: str, origin: str | None) -> None:
    assert read_origin(text) == origin


def test_the_settings(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("x")
    text = "public: {address: 0.0.0.0:6443, url: 'https://gateway.example.com:6443', certificate: c.pem, key: c.pem}\n"
    file = (tmp_path / "c.pem").resolve()
    settings = read_settings(write(tmp_path, GOOD + text), PROTOCOLS)
    assert settings.public == PublicSettings("https://gateway.example.com:6443", Address("0.0.0.0", 6443), file, file)
    assert read_settings(write(tmp_path, GOOD), PROTOCOLS).public is None
    local = read_settings(write(tmp_path, GOOD + "public: {url: 'http://127.0.0.1:6443'}\n"), PROTOCOLS)
    assert local.public == PublicSettings("http://127.0.0.1:6443")
    # A proxy on the same machine may end TLS.
    proxied = read_settings(write(tmp_path, GOOD + "public: {url: 'https://gateway.example.com'}\n"), PROTOCOLS)
    assert proxied.public == PublicSettings("https://gateway.example.com")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("public: {address: 127.0.0.1:6443}", "`public.url` is missing"),
        ("public: {url: 'https://gateway.example.com/x'}", "is no origin"),
        ("public: {url: 'https://g.example', address: 0.0.0.0:6443}", "need TLS beyond loopback"),
        ("public: {url: 'http://127.0.0.1:6443', address: 0.0.0.0:6443}", "in clear"),
        ("public: {url: 'https://g.example', certificate: interpose.yaml}", "both `certificate` and `key`"),
        ("public: {url: 'https://g.example', certificate: no.pem, key: no.pem}", "is no file"),
        (
            "public: {url: 'http://127.0.0.1', certificate: interpose.yaml, key: interpose.yaml}",
            "begins with `https://`",
        ),
        ("public: {uri: 'https://g.example'}", "unknown key `public.uri`"),
    ],
)
def test_faults_are_told(text: str, words: str, tmp_path: Path) -> None:
    assert words in problems_of(tmp_path, GOOD + text + "\n")
