"""The names of hosts as certificates carry them: one form, no patterns."""

from __future__ import annotations

import pytest

from interpose.identity.host_names import host_name
from interpose.model.errors import ClientError


@pytest.mark.parametrize("name", ["", "*", "*.example.com", "gateway:22", "a b", "-a", "a,b", "x" * 64, "example..com"])
def test_what_is_no_name_of_a_host_is_refused(name: str) -> None:
    with pytest.raises(ClientError):
        host_name(name)


@pytest.mark.parametrize(
    ("text", "name"), [("Gateway.Example.com.", "gateway.example.com"), ("2001:DB8::0:1", "2001:db8::1")]
)
def test_a_name_has_one_form(text: str, name: str) -> None:
    assert host_name(text) == name
