"""Audit events in ArcSight's Common Event Format (CEF 0.1), one line each, with the escaping that keeps a line one event.

In the header `\\` and `|` are escaped, in extension values `\\` and `=`; line ends become `\\n`. Other control characters are written out,
so that no recorded text can forge a line, a field or a terminal sequence in the system that reads it.
"""

from __future__ import annotations

from typing import Final

from interpose.model.audit import AuditValue
from interpose.recording.chain import Entry
from interpose.recording.sanitize import sanitize

_HEADER: Final = str.maketrans({"\\": "\\\\", "|": "\\|"})
_VALUE: Final = str.maketrans({"\\": "\\\\", "=": "\\=", "\r": "\\r", "\n": "\\n"})
_SEVERE: Final = {
    "login.failed": 6,
    "snapshot.rejected": 5,
    "tls.rejected": 5,
    "approval.opened": 4,
    "secret.changed": 5,
    "administered": 4,
}


def cef_line(entry: Entry, version: str) -> str:
    """One event as one line without its line end; `version` is the gateway's."""
    header = "|".join(
        part.translate(_HEADER)
        for part in (
            "CEF:0",
            "Interpose",
            "Interpose",
            sanitize(version),
            sanitize(entry.kind),
            sanitize(entry.kind.replace(".", " ")),
            str(_severity(entry)),
        )
    )
    extension = {
        "rt": str(entry.ts // 1000),
        "dvchost": entry.node,
        "externalId": f"{entry.node}-{entry.boot}:{entry.seq}",
        "suser": entry.actor,
        "cs1Label": "session",
        "cs1": entry.session or "",
        **_known(entry),
        "cs2Label": "fields",
        "cs2": ", ".join(f"{name}={_text(value)}" for name, value in sorted(entry.fields.items())),
    }
    return header + "|" + " ".join(f"{key}={_escape(value)}" for key, value in extension.items() if value)


def _known(entry: Entry) -> dict[str, str]:
    """Fields that have a key of their own in CEF."""
    fields = entry.fields
    return {
        "act": _text(fields.get("decision")),
        "outcome": _text(fields.get("outcome")),
        "reason": _text(fields.get("code") or fields.get("reason")),
        "src": _text(fields.get("source")),
        "destinationServiceName": _text(fields.get("connection")),
    }


def _severity(entry: Entry) -> int:
    """0 to 10; a refusal is 5."""
    if entry.fields.get("decision") == "forbid":
        return 5
    return _SEVERE.get(entry.kind, 2)


def _escape(value: str) -> str:
    """An extension's value. Escaped before it is made visible, so that a written-out `\\x1b` stays readable."""
    escaped = value.translate(_VALUE)
    return sanitize(escaped)


def _text(value: AuditValue) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(value) + "]"
    return str(value)
