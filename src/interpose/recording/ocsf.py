"""Audit events in the Open Cybersecurity Schema Framework (OCSF 1.3), one JSON object each.

Commands, sessions, approvals and recordings are Datastore Activity (class 6005); logins are Authentication (3002); the gateway's own start
and stop are Application Lifecycle (6002); tokens, secrets, snapshots and administration are Entity Management (3004).
What OCSF has no place for goes under `unmapped`, complete. `type_uid = class_uid * 100 + activity_id`.
"""

from __future__ import annotations

from typing import Final

from interpose.recording.canonical import JsonValue, canonical
from interpose.recording.chain import Entry

SCHEMA_VERSION: Final = "1.3.0"

_DATASTORE, _AUTHENTICATION, _LIFECYCLE, _ENTITY = 6005, 3002, 6002, 3004
_OTHER: Final = 99

_CLASSES: Final[dict[str, tuple[int, int, str]]] = {
    "gateway.started": (_LIFECYCLE, 3, "Start"),
    "gateway.stopped": (_LIFECYCLE, 4, "Stop"),
    "snapshot.loaded": (_ENTITY, 3, "Update"),
    "snapshot.rejected": (_ENTITY, 3, "Update"),
    "login.failed": (_AUTHENTICATION, 1, "Logon"),
    "session.opened": (_DATASTORE, 3, "Connect"),
    "command.decided": (_DATASTORE, 4, "Query"),
    "command.ended": (_DATASTORE, 4, "Query"),
    "recording.read": (_DATASTORE, 1, "Read"),
    "token.created": (_ENTITY, 1, "Create"),
    "bootstrap.issued": (_ENTITY, 1, "Create"),
    "bootstrap.redeemed": (_AUTHENTICATION, 1, "Logon"),
    "bootstrap.refused": (_AUTHENTICATION, 1, "Logon"),
    "token.shortened": (_ENTITY, 3, "Update"),
    "delegation.refused": (_AUTHENTICATION, 1, "Logon"),
    "tls.renewed": (_ENTITY, 3, "Update"),
    "tls.rejected": (_ENTITY, 3, "Update"),
    "certificate.issued": (_ENTITY, 1, "Create"),
    "certificate.revoked": (_ENTITY, 4, "Delete"),
    "token.revoked": (_ENTITY, 4, "Delete"),
    "principal.learned": (_ENTITY, 3, "Update"),
    "principal.disabled": (_ENTITY, 3, "Update"),
    "principal.enabled": (_ENTITY, 3, "Update"),
    "principal.forgotten": (_ENTITY, 4, "Delete"),
    "secret.read": (_ENTITY, 2, "Read"),
    "secret.changed": (_ENTITY, 3, "Update"),
    "administered": (_ENTITY, 3, "Update"),
}
_CLASS_NAMES: Final = {
    _DATASTORE: "Datastore Activity",
    _AUTHENTICATION: "Authentication",
    _LIFECYCLE: "Application Lifecycle",
    _ENTITY: "Entity Management",
}
_CATEGORIES: Final = {3: "Identity & Access Management", 6: "Application Activity"}


def ocsf_event(entry: Entry, version: str) -> dict[str, JsonValue]:
    """One audit event as an OCSF object; `version` is the gateway's."""
    class_uid, activity_id, activity = _CLASSES.get(entry.kind, (_DATASTORE, _OTHER, entry.kind))
    category = class_uid // 1000
    event: dict[str, JsonValue] = {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": category,
        "category_name": _CATEGORIES[category],
        "class_uid": class_uid,
        "class_name": _CLASS_NAMES[class_uid],
        "type_uid": class_uid * 100 + activity_id,
        "time": entry.ts // 1000,
        "message": entry.kind,
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": {"name": "Interpose", "vendor_name": "Interpose", "version": version},
            "uid": f"{entry.node}-{entry.boot}:{entry.seq}",
            "sequence": entry.seq,
            "log_name": f"{entry.node}-{entry.boot}",
        },
        "actor": _actor(entry),
        "src_endpoint": {"ip": str(entry.fields.get("source") or "")},
        "dst_endpoint": {"hostname": str(entry.fields.get("connection") or "")},
        "unmapped": {"chain_prev": entry.prev, **entry.fields},
    }
    if class_uid == _DATASTORE:
        event["database"] = {"name": str(entry.fields.get("connection") or ""), "type": "Other", "type_id": _OTHER}
        event["type_id"] = 1
    if class_uid == _AUTHENTICATION:
        event["user"] = {"name": str(entry.fields.get("claimed_name") or "")}
    if class_uid == _ENTITY:
        event["entity"] = {"name": str(entry.fields.get("name") or entry.kind), "type": entry.kind.partition(".")[0]}
    if class_uid == _LIFECYCLE:
        event["app"] = {"name": "Interpose", "vendor_name": "Interpose", "version": version}
    return {**event, **_verdict(entry)}


def ocsf_line(entry: Entry, version: str) -> bytes:
    """One audit event as one line of JSON with its line end."""
    return canonical(ocsf_event(entry, version)) + b"\n"


def _actor(entry: Entry) -> JsonValue:
    kind, _, name = entry.actor.partition(":")
    session: dict[str, JsonValue] = {"uid": entry.session} if entry.session else {}
    return {"user": {"name": name or kind, "type": kind if name else ""}, "session": session}


def _verdict(entry: Entry) -> dict[str, JsonValue]:
    """Severity, status and disposition. A refusal is `Blocked`; a failed command was allowed and failed."""
    decision = entry.fields.get("decision")
    refused = entry.kind in ("login.failed", "snapshot.rejected", "tls.rejected") or decision == "forbid"
    failed = refused or entry.fields.get("outcome") in ("error", "cut")
    verdict: dict[str, JsonValue] = {
        "severity_id": 3 if refused else 1,
        "severity": "Medium" if refused else "Informational",
        "status_id": 2 if failed else 1,
        "status": "Failure" if failed else "Success",
    }
    if refused or decision is not None:
        if decision == "hold":
            action, disposition = (_OTHER, "Held"), (_OTHER, "Held")
        else:
            action, disposition = ((2, "Denied"), (2, "Blocked")) if refused else ((1, "Allowed"), (1, "Allowed"))
        verdict["action_id"], verdict["action"] = action
        verdict["disposition_id"], verdict["disposition"] = disposition
    reason = entry.fields.get("reason")
    if isinstance(reason, str) and reason:
        verdict["status_detail"] = reason
    return verdict
