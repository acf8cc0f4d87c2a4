"""What a provisioning source (SCIM) says of a provider's people: values and the store's port. Who they are here is the directory's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ProvisionedUser:
    """A person as the source says. `id` is ours, `external_id` the source's; times are wall-clock seconds.

    Nothing else that a source sends is kept: nobody here looks at it.
    """

    id: str
    provider: str
    user_name: str
    external_id: str = ""
    display_name: str = ""
    active: bool = True
    created_at: float = 0.0
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ProvisionedGroup:
    """A group as the source says; `members` are ids of users of the same provider."""

    id: str
    provider: str
    display_name: str
    external_id: str = ""
    members: frozenset[str] = frozenset()
    created_at: float = 0.0
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Source:
    """One provider's provisioning source, as it is trusted.

    `subject` is the field (`external_id` or `user_name`) that is the provider's subject at a login. `required`: whom the source does not
    know does not get in. `groups`: which groups of ours the names of its groups are; None where groups come from logins.
    """

    provider: str
    subject: str = "external_id"
    required: bool = True
    groups: Callable[[Sequence[str]], frozenset[str]] | None = None

    def subject_of(self, user: ProvisionedUser) -> str:
        """The provider's own name for this person at a login; empty when it is not known."""
        return user.external_id if self.subject == "external_id" else user.user_name


Conditions = Mapping[str, str | bool]
"""Fields that must have a value: `id`, `user_name`, `external_id`, `display_name`, `active`, and of a group `member`."""


class ProvisioningStore(Protocol):
    """Users and groups by provider. Every method raises `StoreError`."""

    async def users(
        self, provider: str, conditions: Conditions, start: int = 0, count: int = 1
    ) -> tuple[int, Sequence[ProvisionedUser]]:
        """How many there are, and `count` of them from `start` on, in order of id. Names are compared without regard to case."""
        ...

    async def put_user(self, user: ProvisionedUser) -> None:
        """Store a user in the place of the one with its id."""
        ...

    async def delete_user(self, provider: str, user: str) -> bool:
        """Delete, from all groups as well; False when there is none such."""
        ...

    async def groups(
        self, provider: str, conditions: Conditions, start: int = 0, count: int = 1
    ) -> tuple[int, Sequence[ProvisionedGroup]]:
        """As `users`."""
        ...

    async def put_group(self, group: ProvisionedGroup) -> None:
        """Store a group with its members in the place of the one with its id."""
        ...

    async def delete_group(self, provider: str, group: str) -> bool:
        """Delete; False when there is none such."""
        ...

    async def group_names(self, provider: str, user: str) -> Sequence[str]:
        """The names of the groups that a user is in."""
        ...
