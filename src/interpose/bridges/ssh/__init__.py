"""SSH, on asyncssh: the gateway is a server to its clients and a client to its upstreams, and judges every request in between.

This module loads no part that needs the library or a grammar, so that whatever only reads the configuration does not load it.
"""

from __future__ import annotations

from typing import Final

from interpose.bridges.ssh.options import SshOptions, parse_options
from interpose.protocols.contract import Abilities, Analyst, BridgeSpec


def _analyst() -> Analyst:
    from interpose.analysis.shell.analyst import ShellAnalyst

    return ShellAnalyst()


SPEC: Final = BridgeSpec(
    name="ssh",
    abilities=Abilities(hold=True, mask=False, cancel=True, notices=True),
    default_port=22,
    listener_port=2222,
    parse_options=parse_options,
    analyst=_analyst,
)
"""SSH."""

__all__ = ["SPEC", "SshOptions"]
