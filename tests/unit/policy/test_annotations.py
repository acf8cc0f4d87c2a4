"""Annotations: what each may say, and what is said about it otherwise."""

from __future__ import annotations

import pytest

from interpose.policy.annotations import parse_ttl
from tests.unit.policy.shop import MASKS, bundle, problems

_FORBID = 'forbid (principal, action == Action::"drop", resource);'
_REVEAL = 'forbid (principal, action == Action::"reveal", resource);'
_PERMIT = "permit (principal, action, resource);"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (_PERMIT, "policy.cedar:1:1: this policy has no `@id`"),
        ('@id("a b") ' + _PERMIT, "`a b` is no policy id"),
        ("@id " + _PERMIT, "`` is no policy id"),
        (
            '@id("a") @aproval("dba") ' + _FORBID,
            "policy.cedar:1:10: unknown annotation `@aproval` (did you mean `@approval`?)",
        ),
        ('@id("a") @approval(" ") ' + _FORBID, "`@approval` is empty"),
        ('@id("a") @approval("dba") ' + _PERMIT, "`@approval` means nothing on a `permit`"),
        ('@id("a") @count("2") ' + _FORBID, "`@count` means nothing without `@approval`"),
        ('@id("a") @approval("dba") @count("0") ' + _FORBID, "`@count` cannot be `0`"),
        ('@id("a") @approval("dba") @count("two") ' + _FORBID, "`@count` cannot be `two`"),
        ('@id("a") @approval("dba") @ttl("15") ' + _FORBID, "`@ttl` cannot be `15`"),
        ('@id("a") @mode("watch") ' + _FORBID, "`@mode` cannot be `watch`"),
        ('@id("a") @mask("blur") ' + _REVEAL, "there is no transform `blur` (did you mean `redact`?)"),
        ('@id("a") @mask("redact") ' + _FORBID, "`@mask` means nothing here"),
        ('@id("a") @max_rows("5") ' + _FORBID, "`@max_rows` means nothing on a `forbid`"),
        ('@id("a") @max_rows("-5") ' + _PERMIT, "`@max_rows` cannot be `-5`"),
        ('@id("a") @id("b") ' + _PERMIT, "duplicate annotation"),
    ],
)
def test_faults(text: str, complaint: str) -> None:
    found = problems(text)
    assert any(complaint in each for each in found), found


def test_a_rule_says_what_its_annotations_say() -> None:
    *_, rule = bundle(
        '\n@id("a") @description("d") @reason("r") @hint("h") @approval("dba") @count("2") @ttl("1h") @mode("observe") '
        + _FORBID
    ).rules
    assert (rule.id, rule.description, rule.reason, rule.hint, rule.observes) == ("a", "d", "r", "h", True)
    assert (rule.file, rule.line, rule.permits) == ("policy.cedar", 2, False)
    assert rule.approval is not None
    assert (rule.approval.approvers, rule.approval.count, rule.approval.ttl) == ("dba", 2, 3600.0)
    *_, mask = bundle('@id("a") @mask("last:4") ' + _REVEAL).rules
    assert mask.mask == "last:4"
    *_, cap = bundle('@id("a") @max_rows("10") @mode("enforce") ' + _PERMIT).rules
    assert (cap.max_rows, cap.observes) == (10, False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("15m", 900.0),
        ("8h", 28800.0),
        ("2d", 172800.0),
        ("0s", None),
        ("1.5h", None),
        ("5", None),
        ("1w", None),
    ],
)
def test_ttl(text: str, seconds: float | None) -> None:
    assert parse_ttl(text) == seconds


def test_the_strictest_transform() -> None:
    assert MASKS.strictest(["last:4", "redact", "hash"]) == "redact"
    assert MASKS.strictest(["hash"]) == "hash"
