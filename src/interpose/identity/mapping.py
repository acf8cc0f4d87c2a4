"""From what a provider claims to a principal: one mapping for every kind of provider, pure.

A provider is trusted with exactly what its mapping lets it give: names of one form, groups of a list, declared attributes. What
does not fit refuses the login; a group that is not allowed is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from interpose.identity.names import canonical_name
from interpose.model.errors import AuthenticationError
from interpose.model.principal import AttributeValue, Principal, PrincipalKind

Claims = Mapping[str, object]
"""Claims as JSON has them: texts, numbers, truth values, lists and objects."""

MAX_GROUPS: Final = 1000
MAX_TEXT: Final = 1024
"""Characters of a claim that is taken over; a longer one refuses the login."""

GROUP_IN_FORM: Final = re.compile(r"\{(\w+)\}")
"""A group of the pattern, as a form names it."""

_WRONG: Final = "authentication failed"


class AttributeType:
    """What an attribute's claim must be."""

    STRING: Final = "string"
    LONG: Final = "long"
    BOOL: Final = "bool"
    SET: Final = "set"
    ALL: Final = (STRING, LONG, BOOL, SET)


@dataclass(frozen=True, slots=True)
class ClaimPath:
    """Where a value stands: names from the outside in (`realm_access.roles`), and what of a text is taken.

    `pattern` must match the whole text; its group `name` is taken, or all of it where there is none. `form` puts several groups
    together (`{org}.{repo}`). A claim whose own name has dots or slashes, as namespaced ones do, is one step.
    """

    steps: tuple[str, ...]
    pattern: re.Pattern[str] | None = None
    form: str = ""

    def find(self, claims: Claims) -> object | None:
        """The value there, None when there is none."""
        value: object = claims
        for step in self.steps:
            if not isinstance(value, Mapping) or step not in value:
                return None
            value = value[step]
        return value

    def taken(self, text: str) -> str | None:
        """What of a text is taken; None when it does not fit."""
        if self.pattern is None:
            return text
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        if self.form:
            return GROUP_IN_FORM.sub(lambda group: match[group[1]] or "", self.form)
        return match["name"] if "name" in self.pattern.groupindex else text


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """Which groups a provider may give. `allow` are names as they come out, after `rename`; None: any that `path` takes.

    `prefix` is put before each, so that a provider's `admins` cannot be taken for the gateway's.
    """

    path: ClaimPath
    allow: frozenset[str] | None = None
    prefix: str = ""
    rename: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ClaimMapping:
    """How one provider's claims become a principal.

    `domains`: the verified e-mail address must be of one of these (empty: not asked). `require`: claims that must have exactly
    this value. `kind` is what every principal of this provider is; `acting_for` and `task` are an agent's only.
    """

    kind: PrincipalKind = PrincipalKind.USER
    name: ClaimPath = ClaimPath(("preferred_username",))
    subject: ClaimPath = ClaimPath(("sub",))
    name_prefix: str = ""
    name_suffix: str = ""
    groups: GroupMapping | None = None
    attributes: Mapping[str, tuple[ClaimPath, str]] = field(default_factory=dict, hash=False)
    domains: frozenset[str] = frozenset()
    require: Mapping[str, object] = field(default_factory=dict, hash=False)
    acting_for: ClaimPath | None = None
    task: ClaimPath | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """A principal with the provider's own name for it."""

    principal: Principal
    subject: str


