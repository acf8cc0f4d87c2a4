"""Canonical names of principals: one spelling for one principal, compared byte by byte everywhere else.

A name is lower-case ASCII: letters, digits and `. _ + @ -`, beginning with a letter or digit, 1 to 63 characters. What people
type is brought to that form (compatibility forms by NFKC, then lower case, surrounding blanks dropped); what still has another
character is refused. Letters outside ASCII are not allowed at all: no two names can then look alike that are not one name,
which no table of confusable characters could promise.
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME = 63
"""Characters in a name; PostgreSQL cuts its own names there as well."""

_CANONICAL = re.compile(r"[a-z0-9][a-z0-9._+@-]*")


def canonical_name(text: str) -> str | None:
    """The canonical form of a name as somebody typed it, None when it cannot be one."""
    if len(text) > 4 * MAX_NAME:
        return None
    name = unicodedata.normalize("NFKC", text).strip().lower()
    return name if is_canonical(name) else None


def is_canonical(name: str) -> bool:
    """Whether a name is in canonical form already."""
    return len(name) <= MAX_NAME and _CANONICAL.fullmatch(name) is not None
