"""What an operator may set of the network side, with its defaults. Seconds, bytes and counts are a worker's own, not the gateway's."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """Bounds on clients that have not proved who they are.

    `handshake_deadline`: seconds from accept until the evidence is complete, TLS included. `admission_deadline`: seconds for
    proving, admitting and dialling after that. `max_pending`: clients that are not yet admitted, a worker;
    `max_pending_per_address`: the same from one address. Past either, the one that has been silent longest makes room.
    `backlog`: the kernel's queue. `accept_pause`: seconds without accepting after the process ran out of descriptors.
    """

    handshake_deadline: float = 5.0
    admission_deadline: float = 30.0
    max_pending: int = 1024
    max_pending_per_address: int = 256
    backlog: int = 1024
    accept_pause: float = 0.25


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Bounds on a running session.

    `high_water`: bytes kept for a side that does not read before the other side is not read any more. `buffer_high`: bytes that a
    relay keeps while it waits before its source is not read any more. `write_stall`: seconds without progress after which
    a client that does not read is closed. `linger`: seconds that a last word has to arrive before a socket is cut.
    `look_interval`: seconds between looks at a client that is not read, to see whether it left.
    """

    high_water: int = 256 * KIB
    buffer_high: int = 256 * KIB
    write_stall: float = 120.0
    linger: float = 2.0


@dataclass(frozen=True, slots=True)
class DialOptions:
    """Deadlines of dialling, in seconds.

    `connect_timeout`: one address; `dial_deadline`: everything from the name to the end of the upstream's login.
    `cancel_deadline`: a cancel dialogue, connection included. `max_cancels`: cancel dialogues at one time, a worker.
    """

    connect_timeout: float = 5.0
    dial_deadline: float = 15.0
    cancel_deadline: float = 5.0
    max_cancels: int = 64
