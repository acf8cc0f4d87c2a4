"""What every SSH client of one worker uses, made once by the wiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interpose.protocols.contract import BrowserLogin

if TYPE_CHECKING:
    from collections.abc import Callable

    from interpose.bridges.ssh.entering import Entrance
    from interpose.bridges.ssh.ports import (
        Confirm,
        Faults,
        Foresight,
        Journal,
        Judge,
        Live,
        Pending,
        StreamRelease,
        Traffic,
    )
    from interpose.bridges.ssh.turns import Turns
    from interpose.engine.ssh_logins import SshLogins
    from interpose.model.principal import Identity


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds on SSH clients. Times in seconds.

    `handshake`: until keys are exchanged, the time counted in which the client is the one to act. `exchanges`: clients whose keys are exchanged
    at one time, a worker. `login`: until the client has proved who it is, or waits for a browser, which has a bound of
    its own; people type. `choice`: from then until a connection is chosen, where the user name named none. `channels`: open on one
    connection. `attempts`: passwords, and `offers`: keys, before the connection is closed. `keepalive`: of silence until either side is asked whether it
    is still there; three times, then it is gone. `write_stall`: in which not a byte went to a client before it is closed.
    """

    handshake: float = 5.0
    exchanges: int = 32
    login: float = 120.0
    choice: float = 60.0
    channels: int = 64
    attempts: int = 6
    offers: int = 24
    keepalive: float = 30.0
    write_stall: float = 120.0


@dataclass(frozen=True, slots=True)
class Parts:
    """Ports and use cases. `choices` answers the SSH connections that an identity may use, for the menu.

    `browser` is the listener's; without `confirm` nobody logs in by one. All listeners share `exchanges`.
    """

    logins: SshLogins
    entrance: Entrance
    gate: Judge
    release: StreamRelease
    foresight: Foresight
    live: Live
    pending: Pending
    exchanges: Turns
    journal: Journal
    faults: Faults
    traffic: Traffic
    choices: Callable[[Identity, str, str], list[str]]
    bounds: Bounds = Bounds()
    browser: BrowserLogin = BrowserLogin.NEVER
    confirm: Confirm | None = None
