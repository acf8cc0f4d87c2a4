"""`identity.providers` of the configuration: which type of provider is read by whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from interpose.app.strict_yaml import Section, suggestion
from interpose.identity.oidc_options import OidcOptions, parse_oidc
from interpose.identity.saml_options import SamlOptions, parse_saml
from interpose.identity.sections import ProviderParser
from interpose.identity.workload_options import WorkloadOptions, parse_workload, same_tokens

ProviderOptions = WorkloadOptions | OidcOptions | SamlOptions
"""The options of any provider."""

PROVIDER_TYPES: Final[Mapping[str, ProviderParser[ProviderOptions]]] = {
    "jwt": parse_workload,
    "oidc": parse_oidc,
    "saml": parse_saml,
}
"""What reads the options of each `type`."""


def read_providers(section: Section, folder: Path) -> tuple[ProviderOptions, ...]:
    """Every provider of the section `identity`; all faults are reported into the section."""
    found: list[ProviderOptions] = []
    for name, each in section.sections("providers"):
        type_ = each.text("type")
        parse = PROVIDER_TYPES.get(type_)
        if parse is None:
            if type_:
                each.problem("type", f"there is no provider of type `{type_}`", suggestion(type_, list(PROVIDER_TYPES)))
            continue
        found.append(parse(name, each, folder))
        each.finish()
    section.finish()
    for one, other in same_tokens(found):
        section.problem(
            "providers",
            f"`{one}` and `{other}` take the same tokens",
            "give providers of one issuer different audiences",
        )
    return tuple(found)


def described_in(providers: Iterable[object]) -> list[Path]:
    """The files beside the configuration that say what providers are."""
    return [provider.metadata for provider in providers if isinstance(provider, SamlOptions)]


def descriptions(providers: Iterable[object]) -> list[str]:
    """The digests of what was read in these files."""
    return [
        provider.described.digest
        for provider in providers
        if isinstance(provider, SamlOptions) and provider.described is not None
    ]


def workload_providers(providers: Iterable[object]) -> list[WorkloadOptions]:
    """Those whose tokens workloads log in with."""
    return [provider for provider in providers if isinstance(provider, WorkloadOptions)]
