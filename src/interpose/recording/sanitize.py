"""Making recorded text safe to print: whoever looks at a recording must not be the one it attacks.

A recorded statement or value may hold terminal escape sequences (move the cursor, set the title or the clipboard, hide text) or
characters that turn the reading direction. All of them are shown, none is obeyed.
"""

from __future__ import annotations

from typing import Final

_VISIBLE_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_HIDDEN: Final = {
    code: f"\\u{code:04x}"
    for code in (
        0x061C,  # Arabic letter mark
        *range(0x200B, 0x2010),  # zero-width space and joiners, left-to-right and right-to-left marks
        0x2028,  # line separator
        0x2029,  # paragraph separator
        *range(0x202A, 0x202F),  # bidirectional embeddings and overrides
        *range(0x2060, 0x2070),  # word joiner, invisible operators, bidirectional isolates, deprecated controls
        0xFEFF,  # zero-width no-break space
        *range(0xFFF9, 0xFFFC),  # interlinear annotation
        *range(0xD800, 0xE000),  # lone surrogates
    )
}
_TAGS: Final = {code: f"\\U{code:08x}" for code in range(0xE0000, 0xE0080)}
HIDDEN: Final = frozenset((*_HIDDEN, *_TAGS))
"""Code points that hide text or turn the direction of reading."""
_ONE_LINE: Final = {**_VISIBLE_CONTROLS, **_HIDDEN, **_TAGS}
_LINES: Final = {code: text for code, text in _ONE_LINE.items() if code not in (0x09, 0x0A)}


def sanitize(text: str, *, lines: bool = False) -> str:
    r"""The text with everything that a terminal would obey or hide written out, e.g. ESC as `\x1b`.

    `lines` leaves tab and line feed as they are, for text that is printed as a block; else the answer is one line.
    """
    return text.translate(_LINES if lines else _ONE_LINE)
