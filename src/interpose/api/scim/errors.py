"""Errors as SCIM tells them (RFC 7644 §3.12)."""

from __future__ import annotations

from typing import Final

from interpose.model.errors import ClientError

ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(ClientError):
    """A request that is not carried out. `kind` is SCIM's own word (`scimType`), empty where it has none."""

    code = "scim_error"

    def __init__(self, status: int, text: str, kind: str = "") -> None:
        """`text` is read by whoever set the source up."""
        super().__init__(text)
        self.status = status
        self.kind = kind

    def body(self) -> dict[str, object]:
        """What is answered."""
        kind = {"scimType": self.kind} if self.kind else {}
        return {"schemas": [ERROR], "status": str(self.status), **kind, "detail": self.public_message}


def invalid(text: str, kind: str = "invalidValue") -> ScimError:
    """The request says something that does not fit."""
    return ScimError(400, text, kind)


def not_found() -> ScimError:
    """There is no such thing at this provider."""
    return ScimError(404, "there is no such resource")
