"""No tracked file names a path of one machine or the host of a package registry."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.arch.tree import ROOT, none_of, tracked_files

# Written so that this file does not match itself.
_PLACES: Final = re.compile(r"(?<![\w.~}$*])/(?:work|root|tmp|opt/wheels)(?:/\w|/\.\w|(?=[\s'\"`:;,)]|$)(?<=work))")
_REGISTRIES: Final = re.compile(
    r"(?:pypi|pythonhosted|npmjs|yarnpkg|crates|rubygems)[.](?:org|com|io)|proxy[.]golang|deb[.]debian[.]org"
    r"|repo[.]maven|(?:index-url|find-links)[ =]+\S*:/{2}",
    re.IGNORECASE,
)


def told(text: str) -> list[str]:
    """Every place where a text tells about one machine or one registry."""
    return [
        f"{number}: {match[0]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for pattern in (_PLACES, _REGISTRIES)
        for match in pattern.finditer(line)
    ]


def test_nothing_is_told() -> None:
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:
            found += [f"{path.relative_to(ROOT)}:{entry}" for entry in told(content.decode(errors="replace"))]
    none_of(found)


@pytest.mark.parametrize(
    "parts",
    [
        ("cd /", "work/main"),
        ("cache = '/", "root/.cache'"),
        ("open('/", "tmp/x')"),
        ("https://", "pypi.", "org/simple"),
        ("files.python", "hosted.org"),
        ("https://registry.npm", "js.org"),
        ("pip install --index-", "url https://mirror.local/"),
        ("http://deb.", "debian.org/debian"),
    ],
)
def test_a_tale_is_seen(parts: tuple[str, ...]) -> None:
    assert told("".join(parts))


@pytest.mark.parametrize(
    "text", ["~/.cache/interpose", "GET /v1/work", "others cannot enter /root.", "${TMPDIR}/tmp/x"]
)
def test_what_is_no_tale_passes(text: str) -> None:
    assert not told(text)
