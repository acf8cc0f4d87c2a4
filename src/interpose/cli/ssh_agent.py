"""The running ssh-agent, to which a key is handed. Knows the socket and the frame of a message; source: draft-miller-ssh-agent §3."""

from __future__ import annotations

import os
import socket
from typing import Final

from interpose.model.errors import ClientError

_SUCCESS: Final = b"\0\0\0\1\6"
_LIST: Final = b"\x0b"
_SECONDS: Final = 30.0


def check_agent() -> None:
    """Whether an agent answers, before there is a key for it; raises `ClientError`."""
    _ask(_LIST, 1)


def add_to_agent(request: bytes) -> None:
    """Send a message that adds a key; raises `ClientError` when there is no agent, or when it will not take the key."""
    if _ask(request, len(_SUCCESS)) != _SUCCESS:
        raise ClientError(
            "the ssh-agent did not take the certificate",
            hint="some agents take no certificates or no limited lifetime: write files with `--out`",
        )


def _ask(request: bytes, size: int) -> bytes:
    """The first `size` bytes of the agent's answer."""
    path = os.environ.get("SSH_AUTH_SOCK")
    if not path:
        raise ClientError(
            "there is no ssh-agent: SSH_AUTH_SOCK is not set",
            hint="start one with `eval $(ssh-agent)`, or write files with `--out`",
        )
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            agent.settimeout(_SECONDS)
            agent.connect(path)
            agent.sendall(len(request).to_bytes(4, "big") + request)
            answer = b""
            while len(answer) < size and (more := agent.recv(size - len(answer))):
                answer += more
            if not answer:
                raise ConnectionAbortedError("it closed the connection")
    except OSError as error:
        raise ClientError(
            "the ssh-agent does not answer", detail=f"{path}: {error}", hint="or write files with `--out`"
        ) from error
    return answer
