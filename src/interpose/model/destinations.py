"""Where a forward leads or listens: one spelling for each host, and what kind of place it is.

A host that is an address has many spellings (`127.1`, `0x7f.0.0.1`, `2130706433`, `::ffff:127.0.0.1`): all of them become the same text
before anything is judged, and that text is what is sent. A name stays a name: which address it has is known to whoever resolves it.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_LABELS: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
_OCTAL: Final = re.compile(r"0[0-7]*")
_ZONE: Final = re.compile(r"[A-Za-z0-9_.-]{1,15}")
_LONGEST: Final = 253
_TRANSLATED: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""IPv6 addresses that stand for the IPv4 address in their last four bytes: translated (RFC 6052) and compatible ones (RFC 4291)."""

_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")

_METADATA: Final = frozenset(
    {
        IPv4Address("169.254.169.254"),
        IPv4Address("169.254.170.2"),
        IPv4Address("169.254.170.23"),
        IPv4Address("100.100.100.200"),
        IPv4Address("168.63.129.16"),
        IPv4Address("192.0.0.192"),
        IPv6Address("fd00:ec2::254"),
        IPv6Address("fd00:ec2::23"),
        IPv6Address("fd20:ce::254"),
    }
)
_METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})

DESTINATION_KINDS: Final = (
    "name",
    "loopback",
    "metadata",
    "link_local",
    "private",
    "public",
    "multicast",
    "any",
    "socket",
)
"""What a place can be. `name` is a host name whose address the gateway does not know."""


def canonical_host(text: str) -> str | None:
    """The one spelling of a host: an address in its shortest form, or a name in lower case without a last dot; None for what is neither.

    A name may not end in a number, which every resolver reads in its own way, and has ASCII letters only.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in bare:
        return _ipv6(bare)
    name = bare.lower().removesuffix(".")
    if not name.isascii() or len(name) > _LONGEST or not _LABELS.fullmatch(name):
        return None
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _ipv4(name)
    return name


def canonical_listener(text: str) -> str | None:
    """The one spelling of where to listen: `*` for every address (RFC 4254 §7.1 writes that as empty text), else as `canonical_host`."""
    return "*" if text in ("", "*") else canonical_host(text)


def is_address(host: str) -> bool:
    """Whether a canonical host is an address and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def kind_of_host(host: str, *, listens: bool = False) -> str:
    """What kind of place a canonical host is. The address of no host in particular means this one to who connects, and all to who listens."""
    if host == "*":
        return "any"
    try:
        address = ip_address(host)
    except ValueError:
        if host == "localhost" or host.endswith((".localhost", ".localdomain")):
            return "loopback"
        return "metadata" if host in _METADATA_NAMES else "name"
    if isinstance(address, IPv6Address):
        if address.scope_id is None and address in _METADATA:
            return "metadata"
        if address not in (IPv6Address("::"), IPv6Address("::1")) and any(address in net for net in _TRANSLATED):
            address = IPv4Address(int(address) & 0xFFFF_FFFF)
    return _kind(address, listens)


def _kind(address: IPv4Address | IPv6Address, listens: bool) -> str:
    if address in _METADATA:
        return "metadata"
    if address.is_unspecified or (isinstance(address, IPv4Address) and address in _THIS_NETWORK):
        return "any" if listens else "loopback"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link_local"
    if address.is_multicast:
        return "multicast"
    return "public" if address.is_global else "private"


def _ipv4(text: str) -> str | None:
    """As `inet_aton` reads it: one to four numbers, each decimal, octal or hexadecimal, the last one filling what is left."""
    parts = text.split(".")
    if len(parts) > 4:
        return None
    numbers = []
    for part in parts:
        if not _NUMBER.fullmatch(part) or (part.startswith("0x") and len(part) == 2):
            return None
        if part.startswith("0x"):
            numbers.append(int(part, 16))
        elif part.startswith("0") and not _OCTAL.fullmatch(part):
            return None
        else:
            numbers.append(int(part, 8 if part.startswith("0") else 10))
    *heads, last = numbers
    if any(head > 255 for head in heads) or last >= 256 ** (4 - len(heads)):
        return None
    value = last + sum(head << (8 * (3 - place)) for place, head in enumerate(heads))
    return str(IPv4Address(value))


def _ipv6(text: str) -> str | None:
    address, percent, zone = text.partition("%")
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return None
    if percent and not _ZONE.fullmatch(zone):
        return None
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    # A zone says something of link-local addresses only.
    return f"{parsed}%{zone}" if percent and parsed.is_link_local else str(parsed)
