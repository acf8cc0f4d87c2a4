"""The end of identities, wired: what a provider says of logins that are over (back-channel logout) and of people who left (SCIM)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from interpose.api.logout import BackChannelLogout, LogoutReceiver
from interpose.api.scim.service import ScimService
from interpose.engine.limits import FailureLimiter, Limits
from interpose.engine.logins import Logins
from interpose.engine.provisioned import Source
from interpose.engine.provisioning import Provisioning
from interpose.identity.mapping import ClaimMapping, allowed_groups
from interpose.identity.scim_options import ScimOptions
from interpose.model.errors import SecretError

if TYPE_CHECKING:
    from interpose.app.state import State
    from interpose.engine.directory import Directory
    from interpose.engine.ports import AuditChain
    from interpose.engine.sessions import SessionRegistry
    from interpose.engine.signing_in import SignIn


class Lifecycle:
    """Of one worker: every one of them asks what sources said of somebody who logs in, and ends sessions; one serves the sources."""

    def __init__(
        self,
        providers: Iterable[object],
        registry: SessionRegistry,
        directory: Directory,
        state: State,
        audit: AuditChain,
    ) -> None:
        """`providers` are the options of all; those with `scim` have a source."""
        self._state = state
        self._secret: Callable[[str], Awaitable[str]] | None = None
        self.logins = Logins(registry, state.tokens, audit, state.bus, state.clock)
        self._tokens: dict[str, Callable[[], Awaitable[str]]] = {}
        self._provisioning = Provisioning(state.provisioning, {}, directory, state.tokens, audit, state.clock)
        directory.vet = self._provisioning.vet
        self.use(providers)

    def use(self, providers: Iterable[object]) -> None:
        """From now on these are the providers. What a source that is gone has said stays in the store, and counts for nobody meanwhile."""
        sources: dict[str, Source] = {}
        self._tokens.clear()
        for options in providers:
            scim, mapping = getattr(options, "scim", None), getattr(options, "mapping", None)
            if isinstance(scim, ScimOptions) and isinstance(mapping, ClaimMapping):
                name = str(options.name)  # type: ignore[attr-defined]  # every provider's options have one
                sources[name] = _source(name, scim, mapping)
                self._tokens[name] = partial(self._fetch, scim.token)
        self._provisioning.use(sources)

    async def _fetch(self, reference: str) -> str:
        if self._secret is None:
            raise SecretError("the sources are not served by this process", detail=reference)
        return await self._secret(reference)

    def routes(
        self,
        origin: str,
        receivers: Mapping[str, LogoutReceiver],
        sign_in: SignIn,
        limits: Limits,
        secret: Callable[[str], Awaitable[str]],
    ) -> list[Route]:
        """What providers ask on the public address. `secret` answers what is behind a reference, or raises `SecretError`."""
        clock, ids = self._state.clock, self._state.ids
        self._secret = secret

        def failures() -> FailureLimiter:
            return FailureLimiter(clock, limits.login_failures * 3, limits.login_window)

        found = BackChannelLogout(receivers, failures()).routes()

        def failed(provider: str, reason: str, source: str) -> None:
            sign_in.failed(provider, "scim", "", reason, source)

        return found + ScimService(origin, self._provisioning, self._tokens, failed, failures(), clock, ids).routes()


def _source(name: str, scim: ScimOptions, mapping: ClaimMapping) -> Source:
    groups = mapping.groups
    mapped = None if groups is None or not scim.groups else partial(allowed_groups, groups)
    return Source(name, scim.subject, scim.required, mapped)
