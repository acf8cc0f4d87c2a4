"""How characters look: what of "select graphic rendition" is obeyed, and how it is written again.

Concealed text is not obeyed: a recording is looked at to see what was there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

_ON: Final = {1: "1", 2: "2", 3: "3", 4: "4", 5: "5", 6: "5", 7: "7", 9: "9", 21: "4"}
_OFF: Final = {22: ("1", "2"), 23: ("3",), 24: ("4",), 25: ("5",), 27: ("7",), 29: ("9",)}
_DIRECT: Final = 2
_INDEXED: Final = 5


class Style(NamedTuple):
    """Colours as parameters of SGR (empty: the default) and attributes, sorted."""

    foreground: str = ""
    background: str = ""
    attributes: tuple[str, ...] = ()

    @property
    def sgr(self) -> str:
        """The sequence that sets exactly this."""
        return f"\x1b[{';'.join(part for part in ('0', *self.attributes, self.foreground, self.background) if part)}m"


PLAIN: Final = Style()


@lru_cache(maxsize=4096)
def restyle(style: Style, parameters: tuple[tuple[int | None, ...], ...]) -> Style:
    """The style after an SGR with these parameters; what is not known changes nothing."""
    foreground, background, attributes = style.foreground, style.background, set(style.attributes)
    at = 0
    while at < max(1, len(parameters)):
        parameter = parameters[at] if parameters else (None,)
        code = parameter[0] or 0
        at += 1
        if code == 0:
            foreground, background, attributes = "", "", set()
        elif code == 4 and len(parameter) > 1 and parameter[1] == 0:
            attributes.discard("4")
        elif code in _ON:
            attributes.add(_ON[code])
        elif code in _OFF:
            attributes.difference_update(_OFF[code])
        elif 30 <= code <= 37 or 90 <= code <= 97:
            foreground = str(code)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            background = str(code)
        elif code == 39:
            foreground = ""
        elif code == 49:
            background = ""
        elif code in (38, 48, 58):
            if len(parameter) > 1:
                colour = _colour(code, [number or 0 for number in parameter[1:]])
            else:
                rest = [number[0] or 0 for number in parameters[at : at + 4]]
                at += {_INDEXED: 2, _DIRECT: 4}.get(rest[0] if rest else 0, 0)
                colour = _colour(code, rest)
            if colour and code == 38:
                foreground = colour
            elif colour and code == 48:
                background = colour
    return Style(foreground, background, tuple(sorted(attributes)))


def _colour(code: int, rest: list[int]) -> str:
    if len(rest) >= 2 and rest[0] == _INDEXED and rest[1] <= 255:
        return f"{code};5;{rest[1]}"
    # With colons a colour space may stand before the three components.
    if len(rest) >= 4 and rest[0] == _DIRECT and all(number <= 255 for number in rest[-3:]):
        red, green, blue = rest[-3:] if len(rest) == 5 else rest[1:4]
        return f"{code};2;{red};{green};{blue}"
    return ""
