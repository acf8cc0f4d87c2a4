"""Public keys in SSH's form: OpenSSH's own are read, and nothing that is weaker or differently spelled."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from interpose.identity.ssh_keys import LONGEST_BLOB, Fields, MalformedError, packed, read_public_key, read_public_line


def made(folder: Path, kind: str, bits: int = 0) -> str:
    """A public line by OpenSSH."""
    file = folder / f"{kind}{bits}"
    size = ["-b", str(bits)] if bits else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "a comment", "-f", str(file)], check=True)
    return file.with_name(file.name + ".pub").read_text()


@pytest.mark.parametrize(
    ("kind", "bits"), [("ed25519", 0), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 2048)]
)
def test_what_openssh_makes_is_read_and_has_its_fingerprint(tmp_path: Path, kind: str, bits: int) -> None:
    text = made(tmp_path, kind, bits)
    key = read_public_line(text)
    assert text.startswith(key.line + " ")
    shown = subprocess.run(["ssh-keygen", "-l", "-f", "-"], input=text.encode(), capture_output=True, check=True)
    assert shown.stdout.decode().split()[1] == key.fingerprint
    for cut in range(len(key.blob)):
        with pytest.raises(MalformedError):
            read_public_key(key.blob[:cut])
    with pytest.raises(MalformedError, match="left over"):
        read_public_key(key.blob + b"\0")


def test_keys_of_security_keys_are_read() -> None:
    plain = packed(b"sk-ssh-ed25519@openssh.com") + packed(b"k" * 32)
    assert read_public_key(plain + packed(b"ssh:")).kind == "sk-ssh-ed25519@openssh.com"
    with pytest.raises(MalformedError, match="not made for SSH"):
        read_public_key(plain + packed(b"https://example.com"))
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    encoded = point.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    head = packed(b"sk-ecdsa-sha2-nistp256@openssh.com") + packed(b"nistp256")
    assert read_public_key(head + packed(encoded) + packed(b"ssh:")).kind.startswith("sk-ecdsa")


def rsa_blob(bits: int = 2048, exponent: int = 65537, kind: bytes = b"ssh-rsa", pad: bytes = b"\0") -> bytes:
    modulus = rsa.generate_private_key(65537, bits).public_key().public_numbers().n
    e = exponent.to_bytes((exponent.bit_length() + 8) // 8, "big")
    return packed(kind) + packed(e) + packed(pad + modulus.to_bytes(bits // 8, "big"))


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (rsa_blob(1024), "this has 1024"),
        (rsa_blob(exponent=3), "exponent"),
        (rsa_blob(pad=b""), "one form"),
        (rsa_blob(pad=b"\0\0"), "one form"),
        (rsa_blob(kind=b"ssh-dss"), "are not taken"),
        (rsa_blob(kind=b"rsa-sha2-256"), "are not taken"),
        (packed(b"ssh-ed25519") + packed(b"k" * 31), "32 bytes"),
        (packed(b"ssh-ed25519-cert-v01@openssh.com") + packed(b"k" * 32), "are not taken"),
        (packed(b"ecdsa-sha2-nistp256") + packed(b"nistp384") + packed(b"\4" + b"x" * 96), "kind's own"),
        (packed(b"ecdsa-sha2-nistp256") + packed(b"nistp256") + packed(b"\4" + b"x" * 64), "not on its curve"),
        (packed(b"ecdsa-sha2-nistp256") + packed(b"nistp256") + packed(b"\2" + b"x" * 32), "written in full"),
        (packed(b"ssh-\xffed25519"), "ASCII"),
        (b"\xff\xff\xff\xff", "cut off"),
        (b"\0" * (LONGEST_BLOB + 1), "too long"),
        (b"", "cut off"),
    ],
)
def test_other_keys_are_not_taken(blob: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        read_public_key(blob)


def test_a_line_has_one_spelling(tmp_path: Path) -> None:
    kind, text, _ = made(tmp_path, "ed25519").split(" ", 2)
    assert read_public_line(f"{kind} {text}").kind == kind
    broken = [
        f"ssh-rsa {text}",
        f'command="true" {kind} {text}',
        f"{kind} {text[:-1]}",
        f"{kind} {text[:20]}*{text[21:]}",
        f"{kind} {text} comment\n{kind} {text}",
        text,
        "",
        f"{kind} {base64.b64encode(base64.b64decode(text) + b'x').decode()}",
    ]
    for line in broken:
        with pytest.raises(MalformedError):
            read_public_line(line)


def test_a_number_has_one_form() -> None:
    assert Fields(packed(b"\1")).positive() == 1
    for data in (b"", b"\0", b"\x80", b"\0\1"):
        with pytest.raises(MalformedError):
            Fields(packed(data)).positive()
