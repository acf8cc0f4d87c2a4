"""The effective search path: reading SHOW's answers, and the gateway's own messages that ask for them.

SHOW takes no snapshot, so asking is safe before SET TRANSACTION. Source: PostgreSQL 17 §5.10.3 and namespace.c.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from interpose.protocols.postgres.messages import Bind, CloseName, Execute, Parse, encode
from interpose.protocols.postgres.relay.names import MAX_NAME
from interpose.protocols.postgres.relay.outstanding import OWN_BIND, OWN_CLOSE, OWN_EXECUTE, OWN_PARSE, Expected
from interpose.protocols.postgres.wire import frame

OWN_PREFIX: Final = "_interpose_"
"""Names that begin so are the gateway's; a client that uses one is refused."""

_NAME: Final = OWN_PREFIX + "session"


def _ask(text: str) -> bytes:
    return b"".join(
        (
            frame(b"P", encode(Parse(_NAME, text, ()))),
            frame(b"B", encode(Bind(_NAME, _NAME, (), (), ()))),
            frame(b"E", encode(Execute(_NAME, 0))),
            frame(b"C", encode(CloseName("P", _NAME))),
            frame(b"C", encode(CloseName("S", _NAME))),
        )
    )


_EXPECTS: Final[tuple[Expected, ...]] = (OWN_PARSE, OWN_BIND, OWN_EXECUTE, OWN_CLOSE, OWN_CLOSE)

ASK_SESSION: Final = _ask("SHOW search_path") + _ask("SHOW role") + _ask("SHOW session_authorization")
"""Asks for the search path, the role and the session user, and leaves nothing behind."""

ASK_SESSION_EXPECTS: Final[tuple[Expected, ...]] = _EXPECTS * 3

ASK_TEMPORARY: Final = _ask("SELECT pg_catalog.pg_my_temp_schema()::pg_catalog.regnamespace::pg_catalog.text")
"""Asks for the session's temporary schema. It takes a snapshot, so it is asked outside of transactions only."""

ASK_TEMPORARY_EXPECTS: Final = _EXPECTS


class SearchPath(NamedTuple):
    """What decides which relation an unqualified name means: the schemas in order, and who looks, since USAGE counts."""

    schemas: tuple[str, ...]
    role: str = ""


ABORT_MESSAGE: Final = frame(
    b"B", encode(Bind(OWN_PREFIX + "abort", OWN_PREFIX + "refused_by_the_gateway", (), (), ()))
)
"""Binds a statement that cannot exist: the upstream answers with an error and aborts its implicit transaction."""

FLUSH: Final = frame(b"H", b"")
SYNC_MESSAGE: Final = frame(b"S", b"")
TERMINATE: Final = frame(b"X", b"")


def _truncated(name: str) -> str:
    return name.encode()[:MAX_NAME].decode(errors="ignore")


def _ascii_lower(name: str) -> str:
    """Folding as the server does it for unquoted names in a UTF-8 database: ASCII letters only."""
    return "".join(chr(ord(character) + 32) if "A" <= character <= "Z" else character for character in name)


def split_identifiers(text: str) -> list[str] | None:
    """The names in a `search_path` value, folded and unquoted; None when the text is not well formed (SplitIdentifierString)."""
    names: list[str] = []
    position, size = 0, len(text)
    spaces = " \t\n\r\f\v"
    while position < size and text[position] in spaces:
        position += 1
    if position == size:
        return names
    while True:
        if text[position : position + 1] == '"':
            name, position = "", position + 1
            while True:
                end = text.find('"', position)
                if end < 0:
                    return None
                name += text[position:end]
                position = end + 1
                if text[position : position + 1] != '"':
                    break
                name += '"'
                position += 1
        else:
            start = position
            while position < size and text[position] not in spaces and text[position] != ",":
                position += 1
            if position == start:
                return None
            name = _ascii_lower(text[start:position])
        names.append(_truncated(name))
        while position < size and text[position] in spaces:
            position += 1
        if position == size:
            return names
        if text[position] != ",":
            return None
        position += 1
        while position < size and text[position] in spaces:
            position += 1


def effective_path(search_path: str, role: str, session_user: str, own_schema: str = "") -> SearchPath | None:
    """The schemas that an unqualified name is looked up in, in order, the implied ones in front; None when that is not known.

    `role` is what `SHOW role` answers: `none` means the session user. `own_schema` is the session's temporary schema as it answers (`-`:
    it has none). Schemas that do not exist are harmless in it.
    """
    names = split_identifiers(search_path)
    if names is None:
        return None
    current = role if role not in ("", "none") else session_user
    path: list[str] = []
    for name in names:
        schema = current if name == "$user" else name
        if name == "$user" and not schema:
            return None
        if schema and schema not in path:
            path.append(schema)
    if "pg_catalog" not in path:
        path.insert(0, "pg_catalog")
    if "pg_temp" not in path:
        path.insert(0, "pg_temp")
    if own_schema.startswith("pg_temp_"):
        path = [own_schema if schema == "pg_temp" else schema for schema in path]
    return SearchPath(tuple(path), current)
