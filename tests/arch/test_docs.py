"""Pages: their links lead somewhere, the source's pointers to them too, and what is generated is up to date."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from interpose.model.audit import AuditKind
from interpose.recording import channel_frames, frames
from tests.arch.pages import Page, pages
from tests.arch.tree import ROOT, Source, none_of, planted, sources
from tools import reference
from tools.pages import admin

_METRIC: Final = re.compile(r'"(interpose_[a-z_]+)"')
_OTHER_NAMES: Final = {"interpose_gateway"}
"""A role of a database, in examples."""
_POINTER: Final = re.compile(r"\b(?:docs|examples)/[\w/.-]+\.\w+|\b[A-Z]{5,}\.md\b")


def dead_links(found: Iterable[Page], root: Path) -> list[str]:
    """Relative links to files or headings that are not there."""
    by_path = {page.path: page for page in (*pages(), *found)}
    dead = []
    for page in found:
        for target, line in page.links():
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            name = posixpath.normpath(posixpath.join(posixpath.dirname(page.path), path)) if path else page.path
            known = by_path.get(name)
            if (known is None and not (root / name).exists()) or (
                anchor and (known is None or anchor not in known.anchors())
            ):
                dead.append(f"{page.path}:{line} {target}")
    return dead


def dead_pointers(files: Iterable[Source], root: Path) -> list[str]:
    """Pages and examples that the source names and that are not there."""
    return [
        f"{file.place}: {name}"
        for file in files
        for name in sorted(set(_POINTER.findall(file.text)))
        if not (root / name).exists()
    ]


def test_every_link_leads_somewhere() -> None:
    none_of(dead_links(pages(), ROOT))


@pytest.mark.parametrize(
    "text",
    ["[a](nowhere.md)", "[a](../README.md)", "[a](#nothing)\n# Something", "[a](README.md#no-such-heading)"],
)
def test_a_dead_link_is_seen(text: str) -> None:
    assert dead_links([Page("made-up.md", text)], ROOT)


def test_a_link_that_leads_somewhere_passes() -> None:
    text = "# One, two & three\n[a](#one-two--three) [b](https://example.com/x) [c](README.md#policy)\n```\n[d](gone.md)\n```\n"
    assert not dead_links([Page("made-up.md", text)], ROOT)


def test_the_source_names_pages_that_exist() -> None:
    none_of(dead_pointers(sources(), ROOT))


def test_a_dead_pointer_is_seen() -> None:
    assert dead_pointers([planted("app/p.py", "HINT = 'see docs/reference/nowhere.md'")], ROOT)


def test_what_is_generated_is_up_to_date() -> None:
    none_of([f"docs/reference/{name}: run `python tools/reference.py`" for name in reference.outdated()])


def test_an_outdated_block_is_seen() -> None:
    page = "<!-- generated: a -->\nold\n<!-- end of a -->\n"
    assert reference.filled(page, {"a": lambda: "new"}) == "<!-- generated: a -->\nnew\n<!-- end of a -->\n"
    with pytest.raises(reference.PageError):
        reference.filled(page, {"a": lambda: "new", "b": lambda: "lost"})


def test_every_metric_of_the_source_is_told() -> None:
    named = {name for file in sources() if file.folder in ("telemetry", "app") for name in _METRIC.findall(file.text)}
    told = {name.removesuffix("_total") for name, _, _, _ in admin.families()}
    assert named == told


def unknown_metrics(found: Iterable[Page]) -> list[str]:
    """Metrics that a page names, in rules of an alert as well, and that nobody exports."""
    known = {name for name, _, _, _ in admin.families()}
    return [
        f"{page.path}: {name}"
        for page in found
        for name in sorted(set(re.findall(r"\binterpose_[a-z_]+\b", page.text)) - known - _OTHER_NAMES)
    ]


def test_every_metric_of_a_page_is_exported() -> None:
    none_of(unknown_metrics(pages()))


def test_an_unknown_metric_is_seen() -> None:
    assert unknown_metrics([Page("p.md", "```yaml\nexpr: interpose_made_up_total > 0\n```")])


def test_every_audit_kind_and_frame_type_is_told() -> None:
    text = next(page.text for page in pages() if page.path == "docs/reference/recording-format.md")
    kinds = text.partition("### Kinds")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z]+(?:\.[a-z]+)?)`", "\n".join(re.findall(r"^\| (.*?) \|", kinds, re.MULTILINE)))) == {
        kind.value for kind in AuditKind
    }
    types = {
        "header": frames.HEADER,
        "command": frames.COMMAND,
        "delivered": frames.DELIVERED,
        "note": frames.NOTE,
        "ended": frames.ENDED,
        "close": frames.CLOSE,
        "omitted": frames.OMITTED,
        "channel opened": channel_frames.CHANNEL_OPENED,
        "stream": channel_frames.STREAM,
        "window": channel_frames.WINDOW,
        "channel closed": channel_frames.CHANNEL_CLOSED,
        "stream omitted": channel_frames.STREAM_OMITTED,
    }
    assert {word: int(number) for number, word in re.findall(r"^\| (\d+) ([a-z ]+) \|", text, re.MULTILINE)} == types
