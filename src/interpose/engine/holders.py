"""Whose a name is: what was given to one who has it is worth nothing to another who has it later. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interpose.engine.ports import PrincipalSource


def is_whose(
    principals: PrincipalSource, name: str, acting_for: str | None, provider: str | None, subject: str | None
) -> bool:
    """Whether a credential is still for who has its name now.

    `provider` and `subject` are who proved themselves for it, None where no provider did: then it was given to a name of the
    principals file. What an agent holds comes of the proof of the person that it acts for, or of its own.
    INVARIANT: what a provider's subject holds never has the rights that the file gives to the same name, and the other way round.
    """
    if provider is None:
        return principals.vouched(acting_for or name) is None
    whose = (provider, subject)
    return principals.vouched(name) == whose or (acting_for is not None and principals.vouched(acting_for) == whose)
