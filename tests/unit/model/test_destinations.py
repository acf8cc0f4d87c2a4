"""One spelling for each host, and what kind of place it is."""

import pytest

from interpose.model.destinations import DESTINATION_KINDS, canonical_host, canonical_listener, is_address, kind_of_host


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7F.0.0.1",
        "0177.0.0.01",
        "017700000001",
        "127.0.0.1.",
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "[::FFFF:127.0.0.1]",
        "0:0:0:0:0:ffff:7f00:0001",
        "::ffff:127.0.0.1%lo",
    ],
)
def test_an_ipv4_address_has_one_spelling(text: str) -> None:
    assert canonical_host(text) == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("DB.Internal", "db.internal"),
        ("db.internal.", "db.internal"),
        ("localhost.", "localhost"),
        ("[::1]", "::1"),
        ("0:0::1", "::1"),
        ("::1%lo", "::1"),
        ("FE80::0001%eth0", "fe80::1%eth0"),
        ("2001:DB8::00a", "2001:db8::a"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("0", "0.0.0.0"),
    ],
)
def test_other_hosts_have_one_spelling_too(text: str, host: str) -> None:
    assert canonical_host(text) == host
    assert canonical_host(host) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "-a",
        "a b",
        "a\0b",
        "a\n",
        "a/b",
        "a%b",
        "user@a",
        "bücher.example",
        "\uff11\uff12\uff17.0.0.1",
        "127。0。0。1",
        "1.2.3.4.5",
        "256.1.1.1",
        "127.0.0.256",
        "4294967296",
        "08.0.0.1",
        "0x",
        "0x.1",
        "web.127",
        "example.0x7f",
        "::1%",
        "::1% ",
        ":::",
        "[127.0.0.1",
        "[::1",
        "x" * 254,
        "x" * 64,
    ],
)
def test_what_is_no_host(text: str) -> None:
    assert canonical_host(text) is None


@pytest.mark.parametrize(
    ("text", "host"), [("", "*"), ("*", "*"), ("LOCALHOST", "localhost"), ("0", "0.0.0.0"), (" ", None)]
)
def test_where_to_listen(text: str, host: str | None) -> None:
    assert canonical_listener(text) == host


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.8.8.8", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "loopback"),
        ("0.1.2.3", "loopback"),
        ("::", "loopback"),
        ("localhost", "loopback"),
        ("x.localhost", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("::7f00:1", "loopback"),
        ("169.254.169.254", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("metadata.google.internal", "metadata"),
        ("169.254.1.1", "link_local"),
        ("fe80::1%eth0", "link_local"),
        ("10.0.0.1", "private"),
        ("fd12::1", "private"),
        ("100.64.0.1", "private"),
        ("8.8.8.8", "public"),
        ("2a00:1450::1", "public"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("db.internal", "name"),
        ("*", "any"),
    ],
)
def test_kinds(host: str, kind: str) -> None:
    assert kind_of_host(host) == kind
    assert kind in DESTINATION_KINDS


def test_all_addresses_are_any_to_who_listens() -> None:
    assert {kind_of_host(host, listens=True) for host in ("0.0.0.0", "::", "*")} == {"any"}
    assert kind_of_host("127.0.0.1", listens=True) == "loopback"


def test_an_address_is_no_name() -> None:
    assert is_address("10.0.0.1")
    assert is_address("fe80::1%eth0")
    assert not is_address("db")
