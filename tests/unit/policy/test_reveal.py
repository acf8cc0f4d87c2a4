"""What is hidden, and how."""

from __future__ import annotations

import dataclasses

from interpose.model.ids import DataClassName
from interpose.model.masks import MaskRule
from interpose.model.resources import ColumnResource
from tests.unit.policy.shop import ALICE, BOT, EMAIL, NOW, PROD, bundle, connection

_CLASSES = """
data_classes:
  pii: {mask: hash}
  pii.email: {mask: partial-email}
  pii.note: {}
  plain: {}
classifications:
  - connections: ["orders-*"]
    columns:
      public.customers.email: [pii.email]
      public.customers.note: [pii.note]
      public.customers.both: [pii.email, plain]
"""
_ALL = '@id("all") permit (principal, action == Action::"reveal", resource);\n'
_NOTE = ColumnResource("public", "customers", "note")
_BOTH = ColumnResource("public", "customers", "both")


def _table(policies: str, **changes: object):  # type: ignore[no-untyped-def]
    return bundle(policies, _CLASSES, **changes).reveal_table(ALICE, PROD, {}, NOW)


def test_what_nothing_permits_is_hidden_by_the_classes_default() -> None:
    table = _table('@id("x") permit (principal, action == Action::"select", resource);')
    assert table.columns == {EMAIL: MaskRule("partial-email"), _NOTE: MaskRule("hash"), _BOTH: MaskRule("redact")}


def test_what_is_permitted_is_absent() -> None:
    table = _table(_ALL)
    assert not table
    some = _table('@id("x") permit (principal, action == Action::"reveal", resource in DataClass::"pii.note");')
    assert set(some.columns) == {EMAIL, _BOTH}


def test_a_forbid_masks_with_its_own_transform_and_the_strictest_wins() -> None:
    one = '@id("one") @mask("last:4") forbid (principal, action == Action::"reveal", resource in DataClass::"pii.email");\n'
    two = '@id("two") @mask("last:2") forbid (principal, action == Action::"reveal", resource in DataClass::"pii");\n'
    bare = '@id("bare") forbid (principal, action == Action::"reveal", resource in DataClass::"pii.email");\n'
    assert _table(_ALL + one).columns[EMAIL] == MaskRule("last:4", ("one",))
    assert _table(_ALL + one + two).columns[EMAIL] == MaskRule("last:2", ("one", "two"))
    assert _table(_ALL + one + bare).columns[EMAIL] == MaskRule("partial-email", ("one", "bare"))
    assert _NOTE not in _table(_ALL + one).columns


def test_a_remedy_on_reveal_is_a_mask() -> None:
    rule = '@id("h") @approval("dba") @mask("hash") forbid (principal, action == Action::"reveal", resource in DataClass::"pii");'
    assert _table(_ALL + rule).columns[EMAIL] == MaskRule("hash", ("h",))


def test_observing_policies_hide_and_show_nothing() -> None:
    forbid = '@id("f") @mode("observe") forbid (principal, action == Action::"reveal", resource);'
    assert not _table(_ALL + forbid)
    permit = '@id("p") @mode("observe") permit (principal, action == Action::"reveal", resource);'
    assert len(_table(permit).columns) == 3


def test_content_is_asked_for_detectable_classes_and_leaves_only() -> None:
    permit = '@id("p") permit (principal, action == Action::"reveal", resource in DataClass::"pii.phone");'
    table = _table(permit, detectors=["pii.phone", "pci.card"])
    assert table.content == {
        DataClassName("pci.card"): MaskRule("redact"),
        DataClassName("pii.email"): MaskRule("partial-email"),
        DataClassName("pii.note"): MaskRule("hash"),
        DataClassName("plain"): MaskRule("redact"),
    }


def test_a_rule_about_a_connection_reaches_content_found_there() -> None:
    policies = bundle(
        _ALL + '@id("f") @mask("hash") forbid (principal, action == Action::"reveal", resource in Label::"env=prod");',
        detectors=["pci.card"],
    )
    assert policies.reveal_table(ALICE, PROD, {}, NOW).content == {"pci.card": MaskRule("hash", ("f",))}
    assert not policies.reveal_table(ALICE, connection(env="dev"), {}, NOW)


def test_principals_are_told_apart() -> None:
    policies = bundle('@id("x") permit (principal is User, action == Action::"reveal", resource);', _CLASSES)
    assert not policies.reveal_table(ALICE, PROD, {}, NOW)
    assert len(policies.reveal_table(BOT, PROD, {}, NOW).columns) == 3


def test_what_cannot_be_judged_is_hidden() -> None:
    policies = bundle(_ALL, _CLASSES, detectors=["pci.card"])
    table = policies.reveal_table(ALICE, PROD, {"mood": "good"}, NOW)
    assert set(table.columns) == {EMAIL, _NOTE, _BOTH}
    assert "pci.card" in table.content
    assert {rule.transform for rule in table.columns.values()} == {"redact"}


def test_a_condition_that_fails_hides() -> None:
    failing = (
        '@id("bad") forbid (principal, action == Action::"reveal", resource)'
        " when { principal has level && principal.level + 1 < 0 };"
    )
    policies = bundle(_ALL + failing, _CLASSES, "attributes: {level: {type: long}}")
    high = dataclasses.replace(ALICE, attributes={"level": 2**63 - 1})
    assert policies.reveal_table(high, PROD, {}, NOW).columns[EMAIL] == MaskRule("redact", ("bad",))
    assert not policies.reveal_table(ALICE, PROD, {}, NOW)
