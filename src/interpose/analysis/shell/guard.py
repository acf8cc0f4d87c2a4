"""What is refused before any grammar sees it: too long, too deep, and characters that a reader of the command could not see."""

from __future__ import annotations

from dataclasses import dataclass

from interpose.model.analysis import Unanalysable


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one command line. `size` is in characters, `depth` counts nested brackets, `effects` what one command may have at the most."""

    size: int = 64 * 1024
    depth: int = 64
    effects: int = 2_000


def check(text: str, limits: Limits) -> Unanalysable | None:
    """Why the text is refused, or None."""
    if len(text) > limits.size:
        return Unanalysable(
            "too_long", f"the command has more than {limits.size} characters", "put it into a script and run that"
        )
    if "\0" in text:
        return Unanalysable("nul_byte", "the command holds a NUL byte", "no shell can be given one")
    if any("\ud800" <= character <= "\udfff" for character in text):
        return Unanalysable("invalid_utf8", "the command is not valid UTF-8", "send UTF-8")
    for position, character in enumerate(text, 1):
        if not character.isprintable() and character not in "\n\t":
            return Unanalysable(
                "control_character",
                f"the command holds the character U+{ord(character):04X}, which nobody could see",
                "write it without control characters, special blanks and marks of direction",
                position,
            )
    if _depth(text) > limits.depth:
        return Unanalysable("too_deep", "the command nests too deeply", "write it in several commands")
    return None


def _depth(text: str) -> int:
    """How deeply brackets could nest, quoting not looked at: never less than what a parser meets."""
    most = depth = 0
    for character in text:
        if character in "({[`":
            depth += 1
            most = max(most, depth)
        elif character in ")}]" and depth:
            depth -= 1
    return most
