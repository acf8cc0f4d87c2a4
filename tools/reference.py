"""Keep the generated tables of docs/reference/ in step with the code.

    python tools/reference.py            # write them
    python tools/reference.py --check    # exit status 1 and the page's name when one is not up to date

A page is prose with generated blocks between `<!-- generated: NAME -->` and `<!-- end of NAME -->`. Only the blocks are replaced. The descriptions of the
APIs (`openapi*.json`) are generated whole.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __package__ in (None, ""):
    sys.path.insert(0, str(ROOT))

from interpose.api.routes import description_text  # noqa: E402 -- the path is set above
from interpose.app import public_api  # noqa: E402 -- the path is set above
from tools.pages import admin, commands, policy, statements  # noqa: E402 -- the path is set above

DOCS = ROOT / "docs" / "reference"
Blocks = Mapping[str, Callable[[], str]]

PAGES: Mapping[str, Blocks] = {
    "policy.md": policy.BLOCKS,
    "statements.md": statements.BLOCKS,
    "cli.md": commands.BLOCKS,
    "admin-api.md": admin.BLOCKS,
}
"""Every page that has generated blocks, and what makes each block."""

FILES: Mapping[str, Callable[[], str]] = {
    "openapi.json": description_text,
    "openapi-public.json": public_api.description_text,
}
"""Every file that is generated whole."""

_BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end of (?P=name) -->)", re.DOTALL)


class PageError(ValueError):
    """A page lacks a block, or has one that nothing makes."""


def filled(text: str, blocks: Blocks) -> str:
    """The page's text with every block made anew; raises `PageError` for a block too few or too many."""
    found = [match["name"] for match in _BLOCK.finditer(text)]
    if sorted(found) != sorted(blocks):
        raise PageError(f"the page has the blocks {sorted(found)}, and should have {sorted(blocks)}")
    return _BLOCK.sub(lambda match: f"{match[1]}{blocks[match['name']]().strip()}\n{match[3]}", text)


def outdated() -> list[str]:
    """The pages that are not what the code says."""
    pages = [name for name, blocks in PAGES.items() if filled(text := (DOCS / name).read_text(), blocks) != text]
    files = [name for name, made in FILES.items() if not (DOCS / name).is_file() or (DOCS / name).read_text() != made()]
    return pages + files


def main(arguments: list[str]) -> int:
    """Write or check; answers the exit status."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    if arguments:
        stale = outdated()
        for name in stale:
            sys.stderr.write(f"docs/reference/{name} is not up to date: run `python tools/reference.py`\n")
        return 1 if stale else 0
    for name, blocks in PAGES.items():
        path = DOCS / name
        path.write_text(filled(path.read_text(), blocks))
    for name, made in FILES.items():
        (DOCS / name).write_text(made())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
