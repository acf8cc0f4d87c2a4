"""What an assertion must say to count here, exactly: from whom, for whom, where to, in answer to what, and when (SAML 2.0 Profiles §4.1.4).

Reads a document of the shape that `saml_xml` let through; that it is signed is checked elsewhere. No value gets into an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from interpose.identity.saml_xml import SAML, SAMLP
from interpose.model.errors import AuthenticationError

BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
_ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z")
_CONDITIONS: Final = frozenset(f"{SAML}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction"))


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer must be. `request` is the id of our request, None for an answer that nobody asked for. Times in seconds."""

    issuer: str
    audience: str
    address: str
    request: str | None
    now: float
    leeway: float


@dataclass(frozen=True, slots=True)
class Assertion:
    """What one assertion says. `usable_until`: when it can certainly not be used again; `session_until`: the provider's own end.

    `authenticated_at` and `context` are when and how the person authenticated there, `session` is the provider's name for its session.
    """

    id: str
    name_id: str = field(repr=False)
    format: str
    attributes: Mapping[str, tuple[str, ...]] = field(repr=False)
    usable_until: float
    session_until: float | None
    authenticated_at: float
    context: str
    session: str


def read_assertion(root: etree._Element, expected: Expected) -> Assertion:
    """The one assertion of a response; raises `AuthenticationError` with a machine word."""
    _check_response(root, expected)
    assertion = root.find(f"{SAML}Assertion")
    assert assertion is not None
    identifier = assertion.get("ID", "")
    if assertion.get("Version") != "2.0" or not identifier:
        raise _denied("version_wrong")
    if _issuer(assertion) != expected.issuer:
        raise _denied("wrong_issuer")
    if _time(assertion.get("IssueInstant")) > expected.now + expected.leeway:
        raise _denied("not_yet_valid")
    until = _check_conditions(_one(assertion, "Conditions"), expected)
    subject = _one(assertion, "Subject")
    until = max(until, _check_confirmations(subject, expected))
    statement = _one(assertion, "AuthnStatement")
    session = statement.get("SessionNotOnOrAfter")
    session_until = None if session is None else _time(session)
    if session_until is not None and session_until <= expected.now:
        raise _denied("no_longer_valid")
    name_id = _one(subject, "NameID")
    context = statement.find(f"{SAML}AuthnContext/{SAML}AuthnContextClassRef")
    return Assertion(
        identifier,
        _text(name_id),
        name_id.get("Format", ""),
        _attributes(assertion),
        until + expected.leeway,
        session_until,
        _time(statement.get("AuthnInstant")),
        "" if context is None else _text(context),
        statement.get("SessionIndex", ""),
    )


def _check_response(root: etree._Element, expected: Expected) -> None:
    if root.get("Version") != "2.0":
        raise _denied("version_wrong")
    code = root.find(f"{SAMLP}Status/{SAMLP}StatusCode")
    if code is None or code.get("Value") != _SUCCESS:
        raise _denied(f"provider_said_{_status(code)}")
    if root.get("Destination") != expected.address:
        raise _denied("wrong_destination")
    if root.find(f"{SAML}Issuer") is not None and _issuer(root) != expected.issuer:
        raise _denied("wrong_issuer")
    if root.get("InResponseTo") != expected.request:
        raise _denied("wrong_request")


def _check_conditions(conditions: etree._Element, expected: Expected) -> float:
    """When they end. A condition that is not understood makes the assertion worth nothing (SAML 2.0 Core §2.5.1)."""
    _check_times(conditions, expected)
    if any(child.tag not in _CONDITIONS for child in conditions):
        raise _denied("condition_not_understood")
    restrictions = conditions.findall(f"{SAML}AudienceRestriction")
    # Each restriction must name us, and there must be one: an assertion for everybody is not for us.
    named = [expected.audience in [_text(each) for each in one.findall(f"{SAML}Audience")] for one in restrictions]
    if not named or not all(named):
        raise _denied("wrong_audience")
    return _time(conditions.get("NotOnOrAfter"))


def _check_confirmations(subject: etree._Element, expected: Expected) -> float:
    """The end of the bearer confirmation that holds; the first one's fault when none does."""
    faults: list[AuthenticationError] = []
    for confirmation in subject.findall(f"{SAML}SubjectConfirmation"):
        data = confirmation.find(f"{SAML}SubjectConfirmationData")
        if confirmation.get("Method") != BEARER or data is None:
            continue
        try:
            if data.get("Recipient") != expected.address:
                raise _denied("wrong_recipient")
            if data.get("InResponseTo") != expected.request:
                raise _denied("wrong_request")
            _check_times(data, expected)
        except AuthenticationError as error:
            faults.append(error)
        else:
            return _time(data.get("NotOnOrAfter"))
    raise faults[0] if faults else _denied("no_confirmation")


def _check_times(element: etree._Element, expected: Expected) -> None:
    if _time(element.get("NotOnOrAfter")) + expected.leeway <= expected.now:
        raise _denied("assertion_expired")
    begins = element.get("NotBefore")
    if begins is not None and _time(begins) > expected.now + expected.leeway:
        raise _denied("not_yet_valid")


def _attributes(assertion: etree._Element) -> dict[str, tuple[str, ...]]:
    """By name. A value with elements in it says nothing here."""
    found: dict[str, tuple[str, ...]] = {}
    for attribute in assertion.iterfind(f"{SAML}AttributeStatement/{SAML}Attribute"):
        values = [_text(each) for each in attribute.findall(f"{SAML}AttributeValue") if not len(each)]
        name = attribute.get("Name", "")
        found[name] = (*found.get(name, ()), *(value for value in values if value))
    return found


def _issuer(element: etree._Element) -> str:
    issuer = _one(element, "Issuer")
    return _text(issuer) if issuer.get("Format", _ENTITY) == _ENTITY else ""


def _one(element: etree._Element, name: str) -> etree._Element:
    found = element.findall(f"{SAML}{name}")
    if len(found) != 1 or (name in ("Issuer", "NameID") and len(found[0])):
        raise _denied(_fault(name))
    return found[0]


def _fault(name: str) -> str:
    if name == "Issuer":
        return "wrong_issuer"
    if name == "Conditions":
        return "no_conditions"
    return "no_authentication" if name == "AuthnStatement" else "no_subject"


def _text(element: etree._Element) -> str:
    # All of the text: what stops at a child would read half of a name.
    return "".join(element.itertext()).strip()


def _time(text: str | None) -> float:
    match = _TIME.fullmatch(text or "")
    try:
        if match is None:
            raise ValueError
        return datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp() + float(match[2] or 0)
    except ValueError:
        raise _denied("times_not_understood") from None


def _status(code: etree._Element | None) -> str:
    """The most exact word that the provider gave, as a machine word."""
    if code is None:
        return "something"
    inner = code.find(f"{SAMLP}StatusCode")
    word = (code if inner is None else inner).get("Value", "").rpartition(":")[2]
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()
    return snake if re.fullmatch(r"[a-z_]{1,40}", snake) else "something"


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError("authentication failed", detail=why)