def map_claims(mapping: ClaimMapping, claims: Claims) -> Mapped:
    """The principal that these (already proven) claims are about.

    Raises `AuthenticationError` whose `detail` is a machine word for the audit; it never holds a claim's value.
    """
    for name, wanted in mapping.require.items():
        found = ClaimPath(tuple(name.split("."))).find(claims) if name not in claims else claims[name]
        if not _equal(found, wanted):
            raise _denied("claim_required")
    _check_domain(mapping.domains, claims)
    subject = _text(mapping.subject, claims)
    if not subject:
        raise _denied("no_subject")
    name = _text(mapping.name, claims)
    canonical = canonical_name(f"{mapping.name_prefix}{name}{mapping.name_suffix}") if name else None
    if canonical is None:
        raise _denied("no_name")
    groups = frozenset[str]() if mapping.groups is None else _groups(mapping.groups, claims)
    attributes = {}
    for key, (path, type_) in mapping.attributes.items():
        value = _attribute(path, type_, claims)
        if value is not None:
            attributes[key] = value
    principal = Principal(
        mapping.kind, canonical, groups, attributes, _person(mapping.acting_for, claims), _task(mapping.task, claims)
    )
    return Mapped(principal, subject)


def _person(path: ClaimPath | None, claims: Claims) -> str | None:
    """INVARIANT: an agent whose tokens say for whom it acts has no token that does not: it would act for nobody's account."""
    if path is None:
        return None
    person = canonical_name(_text(path, claims))
    if person is None:
        raise _denied("no_acting_for")
    return person


def _task(path: ClaimPath | None, claims: Claims) -> str | None:
    return None if path is None else _text(path, claims) or None


def _check_domain(domains: frozenset[str], claims: Claims) -> None:
    if not domains:
        return
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        raise _denied("email_not_verified")
    _, _, domain = email.rpartition("@")
    if domain.lower() not in domains or email.count("@") != 1:
        raise _denied("domain_not_allowed")


def _groups(mapping: GroupMapping, claims: Claims) -> frozenset[str]:
    found = mapping.path.find(claims)
    listed: Sequence[object] = [found] if isinstance(found, str) else found if isinstance(found, (list, tuple)) else ()
    return allowed_groups(mapping, listed)


def allowed_groups(mapping: GroupMapping, listed: Sequence[object]) -> frozenset[str]:
    """Those of the groups that a provider names which it may give, as they are called here; too many refuse the login."""
    if len(listed) > MAX_GROUPS:
        raise _denied("too_many_groups")
    groups: set[str] = set()
    for each in listed:
        name = mapping.path.taken(each) if isinstance(each, str) and len(each) <= MAX_TEXT else None
        if not name:
            continue
        name = mapping.rename.get(name, name)
        if mapping.allow is None or name in mapping.allow:
            groups.add(mapping.prefix + name)
    return frozenset(groups)


def _attribute(path: ClaimPath, type_: str, claims: Claims) -> AttributeValue | None:
    found = path.find(claims)
    if found is None:
        return None
    if type_ == AttributeType.BOOL and isinstance(found, bool):
        return found
    if type_ == AttributeType.LONG and isinstance(found, int) and not isinstance(found, bool):
        return found
    if type_ == AttributeType.SET and isinstance(found, (list, tuple)):
        texts = [path.taken(each) for each in found if isinstance(each, str) and len(each) <= MAX_TEXT]
        if len(texts) != len(found) or len(texts) > MAX_GROUPS:
            raise _denied("attribute_not_understood")
        return tuple(text for text in texts if text is not None)
    if type_ == AttributeType.STRING:
        text = _text(path, claims)
        return text or None
    raise _denied("attribute_not_understood")


def _text(path: ClaimPath, claims: Claims) -> str:
    """The text there, empty when there is none that fits. SAML gives every attribute as a list: a list of one is that one."""
    found = path.find(claims)
    if isinstance(found, (list, tuple)) and len(found) == 1:
        found = found[0]
    if not isinstance(found, str) or len(found) > MAX_TEXT:
        return ""
    return path.taken(found) or ""


def _equal(found: object, wanted: object) -> bool:
    """Equal in value and type (`1` is not `true`); a list that is found need only contain what is wanted."""
    if isinstance(found, (list, tuple)) and not isinstance(wanted, (list, tuple)):
        return any(_equal(each, wanted) for each in found)
    return type(found) is type(wanted) and found == wanted


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError(_WRONG, detail=why)
