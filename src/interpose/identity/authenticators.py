"""What evidence looks like decides who checks it: one door for access tokens and for workloads' own tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interpose.identity.jws import looks_like_jws

if TYPE_CHECKING:
    from interpose.engine.ports import Authenticators
    from interpose.model.principal import Identity


class ByForm:
    """The port `Authenticators`. What is neither is checked as an access token, in the constant work of one."""

    def __init__(self, tokens: Authenticators, workloads: Authenticators) -> None:
        """`workloads` gets what has the form of a signed token, and nothing else."""
        self._tokens = tokens
        self._workloads = workloads

    async def identify(self, claimed_name: str, token: str) -> Identity:
        """Who this is, by the name that is claimed and the token."""
        return await self._checker(token).identify(claimed_name, token)

    async def bearer(self, token: str) -> Identity:
        """Who holds this token, where no name is claimed."""
        return await self._checker(token).bearer(token)

    def _checker(self, token: str) -> Authenticators:
        return self._workloads if looks_like_jws(token) else self._tokens
