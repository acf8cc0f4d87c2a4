"""The options of an SSH connection."""

from __future__ import annotations

import pytest

from interpose.bridges.ssh.options import parse_options
from interpose.model.errors import ConfigurationError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICqmlAL5sOA2zxvcj3PEzzqXDP0/NUhS2N+QoHLKrjMG"


def problems(**raw: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_options(raw)
    return [str(problem) for problem in caught.value.problems]


def test_a_user_and_a_pinned_key() -> None:
    options = parse_options({"user": "deploy", "host_key": f"{KEY} root@web-1"})
    assert (options.user, options.host_keys) == ("deploy", (KEY,))
    assert parse_options({"user": "deploy", "host_key": [KEY, KEY]}).host_keys == (KEY, KEY)


def test_the_folder_in_which_commands_begin() -> None:
    assert parse_options({"user": "deploy", "host_key": KEY, "home": "/home/deploy"}).home == "/home/deploy"
    assert parse_options({"user": "deploy", "host_key": KEY}).home == ""


@pytest.mark.parametrize("home", ["home/deploy", "~", "/home/../deploy", "/home/deploy/", "/a\0b", None, 7, ["/home"]])
def test_what_is_no_folder_is_refused(home: object) -> None:
    assert problems(user="deploy", host_key=KEY, home=home)


def test_every_fault_is_told_at_once() -> None:
    found = problems(usr="deploy", host_key="ssh-ed25519 nonsense!")
    assert len(found) == 3
    assert any("did you mean `user`" in each for each in found)


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        [],
        7,
        "ssh-ed25519",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAICqmlAL5sOA2zxvcj3PEzzqXDP0/NUhS2N+QoHLKrjMG",
        "ssh-dss AAAAB3NzaC1kc3M=",
        f"@cert-authority {KEY}",
    ],
)
def test_what_is_no_key_of_a_host_is_refused(key: object) -> None:
    assert problems(user="deploy", host_key=key)


@pytest.mark.parametrize("user", ["", None, 3, "a\nb"])
def test_what_is_no_account_is_refused(user: object) -> None:
    assert problems(user=user, host_key=KEY)
