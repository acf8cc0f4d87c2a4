"""The form of certificates: what OpenSSH makes is read as OpenSSH shows it, and nothing else is read at all."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interpose.identity.ssh_certificate_form import HOST, USER, is_certificate, option_text, read_certificate
from interpose.identity.ssh_keys import MalformedError, packed, read_public_line
from tests.support.ssh_forge import Forged, names, option

CA = Ed25519PrivateKey.generate()
PLAIN = Forged(Ed25519PrivateKey.generate(), 1000, 2000)


def keygen(*words: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *words], check=True)


@pytest.mark.parametrize(("kind", "bits"), [("ed25519", "256"), ("ecdsa", "384"), ("rsa", "2048")])
def test_what_openssh_signs_is_read(tmp_path: Path, kind: str, bits: int) -> None:
    for name in ("ca", "user"):
        keygen("-t", kind, "-b", bits, "-N", "", "-f", str(tmp_path / name))
    keygen("-s", str(tmp_path / "ca"), "-I", "an id", "-n", "a,b", "-z", "9", "-V", "20260101:20270101",
           "-O", "source-address=192.0.2.0/24", "-O", "no-x11-forwarding", str(tmp_path / "user.pub"))  # fmt: skip
    form = read_certificate(base64.b64decode((tmp_path / "user-cert.pub").read_text().split()[1]))
    assert form.key == read_public_line((tmp_path / "user.pub").read_text())
    assert form.authority == read_public_line((tmp_path / "ca.pub").read_text()).blob
    assert (form.purpose, form.serial, form.key_id, form.principals) == (USER, 9, "an id", ("a", "b"))
    assert option_text(form.options["source-address"]) == "192.0.2.0/24"
    assert "permit-pty" in form.extensions
    assert "permit-X11-forwarding" not in form.extensions
    keygen("-s", str(tmp_path / "ca"), "-h", "-I", "x", str(tmp_path / "user.pub"))
    host = read_certificate(base64.b64decode((tmp_path / "user-cert.pub").read_text().split()[1]))
    assert (host.purpose, host.principals) == (HOST, ())


def test_it_is_cut_nowhere_and_nothing_is_behind_it() -> None:
    blob = PLAIN.signed(CA)
    assert read_certificate(blob).principals == ("alice",)
    for cut in range(len(blob)):
        with pytest.raises(MalformedError):
            read_certificate(blob[:cut])


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (PLAIN.but(behind=b"\0"), "left over"),
        (PLAIN.but(behind_signature=b"\0"), "left over"),
        (PLAIN.but(reserved=b"x"), "reserved"),
        (PLAIN.but(nonce=b""), "nonce"),
        (PLAIN.but(nonce=b"n" * 65), "nonce"),
        (PLAIN.but(principals=b"\0\0\0\x05ali"), "cut off"),
        (PLAIN.but(principals=names(b"alice\0root")), "ASCII"),
        (PLAIN.but(key_id=b"a\nb"), "ASCII"),
        (PLAIN.but(extensions=option(b"permit-pty") + option(b"permit-pty")), "order"),
        (PLAIN.but(options=option(b"z", b"1") + option(b"a", b"1")), "order"),
        (PLAIN.but(options=b"\0\0\0\x01a"), "cut off"),
        (PLAIN.but(kind=b"ssh-ed25519"), "are not taken"),
        (PLAIN.but(kind=b"ssh-dss-cert-v01@openssh.com"), "are not taken"),
        (PLAIN.but(kind=b"ssh-ed25519-cert-v00@openssh.com"), "are not taken"),
        (PLAIN.but(kind=b"ssh-rsa-cert-v01@openssh.com"), "one form"),
        (PLAIN.but(key_id=b"x" * 20_000), "too long"),
    ],
)
def test_other_forms_are_refused(forged: Forged, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        read_certificate(forged.signed(CA))


def test_lengths_that_lie_are_refused() -> None:
    blob = PLAIN.signed(CA)
    lengths, at = [], 0
    while at < len(blob):
        if len(lengths) == 3:
            at += 12  # serial and purpose
        elif len(lengths) == 5:
            at += 16  # both times
        lengths.append(at)
        at += 4 + int.from_bytes(blob[at : at + 4], "big")
    assert len(lengths) == 10
    for at in lengths:
        for lie in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, int.from_bytes(blob[at : at + 4], "big") + 1):
            true = int.from_bytes(blob[at : at + 4], "big")
            if lie != true:
                with pytest.raises(MalformedError):
                    read_certificate(blob[:at] + lie.to_bytes(4, "big") + blob[at + 4 :])


def test_certificates_are_told_by_their_kind() -> None:
    assert is_certificate(PLAIN.signed(CA))
    assert not is_certificate(packed(b"ssh-ed25519") + packed(b"k" * 32))
    assert not is_certificate(b"\0\0")


def test_an_options_text_is_whole() -> None:
    assert option_text(packed(b"a")) == "a"
    for data in (b"", packed(b"a") + b"x", b"\0\0\0\x02a"):
        with pytest.raises(MalformedError):
            option_text(data)
