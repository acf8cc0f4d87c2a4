"""What a source says takes effect on the subjects of its one provider, at once; what it does not know gets in by option only."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from interpose.engine.ports import DirectoryEntry, TokenRecord
from interpose.engine.provisioned import ProvisionedGroup
from interpose.engine.provisioning import TakenError
from interpose.model.audit import AuditKind
from interpose.model.errors import AuthenticationError, RecordingError
from interpose.model.ids import TokenId
from tests.support.provisioning import ProvisioningPlace
from tests.support.virtual import run


async def denied(place: ProvisioningPlace, name: str = "zoe", provider: str = "corporate") -> str:
    with pytest.raises(AuthenticationError) as caught:
        await place.learn(name, provider)
    return caught.value.detail


def token(place: ProvisioningPlace, ident: str, provider: str, subject: str) -> None:
    now = place.core.clock.wall()
    record = TokenRecord(TokenId(ident), "zoe", now, None, None, provider=provider, subject=subject)
    place.tokens.stored[ident.encode()] = record


def revoked(place: ProvisioningPlace) -> set[str]:
    return {str(each.id) for each in place.tokens.stored.values() if each.revoked_at is not None}


def test_who_gets_in() -> None:
    async def work() -> None:
        place, lax = ProvisioningPlace(), ProvisioningPlace(required=False)
        assert await denied(place) == "not_provisioned"
        assert (await lax.learn("zoe", "corporate", "", "dba", "own")).groups == {"dba", "own"}
        # Providers without a source are nobody's business.
        assert (await place.learn("sam", "other")).name == "sam"
        for each in (place, lax):
            await each.provisioning.put_user(each.user(active=False), None, "192.0.2.9")
            assert await denied(each) == "person_deactivated"
            await each.provisioning.put_user(each.user(), each.user(active=False), "192.0.2.9")
            # Groups come from the source, never from the login.
            assert (await each.learn("zoe", "corporate", "", "dba")).groups == frozenset()

    run(work())


def test_deactivation_ends_the_principal_and_what_was_given_to_it() -> None:
    async def work() -> None:
        place = ProvisioningPlace()
        user = place.user()
        await place.provisioning.put_user(user, None, "")
        await place.learn()
        for ident, provider, subject in (
            ("t1", "corporate", "sub-zoe"),
            ("t2", "corporate", "sub-other"),
            ("t3", "partner", "sub-zoe"),
        ):
            token(place, ident, provider, subject)
        await place.provisioning.put_user(dataclasses.replace(user, active=False), user, "192.0.2.9")
        assert place.known() is None
        assert revoked(place) == {"t1"}
        # Back again: by a new login only.
        await place.provisioning.put_user(user, dataclasses.replace(user, active=False), "")
        assert place.known() is None
        await place.learn()
        assert place.known() is not None
        changes = [event.fields["change"] for event in place.core.audit.of(AuditKind.PROVISIONED)]
        assert changes == ["created", "deactivated", "activated"]

    run(work())


@pytest.mark.parametrize("required", [True, False])
def test_deletion_ends_the_principal(required: bool) -> None:
    async def work() -> None:
        place = ProvisioningPlace(required=required)
        user = place.user()
        await place.provisioning.put_user(user, None, "")
        await place.learn()
        token(place, "t1", "corporate", "sub-zoe")
        await place.provisioning.delete_user(user, "")
        assert place.known() is None
        assert revoked(place) == {"t1"}

    run(work())


def test_a_source_speaks_for_its_own_provider_only() -> None:
    async def work() -> None:
        place = ProvisioningPlace(required=False)
        await place.learn("yan", "partner", "sub-x")
        # The same subject at another provider is somebody else.
        user = place.user("sub-x", active=False)
        await place.provisioning.put_user(user, None, "")
        await place.provisioning.put_group(
            ProvisionedGroup("g", "corporate", "dba", "", frozenset({user.id})), None, ""
        )
        await place.provisioning.delete_user(user, "")
        found = place.known("yan")
        assert found is not None
        assert found.groups == frozenset()
        assert await place.learn("yan", "partner", "sub-x") == found

    run(work())


def test_groups_reach_who_is_known() -> None:
    async def work() -> None:
        place = ProvisioningPlace()
        user = place.user()
        await place.provisioning.put_user(user, None, "")
        await place.learn()
        group = ProvisionedGroup("g", "corporate", "dba", "", frozenset({user.id}))

        def groups() -> frozenset[str]:
            found = place.known()
            assert found is not None
            return found.groups

        await place.provisioning.put_group(group, None, "")
        assert groups() == {"dba"}
        renamed = dataclasses.replace(group, display_name="not-allowed")
        await place.provisioning.put_group(renamed, group, "")
        assert groups() == frozenset()
        await place.provisioning.put_group(group, renamed, "")
        empty = dataclasses.replace(group, members=frozenset())
        await place.provisioning.put_group(empty, group, "")
        assert groups() == frozenset()
        await place.provisioning.put_group(group, empty, "")
        await place.provisioning.delete_group(group, "")
        assert groups() == frozenset()

    run(work())


def test_a_subject_that_changes_puts_out_the_one_before() -> None:
    async def work() -> None:
        place = ProvisioningPlace()
        user = place.user()
        await place.provisioning.put_user(user, None, "")
        await place.learn()
        await place.provisioning.put_user(dataclasses.replace(user, external_id="sub-new"), user, "")
        assert place.known() is None

    run(work())


def test_two_users_have_no_name_or_subject_in_common() -> None:
    async def work() -> None:
        place = ProvisioningPlace()
        await place.provisioning.put_user(place.user(), None, "")
        for other in (
            place.user("sub-2", user_name="SUB-ZOE@x.example"),
            place.user("sub-zoe", id="id-2", user_name="other"),
        ):
            with pytest.raises(TakenError):
                await place.provisioning.put_user(other, None, "")
        await place.provisioning.put_user(place.user("sub-zoe", provider="partner"), None, "")

    run(work())


def test_who_is_put_out_while_they_sign_in_is_out() -> None:
    async def work() -> None:
        place = ProvisioningPlace()
        user = place.user()
        await place.provisioning.put_user(user, None, "")
        store = place.directory._store
        put = store.put_learned

        async def slow(entry: DirectoryEntry, at: float) -> bool:
            store.put_learned = put  # type: ignore[method-assign]
            # Between the look at the source and the writing: the source finds nobody to put out.
            await place.provisioning.put_user(dataclasses.replace(user, active=False), user, "")
            return await put(entry, at)

        store.put_learned = slow  # type: ignore[method-assign]
        assert await denied(place) == "person_deactivated"
        assert place.known() is None

    run(work())


def test_nothing_changes_that_could_not_be_recorded() -> None:
    async def work() -> None:
        place = ProvisioningPlace()
        user = place.user()
        await place.provisioning.put_user(user, None, "")
        await place.learn()
        place.core.audit.fails = lambda event: event.kind is AuditKind.PROVISIONED
        with pytest.raises(RecordingError):
            await place.provisioning.put_user(dataclasses.replace(user, active=False), user, "")
        assert place.known() is not None
        assert place.store.by_id[("corporate", user.id)].active

    run(work())


def test_somebody_disabled_here_stays_so_whatever_the_source_says() -> None:
    async def work() -> None:
        place = ProvisioningPlace()
        user = place.user()
        await place.provisioning.put_user(user, None, "")
        await place.learn()
        await place.directory.disable("zoe", by="os:root", reason="left")
        await place.provisioning.put_group(
            ProvisionedGroup("g", "corporate", "dba", "", frozenset({user.id})), None, ""
        )
        assert place.known() is None
        assert await denied(place) == "principal_disabled"
        await asyncio.sleep(0)

    run(work())
