"""Runs the steps of a case as a client of bare bytes, and keeps every byte that the client received."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from tests.support.leak_cases import Case, Step
from tests.support.raw_postgres import SYNC, Message, RawClient, errors, fields, frame, query, startup

_DESCRIBE_PORTAL: Final = frame(b"D", b"P\0")
_USABLE: Final = b"select 40 + 2 as usable"


class DroppedError(AssertionError):
    """The session was closed where an answer was due."""


class Login:
    """Where to log in and as whom."""

    def __init__(self, port: int, user: str, database: str, password: str) -> None:
        """`database` is the connection's name when the port is a gateway's."""
        self.port = port
        self.user = user
        self.database = database
        self.password = password
        self.kept: RawClient | None = None

    def open(self, parameters: Mapping[str, str]) -> tuple[RawClient, list[Message]]:
        """A session, and what it said up to ready (or up to its end)."""
        client = RawClient(self.port)
        client.send(startup({"user": self.user, "database": self.database, **parameters}))
        said: list[Message] = []
        while (message := client.message()) is not None:
            said.append(message)
            if message[0] == b"R" and message[1][:4] == b"\0\0\0\3":
                client.send(frame(b"p", self.password.encode() + b"\0"))
            if message[0] in b"ZE":
                break
        return client, said


class Told:
    """What a case's sessions were told: every byte, and the messages."""

    def __init__(self, received: bytes, messages: list[Message]) -> None:
        """Of all sessions, the first one's before the second's."""
        self.received = received
        self.messages = messages

    @property
    def errors(self) -> list[dict[str, str]]:
        """The fields of every ErrorResponse."""
        return errors(self.messages)

    @property
    def answer(self) -> list[Message]:
        """What depends on the data: rows, ends, errors, notices, without what differs from run to run."""
        kept: list[Message] = []
        for kind, body in self.messages:
            if kind in b"DCdTn":
                kept.append((kind, body))
            elif kind in (b"E", b"N"):
                told = fields(body)
                # The detail of the gateway's own refusals names the session.
                detail = "" if told.get("D", "").startswith("{") else told.get("D", "")
                kept.append((kind, f"{told.get('C')} {told.get('M')} {detail}".encode()))
            elif kind == b"A":
                kept.append((kind, body[4:]))
            elif kind == b"S" and not body.startswith(b"TimeZone"):
                kept.append((kind, body))
        return kept


class CaseClient:
    """The sessions of one case."""

    def __init__(
        self,
        login: Login,
        case: Case,
        owner: Callable[[str], object],
        signature: Callable[[str], int],
        kept: RawClient | None = None,
    ) -> None:
        """`owner` runs SQL past the gateway; `signature` answers a function's oid; `kept` is a session that goes on after the case."""
        self._login = login
        self._case = case
        self._owner = owner
        self._signature = signature
        self._kept = kept
        self._sessions: dict[str, RawClient] = {} if kept is None else {"first": kept}
        self._messages: dict[str, list[Message]] = {"first": [], "second": []}
        if kept is not None:
            kept.received.clear()
            self._messages["first"].append((b"Z", b"I"))

    def __enter__(self) -> Self:
        """Itself; sessions are opened when a step needs them."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the sessions."""
        for session in self._sessions.values():
            if session is self._kept and error is None:
                continue
            session.send(frame(b"X"))
            session.socket.close()

    def run(self) -> Told:
        """All steps; what is refused does not stop those behind it. A session that may not begin ends the case."""
        for step in self._case.steps:
            if "owner" in step:
                self._owner(str(step["owner"]))
                continue
            name = str(step.get("on", "first"))
            session = self._session(name)
            if session is None:
                break
            session.send(self._bytes(step))
            self._messages[name] += self._answer(session, str(step.get("data", "")))
        received = b"".join(
            bytes(self._sessions[name].received) for name in ("first", "second") if name in self._sessions
        )
        return Told(received, self._messages["first"] + self._messages["second"])

    def usable(self) -> bool:
        """Whether each session still answers, or said in a readable error why it never began or was ended."""
        for name, session in self._sessions.items():
            last = self._messages[name][-1] if self._messages[name] else (b"", b"")
            if last[0] == b"E" and fields(last[1]).get("V") == "FATAL":
                continue
            session.send(query(b"rollback") + query(_USABLE))
            self._answer(session, "")
            answer = self._answer(session, "")
            if not any(kind == b"D" and body.endswith(b"42") for kind, body in answer):
                return False
        return True

    def _session(self, name: str) -> RawClient | None:
        if name not in self._sessions:
            client, said = self._login.open(self._case.startup if name == "first" else {})
            self._sessions[name] = client
            self._messages[name] += said
        last = self._messages[name][-1] if self._messages[name] else (b"", b"")
        return self._sessions[name] if last[0] == b"Z" else None

    def _bytes(self, step: Step) -> bytes:
        if "simple" in step:
            return query(str(step["simple"]).encode())
        if "copy" in step:
            return query(str(step["copy"]).encode())
        if "ext" in step:
            return _extended(str(step["ext"]), step) + SYNC
        if "pipe" in step:
            return b"".join(_extended(text, step) for text in step["pipe"]) + SYNC
        if "bind" in step:
            return _bind(str(step["bind"]), step) + _execute("", step) + SYNC
        if "fetch" in step:
            return _execute(str(step["fetch"]), step) + SYNC
        arguments = [str(value).encode() for value in step.get("args", ())]
        body = struct.pack("!IHH", self._signature(str(step["fast"])), 0, len(arguments))
        body += b"".join(struct.pack("!I", len(value)) + value for value in arguments)
        return frame(b"F", body + struct.pack("!H", 0))

    def _answer(self, session: RawClient, data: str) -> list[Message]:
        found: list[Message] = []
        while (message := session.message()) is not None:
            found.append(message)
            if message[0] == b"Z":
                return found
            if message[0] == b"G":
                session.send((frame(b"d", data.encode()) + frame(b"c")) if data else frame(b"f", b"no data\0"))
        if found and found[-1][0] == b"E" and fields(found[-1][1]).get("V") == "FATAL":
            return found
        raise DroppedError(f"{self._case.id}: the session was closed; it said {found[-3:]}")


def _extended(text: str, step: Step) -> bytes:
    described = _DESCRIBE_PORTAL if step.get("describe", True) else b""
    return frame(b"P", b"\0" + text.encode() + b"\0\0\0") + _bind("", step) + described + _execute("", step)


def _bind(statement: str, step: Step) -> bytes:
    arguments: Sequence[Any] = step.get("args", ())
    body = b"\0" + statement.encode() + b"\0" + struct.pack("!HH", 0, len(arguments))
    for value in arguments:
        data = str(value).encode()
        body += struct.pack("!I", len(data)) + data
    return frame(b"B", body + (b"\0\1\0\1" if step.get("binary") else b"\0\0"))


def _execute(portal: str, step: Step) -> bytes:
    return frame(b"E", portal.encode() + b"\0" + struct.pack("!I", int(step.get("rows", 0))))
