"""Declared principal attributes."""

from __future__ import annotations

import pytest

from interpose.model.errors import Problem
from interpose.policy.attributes import read_attributes
from interpose.policy.facts import CedarType


def test_types() -> None:
    found: list[Problem] = []
    text = "attributes: {a: {type: string}, b: {type: long, description: x}, c: {type: bool}, d: {type: set}}"
    assert read_attributes(text, "attributes.yaml", found) == {
        "a": CedarType.STRING,
        "b": CedarType.LONG,
        "c": CedarType.BOOL,
        "d": CedarType.STRINGS,
    }
    assert not found
    assert read_attributes("", "attributes.yaml", found) == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("attributes: {a: {type: strng}}", "attributes.yaml:1:18: unknown type `strng` (did you mean `string`?)"),
        ("attributes: {a: {}}", "`attributes.a.type` is missing"),
        ("attributes: {name: {type: string}}", "`name` cannot be an attribute"),
        ("attributes: {a-b: {type: string}}", "`a-b` cannot be an attribute"),
        ("attributes: {if: {type: string}}", "`if` cannot be an attribute"),
        ("attributes: {a: {type: string, kind: x}}", "unknown key"),
        ("attributes: {1: {type: string}}", "the key `1` must be a text"),
        ("attribute: {}", "unknown key `attribute` (did you mean `attributes`?)"),
    ],
)
def test_faults(text: str, complaint: str) -> None:
    found: list[Problem] = []
    read_attributes(text, "attributes.yaml", found)
    assert any(complaint in str(each) for each in found), [str(each) for each in found]
