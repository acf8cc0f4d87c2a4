"""Which of two transforms hides more: a total order, and what is applied when several rules ask for different ones.

INVARIANT: a place in a JSON document that one rule hides is hidden. Transforms of whole values are compared; `json:` transforms hide
different places, so of several of them the paths are put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from interpose.masking.json_paths import JsonPath
from interpose.masking.transforms import MAX_PATHS, REDACT, Transform, parse_transform

STRICTNESS: Mapping[str, int] = MappingProxyType(
    {
        "null": 100,  # nothing, not even that the type has a value
        "redact": 90,  # a constant of the type
        "fixed": 80,  # a constant that policy chose
        "hash": 70,  # whether two values are equal
        "hash-email": 68,  # that, and that it is an e-mail address
        "hash-card": 66,  # that, and how long it is
        "hash-form": 64,  # that, and where its letters, digits and marks are
        "date-year": 60,
        "date-month": 50,
        "date-week": 48,
        "partial-name": 45,  # initials
        "partial-email": 40,  # two letters and the top-level domain
        "partial-phone": 35,  # at most four digits
        "last": 30,
        "last4": 30,
        "first": 25,
        "partial-card": 20,  # ten digits at most
        "bucket": 15,  # all but what is below its width
        "date-day": 10,  # all but the time of day
        "json": 5,  # all but what is at its paths
    }
)
"""How little each transform leaves to see, by the name before the colon. Between transforms for different kinds of values the
order is a convention."""


def strictness(transform: Transform) -> tuple[int, int]:
    """Sorts by how little is left to see: the greater is the stricter.

    Of two that keep characters, the one that keeps less; of two that make buckets, the one with the wider.
    """
    return STRICTNESS[transform.name], transform.step - transform.keep


def strictest(texts: Sequence[str]) -> str:
    """What is applied when policy asks for all of these, of which there is at least one.

    The strictest; of equals the first by its text; of several `json:` one with the paths of all. Raises `ConfigurationError` for a
    text that names no transform.
    """
    best = min(texts, key=_order)
    if parse_transform(best).name != "json":
        return best
    # `json:` is the last in the order: when it is the best, all of them are.
    different = sorted(set(texts))
    return best if len(different) == 1 else str(_together(parse_transform(text) for text in different))


def _order(text: str) -> tuple[int, int, str]:
    rank, narrower = strictness(parse_transform(text))
    return -rank, -narrower, text


def _together(transforms: Iterable[Transform]) -> Transform:
    paths: dict[JsonPath, Transform] = {}
    for transform in transforms:
        for path, inner in transform.paths:
            known = paths.get(path)
            paths[path] = inner if known is None else parse_transform(strictest([str(known), str(inner)]))
    return Transform("json", paths=tuple(paths.items())) if len(paths) <= MAX_PATHS else REDACT
