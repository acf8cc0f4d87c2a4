"""Free text of errors and notices when hidden values are within a command's reach.

PostgreSQL's messages quote values (`invalid input syntax for type integer: "078-05-1120"`, `Key (ssn)=(…) already exists`), so
the text is replaced by what its SQLSTATE says. The code itself, severity and position are not free text and stay.
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


def scrub_message(sqlstate: str) -> str:
    """The text that stands for any message with this SQLSTATE; holds nothing of the message."""
    return f"{condition(sqlstate)} ({WITHHELD})"


def scrub_text(text: str, content_rules: Mapping[DataClassName, MaskRule], key: bytes) -> str:
    """Free text in which only values of the rules' data classes are hidden, where they can be found."""
    return mask_text(text, content_rules, key) if content_rules else text
