"""Proof values: they cannot be made without the seal, spent twice or used for another thing."""

import pytest

from interpose.model.ids import ConnectionName, SessionId
from interpose.model.proofs import Clearance, Grant, Permit, ProofError, seal_of_the_engine

SESSION = SessionId("s_1")
ORDERS = ConnectionName("orders-prod")


def test_nothing_is_minted_without_the_seal() -> None:
    with pytest.raises(ProofError):
        Grant(object(), SESSION, ORDERS)
    with pytest.raises(ProofError):
        Permit(object(), 1)
    with pytest.raises(ProofError):
        Clearance(object(), SESSION, masked=False)


def test_a_grant_is_spent_once_for_its_own_connection() -> None:
    grant = Grant(seal_of_the_engine(), SESSION, ORDERS)
    with pytest.raises(ProofError):
        grant.spend(ConnectionName("payments"))
    grant.spend(ORDERS)
    with pytest.raises(ProofError):
        grant.spend(ORDERS)


def test_a_permit_is_spent_once_and_parts_follow_it_until_it_is_closed() -> None:
    permit = Permit(seal_of_the_engine(), 7)
    with pytest.raises(ProofError):
        permit.check_part()
    permit.spend()
    permit.check_part()
    with pytest.raises(ProofError):
        permit.spend()
    permit.close()
    with pytest.raises(ProofError):
        permit.check_part()


def test_a_closed_permit_cannot_be_spent() -> None:
    permit = Permit(seal_of_the_engine(), 7)
    permit.close()
    with pytest.raises(ProofError):
        permit.spend()
