"""Refusals and holds in PostgreSQL's own form: ErrorResponse and NoticeResponse.

The fields: `C` an SQLSTATE, `M` the sentence, `D` one JSON object for programs, `H` what to do, in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from types import MappingProxyType
from typing import Final

from interpose.model.refusal import ConfirmationNotice, HoldNotice, Refusal
from interpose.protocols.postgres.backend import error_message, notice_message

SQLSTATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "authentication_failed": "28P01",
        "certificate_refused": "28000",
        "connection_unavailable": "3D000",
        "too_many_attempts": "28000",
        "too_many_confirmations": "53300",
        "confirmation_expired": "28000",
        "confirmation_denied": "28000",
        "wrong_person": "28000",
        "tls_required": "28000",
        "deadline": "28000",
        "principal_gone": "57P01",
        "ssh_key_gone": "57P01",
        "connection_gone": "57P01",
        "ended": "57P01",
        "catalog_unavailable": "57P03",
        "invalid_text": "22021",
        "token_expired": "28P01",
        "token_revoked": "57P01",
        "logged_out": "57P01",
        "draining": "57P01",
        "upstream_error": "57P03",
        "credential_unavailable": "57P03",
        "store_unavailable": "57P03",
        "provider_unavailable": "57P03",
        "too_many_sessions": "53300",
        "too_many_pending": "53300",
        "audit_unavailable": "53100",
        "syntax_error": "42601",
        "too_deep": "54001",
        "too_long": "54000",
        "too_many_rows": "54000",
        "nul_byte": "22021",
        "parser_crashed": "54001",
        "catalog_changed": "40001",
        "names_changed": "26000",
        "cancelled": "57014",
        "approval_expired": "57014",
        "protocol_violation": "08P01",
        "malformed_result": "08P01",
        "buffer_full": "53200",
        "internal_error": "XX000",
    }
)
"""The SQLSTATE of each refusal's machine word; any other is 42501 (insufficient privilege)."""


def sqlstate_of(code: str) -> str:
    """The SQLSTATE for a refusal's machine word."""
    return SQLSTATES.get(code, "42501")


def refusal_message(refusal: Refusal, severity: str = "ERROR") -> bytes:
    """The ErrorResponse for a refusal; `severity` is `FATAL` where the session ends with it."""
    detail = dumps(
        {
            "code": refusal.code,
            "policies": list(refusal.policies),
            "reason": refusal.message,
            "what_to_do": refusal.hint,
            "approval": refusal.approval,
            "reference": refusal.reference,
        },
        ensure_ascii=False,
    )
    return error_message(
        severity,
        sqlstate_of(refusal.code),
        refusal.message,
        detail=detail,
        hint=refusal.hint,
        position=refusal.position,
    )


def _span(seconds: float) -> str:
    """A duration in words: `15 min`, `40 s`."""
    if seconds >= 120:
        return f"{round(seconds / 60)} min"
    return f"{max(0, round(seconds))} s"


def confirmation_message(notice: ConfirmationNotice) -> bytes:
    """The NoticeResponse that tells a client where its person confirms the login, and by which code."""
    detail = dumps(
        {
            "code": "confirm_login",
            "url": notice.url,
            "user_code": notice.code,
            "connection": notice.connection,
            "source": notice.source,
            "expires_in": round(notice.expires_in),
        },
        ensure_ascii=False,
    )
    return notice_message(
        "01000",
        f"open {notice.url} in a browser, sign in as `{notice.name}` and enter the code {notice.code} within "
        f"{_span(notice.expires_in)}",
        detail=detail,
        hint="this login waits; enter the code yourself and give it to nobody",
    )


def said_message(text: str) -> bytes:
    """The NoticeResponse that carries an operator's message to the user of a session."""
    return notice_message("00000", f"message from the gateway's operators: {text}")


def hold_message(notice: HoldNotice) -> bytes:
    """The NoticeResponse that tells a client that its command waits for people."""
    detail = dumps(
        {
            "code": "held",
            "policies": list(notice.policies),
            "reason": notice.reason,
            "approval": notice.approval,
            "approvers": list(notice.approvers),
            "named": list(notice.named),
            "count": notice.count,
            "expires_in": round(notice.expires_in),
        },
        ensure_ascii=False,
    )
    reason = f": {notice.reason}" if notice.reason else ""
    return notice_message(
        "01000",
        f"held for approval {notice.approval}{reason}; {notice.who} can approve ({notice.count} needed), "
        f"expires in {_span(notice.expires_in)}",
        detail=detail,
        hint=f"an approver can run: interpose approvals approve {notice.approval}",
    )
