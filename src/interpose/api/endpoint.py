"""What is said of one address of the API: who is let in, what it takes and what it answers. Knows no address itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from interpose.api.admin import AdminApi
    from interpose.model.actions import Action

Handler = Callable[["AdminApi", Request], Awaitable[Response]]


class Asks(Enum):
    """Who is let in where the API itself asks policy for no action."""

    NOBODY = "nobody"
    """No token is needed."""
    OWN = "own"
    """A token is needed, and opens the caller's own things only."""
    ENGINE = "engine"
    """A token is needed, and the engine's own use case asks policy for each approval or agent."""
    SECRET = "secret"  # noqa: S105 -- a word
    """No token is needed, but the one-time secret in the body."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the query; those in the path are known by the path. `schema` is JSON Schema."""

    name: str
    words: str
    schema: Mapping[str, object]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back when all is well. `kind` is what the JSON is made of; None for a body in another form than JSON."""

    words: str
    kind: object | None = None
    status: int = 200
    media: str = "application/json"
    line: type | None = None
    """With lines of JSON: what each is made of."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address with one method. `asks` are the actions of policy that it asks, `who` says the same in words; `errors` are codes."""

    method: str
    path: str
    handler: Handler
    asks: frozenset[Action] | Asks
    who: str
    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    body: type | None = None
    errors: tuple[str, ...] = ()

    @property
    def takes_token(self) -> bool:
        """Whether the caller must prove itself by a token."""
        return self.asks not in (Asks.NOBODY, Asks.SECRET)

    @property
    def words(self) -> tuple[str, str]:
        """What it does: the first sentence, and the rest."""
        first, _, rest = (self.handler.__doc__ or "").strip().partition("\n")
        return first, " ".join(rest.split())
