"""OCSF objects."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from interpose.model.audit import AuditKind
from interpose.recording.ocsf import ocsf_event, ocsf_line
from tests.unit.recording.test_cef import entry


def of(kind: str, **fields: object) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(ocsf_line(entry(kind, **fields), "0.1")))


@pytest.mark.parametrize("kind", list(AuditKind))
def test_every_kind_has_the_base_attributes(kind: AuditKind) -> None:
    event = of(kind.value)
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    assert event["category_uid"] == event["class_uid"] // 1000
    assert event["time"] == 1_790_000_000_123
    assert {"severity_id", "status_id", "metadata", "actor"} <= event.keys()


def test_a_refused_command_is_blocked() -> None:
    event = of("command.decided", decision="forbid", reason="not_permitted", connection="orders")
    assert (event["class_uid"], event["activity_id"]) == (6005, 4)
    assert (event["status_id"], event["disposition_id"], event["action_id"]) == (2, 2, 2)
    assert event["status_detail"] == "not_permitted"
    assert event["database"]["name"] == "orders"
    assert event["actor"]["user"] == {"name": "alice", "type": "User"}


def test_a_permitted_command_is_allowed() -> None:
    event = of("command.decided", decision="permit")
    assert (event["status_id"], event["disposition_id"]) == (1, 1)


def test_a_held_command_is_neither() -> None:
    event = of("command.decided", decision="hold")
    assert (event["action_id"], event["disposition"]) == (99, "Held")


def test_a_command_that_failed_was_not_blocked() -> None:
    event = of("command.ended", outcome="error")
    assert event["status_id"] == 2
    assert "disposition_id" not in event


def test_a_failed_login() -> None:
    event = of("login.failed", claimed_name="mallory", source="192.0.2.7")
    assert (event["class_uid"], event["status_id"], event["user"]["name"]) == (3002, 2, "mallory")
    assert event["src_endpoint"]["ip"] == "192.0.2.7"


def test_nothing_of_the_event_is_lost() -> None:
    fields = {"policies": ("a", "b"), "rows": 3, "note": "x\ny"}
    unmapped = cast("dict[str, Any]", ocsf_event(entry("command.decided", **fields), "0.1")["unmapped"])
    assert {name: unmapped[name] for name in fields} == fields
