"""What the gateway says to people in an SSH session: one line each, on standard error, with nothing in it that a terminal obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import asyncssh

from interpose.model.refusal import Refusal
from interpose.recording.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interpose.model.refusal import ConfirmationNotice, HoldNotice

REFUSED_STATUS: Final = 126
"""Exit status of what the gateway refuses: "found, but not run", as a shell has it."""

FAILED_STATUS: Final = 255
"""Exit status of what could not be begun or was cut: as OpenSSH's own for a connection that failed."""

CANCELLED: Final = Refusal(
    "cancelled", "the command was cancelled before it was sent", "nothing of it ran; send it again if you still want it"
)
UPSTREAM_GONE: Final = Refusal(
    "upstream_error",
    "the host closed the connection",
    "what ran there may have been cut in the middle; look before you repeat it",
)
NOT_MASKABLE: Final = Refusal(
    "unmaskable",
    "policy hides values in what this host shows you, and files and tunnels cannot be masked",
    "show it by a command, such as `cat`: its output is masked",
)
EMPTY: Final = Refusal("unanalysable", "the command is empty", "leave it out for a shell")
NOT_TEXT: Final = Refusal("unanalysable", "the command is not valid UTF-8", "write it in UTF-8")
NO_DESTINATION: Final = Refusal(
    "unanalysable", "the host of the forward is neither an address nor a name", "name one host, in ASCII"
)
NOT_LENT: Final = Refusal(
    "upstream_error", "the host does not take the agent or display", "it is permitted; ask whoever runs the host"
)
LOGIN_TOO_OLD: Final = Refusal(
    "deadline", "no connection was chosen in time", "log in again, and name one: `ssh you+connection@gateway`"
)
NOT_ENTERED: Final = Refusal(
    "deadline", "nobody pressed Enter in time here after the login was confirmed", "connect again, and confirm again"
)
ONE_CODE: Final = Refusal("too_many_attempts", "one connection is given one code", "connect again for another one")
TOO_SLOW: Final = Refusal("deadline", "logging in took too long", "connect again")
NO_ROOM: Final = Refusal("too_many_pending", "too many clients are logging in at this moment", "connect again soon")
BUSY: Final = Refusal(
    "too_many_pending", "too many sessions are being opened at this host at this moment", "connect again soon"
)
NOT_CHOSEN: Final = Refusal("no_connection", "no connection was chosen", "name one: `ssh you+connection@gateway`")
FAULT: Final = Refusal("internal_error", "internal error in the gateway", "connect again, and report it")


_MOST_NAMES: Final = 20
_UNREACHABLE: Final = frozenset(
    {"upstream_error", "host_key_mismatch", "credential_unavailable", "internal_error", "store_unavailable"}
)


def status_of(refusal: Refusal) -> int:
    """The exit status that a refusal is told with."""
    return FAILED_STATUS if refusal.code in _UNREACHABLE else REFUSED_STATUS


def forward_failed(error: Exception) -> Refusal:
    """A permitted forward that the host could not open."""
    reason = error.reason if isinstance(error, asyncssh.ChannelOpenError) else "the connection was lost"
    return Refusal("upstream_error", f"the host could not connect: {reason[:200]}", "it is permitted; try again")


def listen_failed(reason: str) -> Refusal:
    """A permitted port or socket that the host does not listen on."""
    return Refusal("upstream_error", f"remote forward: {reason}", "choose another port or socket")


def unresolved(name: str) -> Refusal:
    """A name that the gateway's resolver does not know."""
    return Refusal("upstream_error", f"the gateway finds no address for `{name}`", "check the name")


def nothing_named(names: Sequence[str]) -> Refusal:
    """The refusal of a command for nobody knows which host."""
    if not names:
        return Refusal("no_connection", "there is no SSH connection that you may use", "ask the gateway's operator")
    shown = ", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
    return Refusal(
        "no_connection",
        "the user name names no connection",
        f"use `ssh you+connection@gateway` or `ssh -J you@gateway connection`; yours are {shown}",
    )


def refusal_line(refusal: Refusal) -> str:
    """`interpose: MESSAGE (policy a; audit 42) - HINT`."""
    about = []
    if refusal.policies:
        about.append(f"policy {', '.join(refusal.policies)}")
    if refusal.approval is not None:
        about.append(f"approval {refusal.approval}")
    if refusal.reference is not None:
        about.append(f"audit {refusal.reference}")
    where = f" ({'; '.join(about)})" if about else ""
    hint = f" - {refusal.hint}" if refusal.hint else ""
    return sanitize(f"interpose: {refusal.message}{where}{hint}")


def hold_line(notice: HoldNotice) -> str:
    """`interpose: held for approval ap-7kq2m: REASON; group dba can approve (1 needed), expires in 15 min - …`."""
    reason = f": {notice.reason}" if notice.reason else ""
    return sanitize(
        f"interpose: held for approval {notice.approval}{reason}; {notice.who} can approve ({notice.count} needed), "
        f"expires in {_span(notice.expires_in)} - an approver can run: interpose approvals approve {notice.approval}"
    )


def confirm_text(notice: ConfirmationNotice, *, token: bool) -> tuple[str, str]:
    """The instruction and the prompt of a login that waits for a browser; `token` when one may be typed instead.

    Programs that ask in a window show the prompt alone, so that one has address and code as well.
    """
    instruction = (
        f"Open {notice.url} in a browser, sign in as `{notice.name}` and enter the code {notice.code} within "
        f"{_span(notice.expires_in)}. Enter the code yourself and give it to nobody."
    )
    other = ", or type an access token" if token else ""
    return sanitize(instruction), sanitize(f"Press Enter when {notice.code} is confirmed at {notice.url}{other}: ")


def said_line(text: str) -> str:
    """`interpose: message from the operators: TEXT`."""
    return sanitize(f"interpose: message from the operators: {text}")


def line_bytes(text: str, *, terminal: bool) -> bytes:
    """A line as it goes to standard error; a terminal that is in raw mode needs the carriage return."""
    return text.encode("utf-8", "backslashreplace") + (b"\r\n" if terminal else b"\n")


def _span(seconds: float) -> str:
    """A duration in words: `15 min`, `40 s`."""
    return f"{round(seconds / 60)} min" if seconds >= 120 else f"{max(0, round(seconds))} s"
