"""`scim` of a provider: its own directory tells the gateway who its people are (SCIM 2.0), checked strictly.

```yaml
scim: {token: env:CORPORATE_SCIM, subject: externalId, required: true, groups: true}
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from interpose.identity.mapping import ClaimMapping
from interpose.identity.sections import ProviderSection

SECRETS: Final = ("env:", "file:", "store:")
_KEYS: Final = ("token", "subject", "required", "groups")
SUBJECTS: Final[Mapping[str, str]] = {"externalId": "external_id", "userName": "user_name"}


@dataclass(frozen=True, slots=True)
class ScimOptions:
    """`token` is a reference to the bearer token that the source shows. `subject` is the user's field that is the provider's subject at a
    login. `required`: nobody gets in whom the source does not know. `groups`: groups come from the source and not from logins.
    """

    token: str
    subject: str = "external_id"
    required: bool = True
    groups: bool = True


def read_scim(section: ProviderSection, folder: Path, mapping: ClaimMapping) -> ScimOptions | None:
    """The options, None without the section; faults go into the section. `mapping` is the provider's own."""
    raw = section.raw("scim")
    if "scim" not in section:
        return None
    for key in raw:
        if key not in _KEYS:
            section.problem("scim", f"unknown key `scim.{key}`", "known here: " + ", ".join(f"`{k}`" for k in _KEYS))
    token, subject = raw.get("token"), raw.get("subject", "externalId")
    if not isinstance(token, str) or not token.startswith(SECRETS):
        section.problem(
            "scim",
            "`scim.token` must be a reference",
            "write `env:NAME`, `file:/path` or `store:name`, never the token",
        )
        token = ""
    if token.startswith("file:"):
        token = f"file:{(folder / Path(token[5:]).expanduser()).resolve()}"
    if not isinstance(subject, str) or subject not in SUBJECTS:
        section.problem("scim", f"`scim.subject` cannot be `{subject}`", "write `externalId` or `userName`")
        subject = "externalId"
    switches = {}
    for key in ("required", "groups"):
        value = raw.get(key, True)
        if not isinstance(value, bool):
            section.problem("scim", f"`scim.{key}` must be true or false")
        switches[key] = value is not False
    if switches["groups"] and mapping.groups is None:
        section.problem(
            "scim", "`scim.groups` needs `mapping.groups`", "say which groups it may give, or `groups: false`"
        )
    return ScimOptions(token, SUBJECTS[subject], switches["required"], switches["groups"])
