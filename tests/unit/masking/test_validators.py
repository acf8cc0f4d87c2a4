"""Validators: what is what it looks like, and what only looks so."""

import pytest

from interpose.masking.detect import detect
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.validators import OVERLAPPING, VALIDATORS, luhn

AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

FOUND = [
    ("pii.email", "ada@example.com", "write to <{}>, please."),
    ("pii.email", "ada.lovelace+news@mail.example.co.uk", "email={};"),
    ("pii.email", "ünal@bücher.example", "{}"),
    ("pii.email", "o'brien@example.org", "'{}'"),
    ("pii.email", "ada@example.xn--p1ai", "({})"),
    ("pci.card", "4111111111111111", "card {}"),
    ("pci.card", "4111 1111 1111 1111", "order 12 {} 09/27"),
    ("pci.card", "3782-822463-10005", "{}"),
    ("pci.card", "30569309025904", "({})"),
    ("pci.card", "6 0 1 1 1 1 1 1 1 1 1 1 1 1 1 7", "{}"),
    ("pci.card", "5555555555554444", "PAN{}"),
    ("pii.ssn", "078-05-1120", "ssn: {}."),
    ("pii.ssn", "078 05 1120", "{}"),
    ("pii.ssn", "078051120", "SSN={}"),
    ("pii.iban", "GB82 WEST 1234 5698 7654 32", "to {} today"),
    ("pii.iban", "DE89370400440532013000", "{}"),
    ("pii.iban", "de89370400440532013000", "iban={}"),
    ("pii.phone", "+49 170 1234567", "call {} now"),
    ("pii.phone", "+14155552671", "tel:{}"),
    ("pii.phone", "(415) 555-2671", "order 4711 {}"),
    ("pii.phone", "415-555-2671", "1-{}"),
    ("pii.phone", "0049 170 1234567", "{}"),
    ("secret.jwt", JWT, "Bearer {}"),
    ("secret.aws_key", "AKIAIOSFODNN7EXAMPLE", "Credential={}/20130524/us-east-1"),
    ("secret.aws_key", AWS_SECRET, "aws_secret_access_key = {}"),
    ("secret.aws_key", AWS_SECRET, "{}"),
    ("secret.private_key", "-----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY-----", "key:\n{}\n"),
    ("secret.private_key", "-----BEGIN PRIVATE KEY-----\nMHc=", "{}"),
    ("secret.private_key", "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 8", "{}"),
]


@pytest.mark.parametrize(("data_class", "value", "around"), FOUND)
def test_found(data_class: str, value: str, around: str) -> None:
    text = around.format(value)
    assert [(text[f.start : f.end], f.data_class) for f in detect(text)] == [(value, data_class)]


@pytest.mark.parametrize(
    "text",
    [
        "ada@localhost",
        "icon@2x.png",
        "@example.com",
        "a***@e***.com",
        "4111111111111112",
        "a4111111111111111b",  # part of a longer hexadecimal word
        "0.4111111111111111",
        "41111111111111114111111111111111",
        "1234567890123452",  # Luhn, but no issuer
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-4567",
        "123-45-0000",
        "2024-123-45-6789",
        "078051120",
        "GB82 WEST 1234 5698 7654 33",
        "ZZ82WEST12345698765432",
        "+999 170 1234567",
        "+02:00",
        "211-555-2671",  # N11
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJ0eXAiOiJKV1QifQAAAA.e30.x",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "the secret is da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "550e8400-e29b-41d4-a716-446655440000",
        "2024-05-06 12:34:56.789012+02",
        "-----BEGIN PUBLIC KEY-----\nMHc=\n-----END PUBLIC KEY-----",
        "192.168.100.200 10.0.0.1:5432",
    ],
)
def test_not_found(text: str) -> None:
    assert detect(text) == []


def test_luhn() -> None:
    assert luhn("79927398713")
    assert not luhn("79927398710")


def test_every_class_has_a_validator() -> None:
    assert set(VALIDATORS) == set(CONTENT_CLASSES) > OVERLAPPING
