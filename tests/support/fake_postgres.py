"""A PostgreSQL server of a few lines, sans-IO: it answers every message as the real one orders its answers, and errors skip to Sync.

Knows no SQL: a text that begins with `select` has rows (`rows`), `error` fails, `begin`, `commit` and `rollback` change the transaction, `set path x` the
search path; `copy in` takes data; anything else is done. Prepared statements and portals are kept as the server keeps them.
"""

from __future__ import annotations

from interpose.protocols.postgres.messages import (
    decode_bind,
    decode_close,
    decode_describe,
    decode_execute,
    decode_parse,
    decode_query,
)
from interpose.protocols.postgres.wire import HEADER
from tests.support.playbook import (
    BOUND,
    CLOSED,
    COPY_IN,
    EMPTY_QUERY,
    NO_DATA,
    PARSED,
    READY,
    columns,
    report,
    row,
    tag,
)


class FakePostgres:
    """One backend. `ran` is every text that was executed, with the search path it ran under."""

    def __init__(self, rows: tuple[tuple[bytes | None, ...], ...] = ((b"1",),)) -> None:
        self.rows = rows
        self.ran: list[tuple[str, str]] = []
        self.path = "public"
        self.status = "I"
        self.statements: dict[str, str] = {}
        self.portals: dict[str, tuple[str, str]] = {}
        self._buffer = b""
        self._skipping = False
        self._copying = False
        self._out = b""
        self._saved = self.path
        self._simple = False
        self.terminated = False

    def receive(self, data: bytes) -> bytes:
        """Bytes from the gateway to bytes for it."""
        self._buffer += data
        self._out = b""
        while len(self._buffer) >= 5:
            kind, length = HEADER.unpack_from(self._buffer)
            if len(self._buffer) < length + 1:
                break
            body, self._buffer = self._buffer[5 : length + 1], self._buffer[length + 1 :]
            self._message(chr(kind), body)
        return self._out

    def _message(self, kind: str, body: bytes) -> None:
        if self._copying and kind in "dcfHS":
            if kind in "cf":
                self._copying = False
                self._out += tag("COPY 1") if kind == "c" else self._fail("57014")
                if self._simple:
                    self._ready()
            return
        if kind in "dcf":
            return
        if kind == "X":
            self.terminated = True
        elif kind == "S":
            self._skipping = False
            self._ready()
        elif kind == "Q" and not self._skipping:
            self._simple = True
            text = decode_query(body).text
            if not self._run(text):
                self._ready()
        elif not self._skipping and kind != "H":
            self._simple = False
            if not self._extended(kind, body):
                self._skipping = True

    def _extended(self, kind: str, body: bytes) -> bool:
        if kind == "P":
            parse = decode_parse(body)
            if parse.name and parse.name in self.statements:
                return self._error("42P05")
            self.statements.pop("", None) if not parse.name else None
            if parse.text.startswith("bad"):
                return self._error("42601")
            self.statements[parse.name] = parse.text
            self._out += PARSED
        elif kind == "B":
            bind = decode_bind(body)
            if bind.statement not in self.statements:
                return self._error("26000")
            if bind.portal and bind.portal in self.portals:
                return self._error("42P03")
            # Planned now, under the path of now, whatever the path is when it runs.
            self.portals[bind.portal] = (self.statements[bind.statement], self.path)
            self._out += BOUND
        elif kind == "D":
            describe = decode_describe(body)
            text = self.statements.get(describe.name)
            if describe.kind == "P":
                text = self.portals.get(describe.name, (None, ""))[0]
            if text is None:
                return self._error("26000" if describe.kind == "S" else "34000")
            self._out += b"t\0\0\0\6\0\0" if describe.kind == "S" else b""
            self._out += self._described(text)
        elif kind == "E":
            execute = decode_execute(body)
            if execute.portal not in self.portals:
                return self._error("34000")
            return not self._run(*self.portals[execute.portal]) or self._copying
        elif kind == "C":
            close = decode_close(body)
            (self.statements if close.kind == "S" else self.portals).pop(close.name, None)
            self._out += CLOSED
        return True

    def _described(self, text: str) -> bytes:
        width = len(self.rows[0]) if self.rows else 1
        return columns(*(f"c{i}" for i in range(width))) if text.startswith("select") else NO_DATA

    def _run(self, text: str, path: str | None = None) -> bool:
        """Execute; True when it failed or takes COPY data (then nothing more is answered yet)."""
        self.ran.append((text, path or self.path))
        if text.startswith("SHOW"):
            value = self.path if text.endswith("search_path") else "none" if text.endswith("role") else "app"
            self._out += row(value.encode()) + tag("SHOW")
        elif "pg_my_temp_schema" in text:
            self._out += row(b"-") + tag("SELECT 1")
        elif not text:
            self._out += EMPTY_QUERY
        elif (self.status == "E" and text != "rollback") or text.startswith(("error", "bad")):
            self._out += self._fail("22012")
            if self._simple:
                self._ready()
            return True
        elif text.startswith("copy in"):
            self._copying = True
            self._out += COPY_IN
            return True
        elif text.startswith("select"):
            if self._simple:
                self._out += self._described(text)
            self._out += b"".join(row(*cells) for cells in self.rows) + tag(f"SELECT {len(self.rows)}")
        else:
            self._settle(text)
            self._out += tag(text.split()[0].upper())
        return False

    def _settle(self, text: str) -> None:
        if text == "begin":
            self.status, self._saved = "T", self.path
        elif text in ("commit", "rollback"):
            if text == "rollback" or self.status == "E":
                self.path = self._saved if self.status != "I" else self.path
            self.status = "I"
            self.portals.clear()
        elif text.startswith("set path "):
            self.path = text.removeprefix("set path ")

    def _error(self, code: str) -> bool:
        self._out += self._fail(code)
        return False

    def _fail(self, code: str) -> bytes:
        if self.status == "T":
            self.status = "E"
        return report(code=code, text=f"failed with {code}")

    def _ready(self) -> None:
        if self.status == "I":
            self.portals.clear()
        self._out += READY[self.status]
