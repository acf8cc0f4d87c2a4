"""Free text of errors and notices when hidden values are within a command's reach.

PostgreSQL's messages quote values (`invalid input syntax for type integer: "078-05-1120"`, `Key (ssn)=(…) already exists`), so
the text is replaced by what its SQLSTATE says. Severity and position are not free text and stay; the
code stays when it is one of PostgreSQL's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interpose.masking.content import mask_text
from interpose.masking.sqlstates import CLASSES, CONDITIONS
from interpose.model.ids import DataClassName
from interpose.model.masks import MaskRule

WITHHELD: Final = "the upstream's own words are withheld because they may quote values that are hidden from you"
"""Why a message reads as it does: fit for DETAIL or HINT."""


def condition(sqlstate: str) -> str:
    """What this SQLSTATE means, in words; of an unknown one its class, of an unknown class `error`."""
    return CONDITIONS.get(sqlstate) or CLASSES.get(sqlstate[:2]) or "error"


def scrub_sqlstate(sqlstate: str) -> str:
    """The code when PostgreSQL knows it, else `P0001` (raise_exception): code that runs in the server may raise an error with
    any five characters, and those could be a value."""
    return sqlstate if sqlstate in CONDITIONS else "P0001"


def scrub_message(sqlstate: str) -> str:
    """The text that stands for any message with this SQLSTATE; holds nothing of the message."""
    return f"{condition(sqlstate)} ({WITHHELD})"


def scrub_text(text: str, content_rules: Mapping[DataClassName, MaskRule], key: bytes) -> str:
    """Free text in which only values of the rules' data classes are hidden, where they can be found."""
    return mask_text(text, content_rules, key) if content_rules else text
