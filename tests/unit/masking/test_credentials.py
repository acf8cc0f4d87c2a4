"""Credentials by their form: what is one, what only looks like one, and that no more is hidden than the secret."""

import pytest

from interpose.masking.detect import detect
from interpose.masking.patterns import API_KEY, PASSWORD


def found(text: str, data_class: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text) if each.data_class == data_class]


KEYS = [
    "ghp_" + "a1B2c3" * 6,
    "github_pat_" + "A1" * 11 + "_" + "b2" * 29 + "c",
    "glpat-" + "a1" * 10,
    "xoxb-1234567890-abcDEF1234",
    "AIza" + "a1-_b" * 7,
    "sk_live_" + "a1" * 12,
    "npm_" + "a1" * 18,
    "SG." + "a" * 22 + "." + "b" * 43,
    "sk-proj-" + "a1" * 20,
    "hooks.slack.com/services/T12345678/B12345678/" + "a1" * 12,
]


@pytest.mark.parametrize("key", KEYS)
def test_keys(key: str) -> None:
    assert found(f'token: "{key}".', API_KEY) == [key]


@pytest.mark.parametrize(
    "text",
    ["xghp_" + "a1B2c3" * 6, "ghp_short", "ghp_" + "a1B2c3" * 7, "xoxb-some-words-only", "sk-proj-" + "word-" * 10],
)
def test_what_is_no_key(text: str) -> None:
    assert found(text, API_KEY) == []


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgres://app:s3cret@db.example:5432/x", "s3cret"),
        ("mongodb+srv://u:a:b!c@cluster0.example.net", "a:b!c"),
        ("redis://:hunter2@cache/0", "hunter2"),
        ("host=db password=hunter2 user=x", "hunter2"),
        ("Server=x;Pwd='two words no'", ""),
        ('PASSWORD="hunter2"', "hunter2"),
        ("https://x/?user=a&password=hunter2&b=c", "hunter2"),
    ],
)
def test_passwords_without_what_stands_around_them(text: str, secret: str) -> None:
    assert found(text, PASSWORD) == ([secret] if secret else [])


@pytest.mark.parametrize(
    "text",
    [
        "postgres://app:${PW}@db/x", "password=***", "password=<yours>", "pwd=$PGPASSWORD", "password={{ vault }}", "password=null",
        "https://example.com:8443/a@b", "the password is not here", "http://a:b c@d",
    ],
)  # fmt: skip
def test_placeholders_and_other_urls(text: str) -> None:
    assert found(text, PASSWORD) == []


def test_a_url_with_a_password_is_no_address() -> None:
    assert [each.data_class for each in detect("postgres://app:s3$cret@db.example.com/x")] == [PASSWORD]
