"""A provisioning store in memory, and everything around it that takes effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from interpose.engine.directory import Directory
from interpose.engine.ports import DirectoryEntry
from interpose.engine.provisioned import Conditions, ProvisionedGroup, ProvisionedUser, Source
from interpose.engine.provisioning import Provisioning
from interpose.model.errors import StoreError
from interpose.model.principal import Principal, PrincipalKind
from tests.support.gateway_core import Core
from tests.support.memory import MemoryBus, MemoryDirectory, MemoryTokens

ItemT = TypeVar("ItemT", ProvisionedUser, ProvisionedGroup)


class MemoryProvisioning:
    """Users and groups."""

    def __init__(self) -> None:
        self.by_id: dict[tuple[str, str], ProvisionedUser] = {}
        self.sets: dict[tuple[str, str], ProvisionedGroup] = {}
        self.down = False

    async def users(
        self, provider: str, conditions: Conditions, start: int = 0, count: int = 1
    ) -> tuple[int, Sequence[ProvisionedUser]]:
        return self._page(list(self.by_id.values()), provider, conditions, start, count)

    async def put_user(self, user: ProvisionedUser) -> None:
        self.by_id[(user.provider, user.id)] = user

    async def delete_user(self, provider: str, user: str) -> bool:
        return self.by_id.pop((provider, user), None) is not None

    async def groups(
        self, provider: str, conditions: Conditions, start: int = 0, count: int = 1
    ) -> tuple[int, Sequence[ProvisionedGroup]]:
        return self._page(list(self.sets.values()), provider, conditions, start, count)

    async def put_group(self, group: ProvisionedGroup) -> None:
        self.sets[(group.provider, group.id)] = group

    async def delete_group(self, provider: str, group: str) -> bool:
        return self.sets.pop((provider, group), None) is not None

    async def group_names(self, provider: str, user: str) -> Sequence[str]:
        return [each.display_name for each in self.sets.values() if each.provider == provider and user in each.members]

    def _page(
        self, items: list[ItemT], provider: str, conditions: Conditions, start: int, count: int
    ) -> tuple[int, list[ItemT]]:
        if self.down:
            raise StoreError("the store is down")
        found = [each for each in items if each.provider == provider and self._fits(each, conditions)]
        found.sort(key=lambda each: each.id)
        return len(found), found[start : start + count]

    @staticmethod
    def _fits(item: ProvisionedUser | ProvisionedGroup, conditions: Conditions) -> bool:
        for name, value in conditions.items():
            if name == "exact":
                continue
            if name == "member":
                if not isinstance(item, ProvisionedGroup) or value not in item.members:
                    return False
            elif name in ("user_name", "display_name") and not conditions.get("exact"):
                if str(getattr(item, name)).lower() != str(value).lower():
                    return False
            elif getattr(item, name) != value:
                return False
        return True


class ProvisioningPlace:
    """Two providers with a source each; a directory that asks them; zoe has signed in with the one, yan with the other."""

    def __init__(self, *, required: bool = True) -> None:
        self.core = Core()
        self.tokens = MemoryTokens()
        self.store = MemoryProvisioning()
        core = self.core
        self.directory = Directory(core.holder, MemoryDirectory(), core.audit, MemoryBus(), core.clock)

        def allowed(names: Sequence[str]) -> frozenset[str]:
            return frozenset(names) & {"support", "dba"}

        sources = {
            "corporate": Source("corporate", "external_id", required, allowed),
            "partner": Source("partner", "user_name", required, None),
        }
        self.provisioning = Provisioning(self.store, sources, self.directory, self.tokens, core.audit, core.clock)
        self.directory.vet = self.provisioning.vet

    def user(self, subject: str = "sub-zoe", **more: object) -> ProvisionedUser:
        """A user of the first source."""
        given: dict[str, object] = {"id": f"id-{subject}", "provider": "corporate", "user_name": f"{subject}@x.example"}
        return ProvisionedUser(**{**given, "external_id": subject, **more})  # type: ignore[arg-type]

    async def learn(self, name: str = "zoe", provider: str = "corporate", subject: str = "", *groups: str) -> Principal:
        """Somebody proves to be this principal."""
        principal = Principal(PrincipalKind.USER, name, frozenset(groups))
        now = self.core.clock.wall()
        return await self.directory.learn(
            DirectoryEntry(principal, provider, subject or f"sub-{name}", now, now + 3600)
        )

    def known(self, name: str = "zoe") -> Principal | None:
        """Whom the snapshot has under this name."""
        return self.core.holder.current.principals.find(name)
