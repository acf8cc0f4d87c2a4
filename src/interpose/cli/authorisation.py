"""By what right each command does what it does: the one answer for the documentation and the tests, so that none is without.

Commands that work on the state folder cannot ask policy: whoever may write the folder can write what policy is asked about. They rest on
the permissions of its files, and say in the audit chain which user of the operating system ran them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class By(Enum):
    """A right, in words."""

    POLICY = "policy, by the caller's access token, at the admin API"
    SECRET = "the one-time token of the first start, and policy, at the admin API"  # noqa: S105 -- words
    PERSON = "the person's own login, at the public address"
    STATE = "write permission on the state folder; audited as `os:USER`"
    FILES = "read permission on the configuration and the state folder; changes nothing, and is not audited"
    PROCESS = "permission to run the gateway with its configuration; audited as `gateway.started`"
    NOTHING = "nothing of the gateway: it works on the caller's own files and settings"


_STATE: Final = frozenset({By.STATE})
_POLICY: Final = frozenset({By.POLICY})
_FILES: Final = frozenset({By.FILES})

AUTHORISED: Final[Mapping[str, frozenset[By]]] = {
    "bootstrap": frozenset({By.SECRET, By.STATE}),
    "connect": frozenset({By.POLICY, By.NOTHING}),
    "delegate": _POLICY,
    "login": frozenset({By.PERSON}),
    "logout": frozenset({By.PERSON}),
    "serve": frozenset({By.PROCESS}),
    "reload": _POLICY,
    "whoami": _POLICY,
    "version": frozenset({By.NOTHING}),
    "config check": _FILES,
    "policy check": _FILES,
    "policy test": _FILES,
    "policy explain": _FILES,
    "classify scan": _STATE,
    "principals list": _STATE,
    "principals disable": _STATE,
    "principals enable": _STATE,
    "principals forget": _STATE,
    "token create": _STATE,
    "token list": _STATE,
    "token revoke": _STATE,
    "service rotate": _STATE,
    "secret set": _STATE,
    "secret list": _FILES,
    "secret delete": _STATE,
    "secret key": frozenset({By.NOTHING}),
    "credential issue": _POLICY,
    "credential revoke": _STATE,
    "ca show": frozenset({By.FILES, By.STATE}),
    "ca rotate": _STATE,
    "ssh login": frozenset({By.POLICY, By.PERSON}),
    "ssh config": frozenset({By.NOTHING}),
    "approvals list": _POLICY,
    "approvals show": _POLICY,
    "approvals approve": _POLICY,
    "approvals deny": _POLICY,
    "sessions list": _POLICY,
    "sessions show": _POLICY,
    "sessions replay": _POLICY,
    "sessions watch": _POLICY,
    "sessions search": _POLICY,
    "sessions export": _POLICY,
    "sessions kill": _POLICY,
    "sessions end": _POLICY,
    "sessions say": _POLICY,
    "audit verify": _FILES,
    "audit export": _FILES,
    "audit key": _FILES,
}
"""Every command, without `interpose`. Where there are several rights, its options choose."""
