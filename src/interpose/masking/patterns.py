"""The expressions of content detection: for each data class one for the prefilter and one for candidates.

google-re2 (linear time) over bytes taken one by one (Latin-1), so that UTF-8 text is searched as it comes and anything else is
searched too. A candidate is only a place to look at: `validators.py` decides.

INVARIANT: a prefilter expression depends on nothing before or behind its match (no anchors, no word boundaries) and matches
within every text in which the class is found. Cells may then be searched joined, with framing bytes between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol, cast

import re2

from interpose.masking import national_ids
from interpose.masking.credentials import API_KEYS, PASSWORDS
from interpose.model.ids import DataClassName

EMAIL: Final = DataClassName("pii.email")
CARD: Final = DataClassName("pci.card")
SSN: Final = DataClassName("pii.ssn")
IBAN: Final = DataClassName("pii.iban")
PHONE: Final = DataClassName("pii.phone")
JWT: Final = DataClassName("secret.jwt")
AWS_KEY: Final = DataClassName("secret.aws_key")
API_KEY: Final = DataClassName("secret.api_key")
PASSWORD: Final = DataClassName("secret.password")
NATIONAL_ID: Final = DataClassName("pii.national_id")
PRIVATE_KEY: Final = DataClassName("secret.private_key")


@dataclass(frozen=True, slots=True)
class ClassPatterns:
    """The two expressions of one data class; `prefilters` has one or more, any of which calls for a closer look."""

    prefilters: tuple[str, ...]
    candidate: str


PATTERNS: Mapping[DataClassName, ClassPatterns] = MappingProxyType(
    {
        # In the order in which an overlap is named: the first is the more particular.
        PRIVATE_KEY: ClassPatterns(
            (r"PRIVATE KEY", r"PuTTY-User-Key-File-"),
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]",
        ),
        JWT: ClassPatterns((r"eyJ[A-Za-z0-9_-]{8}",), r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}"),
        AWS_KEY: ClassPatterns(
            (r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}", r"[A-Za-z0-9/+]{40}"),
            r"[A-Za-z0-9/+]{20,}",
        ),
        API_KEY: ClassPatterns(API_KEYS, "|".join(API_KEYS)),
        PASSWORD: ClassPatterns((r"://[^\s/@]*@", r"(?i:password|passwd|pwd)=[^\s;&,]"), "|".join(PASSWORDS)),
        IBAN: ClassPatterns(
            (r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11}",), r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}"
        ),
        CARD: ClassPatterns(
            (
                r"[0-9](?:[ -]?[0-9]){12}",
                r"[0-9]{4}[./_][0-9]{4}[./_][0-9]{4}[./_][0-9]{4}",
                r"3[0-9]{3}\.[0-9]{6}\.[0-9]{4}",
            ),
            r"[0-9]{4}[./_][0-9]{4}[./_][0-9]{4}[./_][0-9]{4}|3[0-9]{3}\.[0-9]{6}\.[0-9]{4,5}|[0-9](?:[ -]?[0-9]){12,}",
        ),
        SSN: ClassPatterns(
            (r"[0-9]{3}[- .][0-9]{2}[- .][0-9]{4}", r"(?i:ssn|social)[^0-9]{0,24}[0-9]{9}"),
            r"[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{4}|[0-9]{3}\.[0-9]{2}\.[0-9]{4}|(?i:ssn|social)[^0-9]{0,24}[0-9]{9}",
        ),
        # Behind the particular ones, since some of its forms are only digits.
        NATIONAL_ID: ClassPatterns(
            (
                r"[0-9]{11}",
                r"[0-9]{5}2[AB][0-9]{8}",
                r"[0-9]{2} [0-9]{2} [0-9]{2} [0-9]{3} [0-9]{3} [0-9]{2}",
                r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}",
                r"756\.[0-9]{4}\.[0-9]{4}\.",
                r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
                r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]",
                r"[0-9]{7}-?[A-Z]",
                r"[A-Z]{6}[0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{2}[A-Z]",
                r"[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}",
                r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
            ),
            national_ids.CANDIDATE,
        ),
        # `*` is in no local part here: what `partial-email` wrote is not searched a second time.
        EMAIL: ClassPatterns(
            (r"[A-Za-z0-9._+%'\"~!\x80-\xff-]@[A-Za-z0-9.\x80-\xff-]+\.[A-Za-z\x80-\xff]",),
            r"(?:\"[^\"\x00-\x1f]{1,64}\"|[A-Za-z0-9._+%'~!\x80-\xff-]+)"
            r"@[A-Za-z0-9\x80-\xff-]+(?:\.[A-Za-z0-9\x80-\xff-]+)+",
        ),
        PHONE: ClassPatterns(
            (
                r"\+[0-9(]",
                r"00[1-9][0-9 ./()-]{6}",
                r"[2-9][0-9]{2}(?:\) ?|[-. ])[2-9][0-9]{2}[-. ][0-9]{4}",
            ),
            r"\+[0-9(][0-9 ./()-]{5,20}[0-9]"
            r"|00[1-9][0-9 ./()-]{6,20}[0-9]"
            r"|\(?[2-9][0-9]{2}(?:\) ?|[-. ])[2-9][0-9]{2}[-. ][0-9]{4}",
        ),
    }
)
"""Every data class that content detection knows."""

CONTENT_CLASSES: tuple[DataClassName, ...] = tuple(PATTERNS)
"""The names of the data classes that can be detected, for the policy check."""

JSON_ESCAPES: Final = r"\\[u/]"
"""A further prefilter for JSON: escapes that can hide a character of a pattern."""


INTEGERS: Final = r"\x00\x00\x00\x08(?:[\x01-\x7f]|\x00[\x01-\xff]|\x00\x00[\x01-\xff]|\x00\x00\x00[\xe8-\xff])"
"""A further prefilter for binary `int8` cells with their lengths: 1,000,000,000,000 or more (the least card number has 13 digits)."""

NUMERICS: Final = r"\x00[\x01-\xff]\x00[\x03\x04]\x00\x00"
"""The same for binary `numeric`: four or five base-10000 digits before the point, and no minus."""

HEXADECIMAL: Final = r"\\x(?:[0-9A-Fa-f]{2}){6}|\\[0-3][0-7]{2}"
"""The same for `bytea` as text: six bytes in hexadecimal, fewer than anything that is found has, or an octal escape."""


class Match(Protocol):
    """The part of a match that is used."""

    def span(self) -> tuple[int, int]:
        """Start and end."""
        ...


class Expression(Protocol):
    """The part of a compiled re2 expression that is used."""

    def search(self, text: bytes, pos: int) -> Match | None:
        """The leftmost match at or behind `pos`."""
        ...


class _Set(Protocol):
    def Match(self, text: bytes) -> list[int]:  # noqa: N802 - the library's name
        ...


def _options() -> object:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = 64 << 20
    return options


def compile_expression(pattern: str) -> Expression:
    """A compiled expression over bytes."""
    return cast("Expression", re2.compile(pattern.encode(), _options()))


_SENTINEL: Final = b"\x00\xff\xfeinterpose\xfe\xff"


class Prefilter:
    """The prefilters of several classes at once: which of them match anywhere?

    INVARIANT: a search that failed is not taken for one that found nothing. The library answers an empty list when
    its automaton runs out of memory, so every text is searched with a sentinel behind it that must be found too.
    """

    __slots__ = ("_every", "_groups", "_set")

    def __init__(self, groups: Iterable[Iterable[str]]) -> None:
        """Each group's expressions count as one; compiling takes about a millisecond."""
        built = re2.Set.SearchSet(_options())
        built.Add(r"\x00\xff\xfeinterpose\xfe\xff")
        self._groups = [-1]
        count = 0
        for group in groups:
            for pattern in group:
                built.Add(pattern)
                self._groups.append(count)
            count += 1
        built.Compile()
        self._set = cast("_Set", built)
        self._every = frozenset(range(count))

    def may_match(self, data: bytes) -> bool:
        """Whether any expression matches somewhere."""
        # Only the sentinel's own index, 0, clears the text.
        return self._set.Match(data + _SENTINEL) != [0]

    def matches(self, data: bytes) -> frozenset[int]:
        """The groups of which an expression matches somewhere; all of them when the search failed."""
        found = self._set.Match(data + _SENTINEL)
        if 0 not in found:
            return self._every
        return frozenset(self._groups[index] for index in found if index)
