"""Approvals and their votes in the database: the port `ApprovalStore`.

INVARIANT: a state moves only from the state that its caller expects, inside one write transaction, so two gateways, a gateway and
the command line, or two votes at once cannot both do what may be done once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from interpose.engine.callers import CallerProof, Vote
from interpose.engine.ports import Approval
from interpose.model.decisions import ApprovalRule
from interpose.model.errors import StoreError
from interpose.model.ids import ApprovalId, ConnectionName, PolicyId, SessionId, SnapshotDigest
from interpose.model.principal import AttributeValue, Principal, PrincipalKind
from interpose.store.contexts import read_context, write_context
from interpose.store.database import Database
from interpose.store.tables import approvals, votes


class NotPendingError(StoreError):
    """The vote came too late."""

    code = "not_pending"


class AlreadyVotedError(StoreError):
    """One person, one vote."""

    code = "already_voted"


class SqlApprovals:
    """Approvals, shared by everybody who has the database open."""

    def __init__(self, database: Database) -> None:
        """On an open database."""
        self._database = database

    async def create(self, approval: Approval) -> None:
        """Store a pending approval; raises `StoreError` (also for an id that is taken)."""
        await self._database.write(lambda connection: _insert(connection, approval))

    async def get(self, approval: ApprovalId) -> Approval | None:
        """The approval as it is now, with its votes."""
        return await self._database.read(lambda connection: _load(connection, approval))

    async def pending(self) -> Sequence[Approval]:
        """All that are pending, oldest first."""

        def work(connection: Connection) -> list[Approval]:
            rows = connection.execute(
                select(approvals).where(approvals.c.state == "pending").order_by(approvals.c.created_at, approvals.c.id)
            ).mappings()
            return [_approval(connection, row) for row in rows.all()]

        return await self._database.read(work)

    async def vote(self, approval: ApprovalId, vote: Vote) -> Approval:
        """Add a vote; raises `NotPendingError`, `AlreadyVotedError`, or another `StoreError` when the store fails."""

        def work(connection: Connection) -> Approval:
            state = connection.execute(select(approvals.c.state).where(approvals.c.id == approval)).scalar()
            if state != "pending":
                raise NotPendingError(f"this approval is {state or 'gone'} already")
            try:
                connection.execute(
                    insert(votes).values(
                        approval=approval,
                        principal=vote.principal,
                        approve=vote.approve,
                        at=vote.at,
                        comment=vote.comment,
                        method=vote.proof.method,
                        source=vote.proof.source,
                        context=write_context(vote.proof.context),
                        provider=vote.proof.provider,
                        subject=vote.proof.subject,
                    )
                )
            except IntegrityError:
                raise AlreadyVotedError("you have voted on this already") from None
            loaded = _load(connection, approval)
            assert loaded is not None, "it was there in this transaction"
            return loaded

        return await self._database.write(work)

    async def close(self, approval: ApprovalId, expected: str, state: str) -> bool:
        """Move from state `expected` to `state`; False when it was in another state.

        The command's text is deleted as soon as nobody has to read it any more.
        """

        def work(connection: Connection) -> bool:
            done = connection.execute(
                update(approvals)
                .where(approvals.c.id == approval, approvals.c.state == expected)
                .values(state=state, text="")
            )
            return done.rowcount == 1

        return await self._database.write(work)


def _insert(connection: Connection, approval: Approval) -> None:
    connection.execute(
        insert(approvals).values(
            id=approval.id,
            session=approval.session,
            requester=_principal_json(approval.requester),
            connection=approval.connection,
            text=approval.text,
            digest=approval.digest,
            rules=json.dumps(
                [[rule.policy, rule.approvers, rule.count, rule.ttl, rule.reason] for rule in approval.rules]
            ),
            reason=approval.reason,
            snapshot=approval.snapshot,
            created_at=approval.created_at,
            expires_at=approval.expires_at,
            state=approval.state,
            facts=json.dumps(approval.facts),
        )
    )


def _load(connection: Connection, approval: ApprovalId) -> Approval | None:
    row = connection.execute(select(approvals).where(approvals.c.id == approval)).mappings().first()
    return None if row is None else _approval(connection, row)


def _approval(connection: Connection, row: RowMapping) -> Approval:
    cast = connection.execute(
        select(votes).where(votes.c.approval == row["id"]).order_by(votes.c.at, votes.c.principal)
    )
    return Approval(
        ApprovalId(str(row["id"])),
        SessionId(str(row["session"])),
        _principal(str(row["requester"])),
        ConnectionName(str(row["connection"])),
        str(row["text"]),
        str(row["digest"]),
        tuple(
            ApprovalRule(PolicyId(policy), approvers, int(count), float(ttl), reason)
            for policy, approvers, count, ttl, reason in json.loads(str(row["rules"]))
        ),
        str(row["reason"]),
        SnapshotDigest(str(row["snapshot"])),
        float(row["created_at"]),
        float(row["expires_at"]),
        str(row["state"]),
        tuple(
            Vote(
                str(vote["principal"]),
                bool(vote["approve"]),
                float(vote["at"]),
                str(vote["comment"]),
                CallerProof(
                    vote["method"] or "",
                    vote["source"] or "",
                    read_context(vote["context"]),
                    vote["provider"],
                    vote["subject"],
                ),
            )
            for vote in cast.mappings()
        ),
        tuple((str(name), str(value)) for name, value in json.loads(str(row["facts"]))),
    )


def _principal_json(principal: Principal) -> str:
    return json.dumps(
        {
            "kind": principal.kind.value,
            "name": principal.name,
            "groups": sorted(principal.groups),
            "attributes": dict(principal.attributes),
            "acting_for": principal.acting_for,
            "task": principal.task,
        }
    )


def _principal(text: str) -> Principal:
    stored = json.loads(text)
    attributes: dict[str, AttributeValue] = {
        str(name): tuple(value) if isinstance(value, list) else value for name, value in stored["attributes"].items()
    }
    return Principal(
        PrincipalKind(stored["kind"]),
        stored["name"],
        frozenset(stored["groups"]),
        attributes,
        stored["acting_for"],
        stored["task"],
    )
