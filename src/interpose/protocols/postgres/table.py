"""The message table: what the relay does with each type of message that a client can send (PostgreSQL 17 §53.7).

INVARIANT: a type that is absent is refused, whatever its bytes say.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from interpose.protocols.intents import MessageRule, Treatment

MESSAGE_TABLE: Final[Mapping[bytes, MessageRule]] = MappingProxyType(
    {
        b"Q": MessageRule("Query", Treatment.COMMAND),
        b"P": MessageRule("Parse", Treatment.COMMAND),
        b"E": MessageRule("Execute", Treatment.COMMAND),
        b"B": MessageRule(
            "Bind", Treatment.CONTROL, "makes a portal from a statement that was judged at Parse; runs at Execute"
        ),
        b"D": MessageRule(
            "Describe", Treatment.CONTROL, "asks for the types of what was judged at Parse; runs nothing"
        ),
        b"C": MessageRule("Close", Treatment.CONTROL, "forgets a statement or portal; runs nothing"),
        b"H": MessageRule("Flush", Treatment.CONTROL, "asks for answers that are due anyway"),
        b"S": MessageRule("Sync", Treatment.CONTROL, "ends a batch; what it commits was judged"),
        b"X": MessageRule("Terminate", Treatment.CONTROL, "ends the session"),
        b"d": MessageRule("CopyData", Treatment.PART, "rows of the COPY that was judged"),
        b"c": MessageRule("CopyDone", Treatment.PART, "the end of the COPY that was judged"),
        b"f": MessageRule("CopyFail", Treatment.PART, "gives up the COPY that was judged"),
        b"F": MessageRule(
            "FunctionCall", Treatment.REFUSED, "calls by function number carry no statement that could be judged"
        ),
        b"p": MessageRule("PasswordMessage", Treatment.REFUSED, "the login is over"),
    }
)
"""One row for each frontend message type of protocol 3.0 and 3.2 that can follow a startup."""
