"""Who holds a token or a certificate now: the principal of its name, if it still is who got it. Pure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from interpose.engine.holders import is_whose

if TYPE_CHECKING:
    from interpose.engine.ports import PrincipalSource, TokenRecord
    from interpose.model.principal import Principal


def holder(principals: PrincipalSource, record: TokenRecord | None) -> tuple[Principal | None, str]:
    """The principal as it is now, with whom and what the record says that it acts for; or None, and a word for why there is none.

    Nobody (no record) is looked up as well: it takes as long as somebody who is gone.
    """
    principal = principals.find("" if record is None else record.principal)
    if record is None or principal is None:
        return None, "principal_gone"
    if not is_whose(principals, record.principal, record.acting_for, record.provider, record.subject):
        return None, "name_belongs_to_another_subject"
    acting_for = record.acting_for or principal.acting_for
    if acting_for is not None and principals.find(acting_for) is None:
        return None, "acting_for_nobody"
    return dataclasses.replace(principal, acting_for=acting_for, task=record.task or principal.task), ""
