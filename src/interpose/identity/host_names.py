"""The names of hosts as certificates carry them. Knows no cryptography, so that checking a configuration loads none."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from interpose.model.errors import ClientError

_HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


def host_name(text: str) -> str:
    """A host's name or address in the one form that certificates have; raises `ClientError` for patterns and everything else."""
    name = text.lower().removesuffix(".")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if _HOST.fullmatch(name):
            return name
    raise ClientError(
        f"`{text[:80]}` is no name of a host", hint="write `gateway.example.com`, without a port or pattern"
    )
