"""Strict YAML: types, places and unknown keys."""

from __future__ import annotations

from interpose.model.errors import Problem
from interpose.policy.yaml_text import Node, nearest, read_yaml


def _read(text: str) -> Node:
    return read_yaml(text, "f.yaml", [])


def _said(node: Node) -> list[str]:
    return [str(problem) for problem in node.problems]


def test_values_of_each_kind() -> None:
    node = _read("t: x\nn: 3\nl: [a, b]\none: a\nm: {k: v, n: 1, b: true, l: [x]}\nrows: [{a: b}]")
    assert node.text("t") == "x"
    assert node.whole("n") == 3
    assert node.whole("none") is None
    assert node.texts("l") == ("a", "b")
    assert node.texts("one") == ("a",)
    assert node.texts("none") == ()
    assert node.pairs("m") == {"k": "v", "n": 1, "b": True, "l": ("x",)}
    assert [row.text("a") for row in node.nodes("rows")] == ["b"]
    assert "t" in node
    assert "none" not in node
    node.finish()
    assert _said(node) == []


def test_wrong_kinds_are_told_with_their_place() -> None:
    node = _read("t: 1\nn: x\nb: true\nl: {}\nm: []\nrows: {}\np: {x: [1]}\ninner: [1]")
    node.text("t")
    node.whole("n")
    node.whole("b")
    node.texts("l")
    node.node("m")
    list(node.nodes("rows"))
    node.pairs("p")
    list(node.nodes("inner"))
    node.text("missing")
    assert _said(node) == [
        "f.yaml:1:1: `t` must be a text (put it in quotes)",
        "f.yaml:2:1: `n` must be a whole number",
        "f.yaml:3:1: `b` must be a whole number",
        "f.yaml:4:1: `l` must be a list of texts",
        "f.yaml:5:1: `m` must be a mapping",
        "f.yaml:6:1: `rows` must be a list",
        "f.yaml:7:5: `p.x` must be a text, a whole number, true, false or a list of texts",
        "f.yaml:8:1: `inner[0]` must be a mapping",
        "f.yaml:1:1: `missing` is missing (give a text)",
    ]


def test_unknown_and_doubled_keys() -> None:
    node = _read("name: x\nnmae: y")
    node.text("name")
    node.finish()
    assert _said(node) == ["f.yaml:2:1: unknown key `nmae` (did you mean `name`?)"]
    found: list[Problem] = []
    read_yaml("a: 1\na: 2", "f.yaml", found)
    assert "duplicate key" in str(found[0])


def test_no_yaml_and_no_mapping() -> None:
    found: list[Problem] = []
    read_yaml("a: [1", "f.yaml", found)
    read_yaml("[1]", "f.yaml", found)
    read_yaml("!!python/object:os.system x", "f.yaml", found)
    read_yaml("\x00", "f.yaml", found)
    assert len(found) == 4
    assert "f.yaml:1:" in str(found[0])


def test_nearest() -> None:
    assert nearest("nam", ["name", "kind"]) == "did you mean `name`?"
    assert nearest("zzz", ["name", "kind"]) == "known here: `kind`, `name`"
    assert nearest("zzz", []) == ""
