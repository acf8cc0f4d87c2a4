"""A provider of `type: saml`: where people sign in with a browser, as the configuration gives it, checked strictly.

```yaml
identity:
  providers:
    partner:
      type: saml
      metadata: partner.xml
      mapping:
        name: uid
        groups: {claim: memberOf, allow: [support, dba]}
```
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from interpose.identity.mapping import ClaimMapping, ClaimPath
from interpose.identity.scim_options import ScimOptions, read_scim
from interpose.identity.sections import (
    ProviderSection,
    between,
    check_provider_name,
    read_file,
    read_mapping,
    read_secret,
)
from interpose.identity.workload_options import check_url
from interpose.model.errors import ProviderError

if TYPE_CHECKING:
    from interpose.identity.saml_metadata import IdentityProviderMetadata

NAME_ID: Final = "name_id"
"""The claim that is the subject's name (NameID)."""
MAX_LIFETIME: Final = 7 * 86400.0
MAX_LEEWAY: Final = 300.0
_FORMATS: Final = {
    "persistent": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "transient": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    "email": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "unspecified": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
}
_DEFAULT: Final = ClaimMapping(name=ClaimPath((NAME_ID,)), subject=ClaimPath((NAME_ID,)))


@dataclass(frozen=True, slots=True)
class SamlOptions:
    """One SAML provider.

    `metadata` describes it. `entity_id` is the gateway's own name towards it, None for the address of its metadata. `key` is a
    reference to the gateway's private key, None for the one of the state folder. `name_id_format` is what is asked for, None for
    the provider's choice. `lifetime`: seconds after which somebody has to sign in again, at the latest. `leeway`: seconds by which
    clocks may differ. `idp_initiated`: an answer counts that nobody asked for. `mfa_acr`: classes of authentication
    (AuthnContextClassRef) that mean more than one factor. `scim`: the provider's directory tells who its people are. `described` is what
    stands in `metadata`; options that differ in nothing else are those of the same provider.
    """

    name: str
    metadata: Path
    title: str | None = None
    entity_id: str | None = None
    key: str | None = None
    name_id_format: str | None = None
    require_encryption: bool = False
    idp_initiated: bool = False
    mapping: ClaimMapping = field(default=_DEFAULT)
    lifetime: float = 8 * 3600.0
    leeway: float = 60.0
    mfa_acr: tuple[str, ...] = ()
    allow_plaintext_on_loopback: bool = False
    scim: ScimOptions | None = None
    described: IdentityProviderMetadata | None = field(default=None, compare=False, repr=False)


def parse_saml(name: str, section: ProviderSection, folder: Path) -> SamlOptions:
    """The options of a provider of `type: saml`; faults go into the section."""
    default = SamlOptions("", Path())
    check_provider_name(section, name)
    section.text("metadata")
    metadata = read_file(section, "metadata", folder)
    plaintext = section.boolean("allow_plaintext_on_loopback", False)
    described: IdentityProviderMetadata | None = None
    if metadata is not None:
        # XML and X.509 come with it: who has no such provider loads neither.
        from interpose.identity.saml_metadata import read_metadata

        try:
            described = read_metadata(metadata)
            check_url(section, "metadata", described.sign_in, plaintext, query=True)
        except ProviderError as error:
            section.problem("metadata", error.detail, error.hint)
    wanted = section.optional_text("name_id_format")
    if wanted is not None and wanted not in _FORMATS:
        known = ", ".join(f"`{each}`" for each in _FORMATS)
        section.problem("name_id_format", f"`name_id_format` cannot be `{wanted}`", f"choose of {known}")
    mapping = read_mapping(section, "user", _DEFAULT)
    return SamlOptions(
        name,
        metadata or Path(),
        section.optional_text("title"),
        section.optional_text("entity_id"),
        read_secret(section, "key", folder),
        None if wanted is None else _FORMATS.get(wanted),
        section.boolean("require_encryption", default.require_encryption),
        section.boolean("idp_initiated", default.idp_initiated),
        mapping,
        between(section, "lifetime", default.lifetime, 60.0, MAX_LIFETIME),
        between(section, "leeway", default.leeway, 0.0, MAX_LEEWAY),
        section.listed("mfa_acr"),
        plaintext,
        read_scim(section, folder, mapping),
        described,
    )
