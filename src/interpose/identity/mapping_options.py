"""A provider's `mapping` as the configuration gives it, checked strictly.

```yaml
mapping:
  name: {claim: email, pattern: '(?P<name>[^@]+)@example\\.com'}
  groups: {claim: realm_access.roles, allow: [support, dba], rename: {Database Admins: dba}}
  attributes: {manager: manager, clearance: {claim: clearance, type: long}}
  domains: [example.com]
  require: {amr: mfa}
  acting_for: on_behalf_of   # of an agent only
  task: job
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from interpose.identity.mapping import GROUP_IN_FORM, AttributeType, ClaimMapping, ClaimPath, GroupMapping
from interpose.model.errors import Problem
from interpose.model.principal import PrincipalKind

_DOMAIN: Final = re.compile(r"[^\s@/:*]{1,253}")
_KEYS: Final = (
    "name",
    "subject",
    "name_prefix",
    "name_suffix",
    "groups",
    "attributes",
    "domains",
    "require",
    "acting_for",
    "task",
)
_KINDS: Final = {kind.name.lower(): kind for kind in PrincipalKind}


def parse_mapping(
    raw: object, problems: list[Problem], *, kind: object = "user", default: ClaimMapping | None = None
) -> ClaimMapping:
    """The mapping in `raw` (None: the default); every fault goes into `problems`, an unknown key included.

    `kind` is the provider's `kind`: `user`, `service` or `agent`.
    """
    base = default or ClaimMapping()
    of_kind = _KINDS.get(kind) if isinstance(kind, str) else None
    if of_kind is None:
        problems.append(Problem(f"`kind` cannot be `{kind}`", hint=_nearest(str(kind), _KINDS)))
        of_kind = PrincipalKind.USER
    given = _mapping("mapping", {} if raw is None else raw, _KEYS, problems)
    groups = given.get("groups")
    of_agent = [key for key in ("acting_for", "task") if key in given]
    if of_agent and of_kind is not PrincipalKind.AGENT:
        problems.append(Problem(f"only an agent has `{of_agent[0]}`", hint="write `kind: agent`, or leave it out"))
        of_agent = []
    return ClaimMapping(
        kind=of_kind,
        name=_path("name", given.get("name"), base.name, problems),
        subject=_path("subject", given.get("subject"), base.subject, problems),
        name_prefix=_text("name_prefix", given.get("name_prefix", ""), problems),
        name_suffix=_text("name_suffix", given.get("name_suffix", ""), problems),
        groups=None if groups is None else _groups(groups, problems),
        attributes=_attributes(given.get("attributes"), problems),
        domains=_domains(given.get("domains", []), problems),
        require=_required(given.get("require"), problems),
        **{key: _path(key, given[key], None, problems) for key in of_agent},
    )


def _domains(raw: object, problems: list[Problem]) -> frozenset[str]:
    found = _texts("domains", raw, problems)
    problems.extend(
        Problem(f"`{text[:80]}` is no domain of e-mail addresses", hint="write `example.com`")
        for text in found
        if not _DOMAIN.fullmatch(text)
    )
    return frozenset(text.lower() for text in found)


def _groups(raw: object, problems: list[Problem]) -> GroupMapping:
    if isinstance(raw, str):
        raw = {"claim": raw}
    given = _mapping("groups", raw, ("claim", "pattern", "form", "allow", "prefix", "rename"), problems)
    allow = given.get("allow")
    rename = _mapping("groups.rename", given.get("rename", {}), None, problems)
    prefix = _text("groups.prefix", given.get("prefix", ""), problems)
    if allow is None and not prefix:
        problems.append(
            Problem(
                "`groups` lets the provider give any group, the gateway's own included",
                hint="list what it may give in `allow`, or put a `prefix` before what it says",
            )
        )
    return GroupMapping(
        _path("groups", {key: given[key] for key in ("claim", "pattern", "form") if key in given}, None, problems),
        None if allow is None else frozenset(_texts("groups.allow", allow, problems)),
        prefix,
        {name: _text(f"groups.rename.{name}", value, problems) for name, value in rename.items()},
    )


def _attributes(raw: object, problems: list[Problem]) -> dict[str, tuple[ClaimPath, str]]:
    found: dict[str, tuple[ClaimPath, str]] = {}
    for name, value in _mapping("attributes", {} if raw is None else raw, None, problems).items():
        where = f"attributes.{name}"
        inner = (
            {"claim": value}
            if isinstance(value, str)
            else _mapping(where, value, ("claim", "pattern", "form", "type"), problems)
        )
        type_ = inner.get("type", AttributeType.STRING)
        if type_ not in AttributeType.ALL:
            problems.append(
                Problem(f"`{where}.type` cannot be `{type_}`", hint=_nearest(str(type_), AttributeType.ALL))
            )
        path = _path(where, {key: inner[key] for key in ("claim", "pattern", "form") if key in inner}, None, problems)
        found[name] = (path, str(type_))
    return found


def _path(where: str, raw: object, default: ClaimPath | None, problems: list[Problem]) -> ClaimPath:
    if raw is None and default is not None:
        return default
    given = {"claim": raw} if isinstance(raw, str) else _mapping(where, raw, ("claim", "pattern", "form"), problems)
    claim, pattern, form = (
        given.get("claim"),
        given.get("pattern"),
        _text(f"{where}.form", given.get("form", ""), problems),
    )
    steps: tuple[str, ...] = ("",)
    if isinstance(claim, str) and claim:
        # A namespaced claim, `https://example.com/groups`, is one name.
        steps = (claim,) if "/" in claim else tuple(claim.split("."))
    elif isinstance(claim, list) and claim and all(isinstance(step, str) and step for step in claim):
        steps = tuple(claim)
    else:
        problems.append(Problem(f"`{where}` names no claim", hint="write `claim: a.b`, or a list of names"))
    compiled: re.Pattern[str] | None = None
    if pattern is not None:
        try:
            compiled = re.compile(str(pattern))
        except re.error as error:
            problems.append(
                Problem(f"`{where}.pattern` is no regular expression: {error}", hint="take `(?P<name>…)` of it")
            )
    known = frozenset() if compiled is None else compiled.groupindex.keys()
    unknown = sorted(set(GROUP_IN_FORM.findall(form)) - known)
    if unknown or (form and not GROUP_IN_FORM.search(form)):
        problems.append(
            Problem(f"`{where}.form` names no group of `pattern`", hint="write `(?P<a>…)` in it, and `{a}` in `form`")
        )
        form = ""
    return ClaimPath(steps, compiled, form)


def _required(raw: object, problems: list[Problem]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in _mapping("require", {} if raw is None else raw, None, problems).items():
        if isinstance(value, (str, bool, int)):
            found[name] = value
        else:
            problems.append(Problem(f"`require.{name}` must be a text, a number, true or false"))
    return found


def _mapping(where: str, raw: object, keys: tuple[str, ...] | None, problems: list[Problem]) -> Mapping[str, object]:
    if not isinstance(raw, Mapping):
        problems.append(Problem(f"`{where}` must be a mapping", hint=f"found `{raw}`"))
        return {}
    if keys is not None:
        problems += [
            Problem(f"unknown key `{where}.{key}`", hint=_nearest(str(key), keys)) for key in raw if key not in keys
        ]
    return {str(key): value for key, value in raw.items()}


def _texts(where: str, raw: object, problems: list[Problem]) -> list[str]:
    if isinstance(raw, list) and all(isinstance(each, str) and each for each in raw):
        return [str(each) for each in raw]
    problems.append(Problem(f"`{where}` must be a list of texts", hint=f"found `{raw}`"))
    return []


def _text(where: str, raw: object, problems: list[Problem]) -> str:
    if isinstance(raw, str):
        return raw
    problems.append(Problem(f"`{where}` must be a text", hint=f"found `{raw}`"))
    return ""


def _nearest(word: str, known: Iterable[str]) -> str:
    names = list(known)
    close = get_close_matches(word, names, 1)
    return f"did you mean `{close[0]}`?" if close else "known here: " + ", ".join(f"`{name}`" for name in names)
