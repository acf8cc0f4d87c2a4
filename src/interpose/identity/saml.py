"""A SAML 2.0 provider that people sign in with (Web Browser SSO profile): a signed request by redirect, a signed assertion by POST.

Two readers judge every answer, and both must agree: the shape and the words by `saml_xml` and `saml_assertion`, the signature and the
schema by python3-saml. Proves and maps; what becomes of a proof is the engine's. No assertion gets into an error, a log or an event.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import xmlsec
from lxml import etree
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from interpose.engine.signing_in import Departure, Proof
from interpose.identity.mapping import map_claims
from interpose.identity.saml_assertion import Assertion, Expected, read_assertion
from interpose.identity.saml_claims import claims_of
from interpose.identity.saml_metadata import POST, IdentityProviderMetadata, own_metadata
from interpose.identity.saml_xml import SAML, SAMLP, check_shape, decode, read
from interpose.model.errors import AuthenticationError, ProviderError
from interpose.model.principal import AuthenticationContext

if TYPE_CHECKING:
    from interpose.engine.ports import Clock, Ids
    from interpose.identity.saml_keys import ServiceKey
    from interpose.identity.saml_options import SamlOptions

METHOD: Final = "saml"
_RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_AT_ONCE: Final = 2
"""Answers that are judged at once: each costs some milliseconds of a processor, and anybody can send one."""
_UNSIGNED: Final = (
    OneLogin_Saml2_ValidationError.NO_SIGNATURE_FOUND,
    OneLogin_Saml2_ValidationError.NO_SIGNED_ASSERTION,
)
_ODD: Final = (OneLogin_Saml2_Error, etree.LxmlError, ValueError, TypeError, LookupError, AttributeError)
"""What python3-saml raises over documents that its authors did not think of."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What an answer proves. `assertion` names it, for its one use; `usable_until` is when it is worth nothing in any case."""

    proof: Proof
    assertion: bytes = field(repr=False)
    usable_until: float


class SamlProvider:
    """One provider."""

    def __init__(self, options: SamlOptions, key: Callable[[], Awaitable[ServiceKey]], clock: Clock, ids: Ids) -> None:
        """`key` answers the gateway's own key; raises `SecretError` or `StoreError`."""
        self.options = options
        self._key = key
        self._clock = clock
        self._ids = ids
        self._busy = asyncio.Semaphore(_AT_ONCE)

    def use(self, options: SamlOptions) -> None:
        """From now on this is what the provider says of itself (`described`); the other options are what they were."""
        self.options = options

    def entity_id(self, address: str) -> str:
        """The gateway's name towards this provider; `address` is where answers are posted to."""
        return self.options.entity_id or f"{address.rpartition('/')[0]}/metadata"

    async def metadata(self, address: str) -> bytes:
        """What the gateway says of itself; raises `SecretError`, `StoreError`."""
        return own_metadata(self.entity_id(address), address, await self._key())

    async def issuer(self) -> str:
        """The provider's own name; empty while its metadata cannot be read."""
        try:
            return self._provider().entity
        except ProviderError:
            return ""

    async def depart(self, address: str, *, again: bool = False) -> Departure:
        """Where a browser signs in; `again` asks the provider to authenticate the person anew.

        Raises `ProviderError`, `SecretError`, `StoreError`.
        """
        provider = self._provider()
        state = base64.urlsafe_b64encode(self._ids.secret_bytes(32)).rstrip(b"=").decode()
        # An NCName begins with no digit (SAML 2.0 Core §1.3.4).
        request = f"id-{self._ids.secret_bytes(20).hex()}"
        packed = _deflate(self._request(provider, request, address, again))
        # The signature is over exactly these bytes, in this order (SAML 2.0 Bindings §3.4.4.1).
        query = urlencode({"SAMLRequest": packed, "RelayState": state, "SigAlg": _RSA_SHA256})
        signature = await asyncio.to_thread((await self._key()).sign, query.encode())
        joined = "&" if "?" in provider.sign_in else "?"
        url = f"{provider.sign_in}{joined}{query}&{urlencode({'Signature': base64.b64encode(signature)})}"
        memory = {"request": request}
        return Departure(url, state, {**memory, "again": str(self._clock.wall())} if again else memory)

    async def arrive(self, departure: Departure | None, address: str, answer: Mapping[str, str]) -> Arrived:
        """Who came back with the form `answer`; `departure` is None when the provider began.

        Raises `AuthenticationError` with a machine word, `ProviderError`, `SecretError`, `StoreError`.
        """
        provider = self._provider()
        data = decode(answer.get("SAMLResponse", ""))
        now, memory = self._clock.wall(), {} if departure is None else departure.memory
        request = None if departure is None else memory["request"]
        expected = Expected(provider.entity, self.entity_id(address), address, request, now, self.options.leeway)
        key = await self._key()
        async with self._busy:
            found = await asyncio.to_thread(self._judge, data, provider, expected, key)
        # A provider may ignore what it was asked for, and then nobody is let in by it.
        if "again" in memory and found.authenticated_at < float(memory["again"]) - self.options.leeway:
            raise _denied("authenticated_too_long_ago")
        mapped = map_claims(self.options.mapping, claims_of(found, self.options.mapping))
        until = now + self.options.lifetime
        if found.session_until is not None:
            until = min(until, found.session_until)
        mfa = found.context in self.options.mfa_acr
        context = AuthenticationContext(found.authenticated_at, frozenset(), found.context, mfa, found.session)
        proof = Proof(self.options.name, METHOD, provider.entity, mapped.subject, mapped.principal, until, context)
        named = hashlib.sha256(f"{provider.entity}\0{found.id}".encode()).digest()
        return Arrived(proof, named, found.usable_until)

    async def in_answer_to(self, answer: Mapping[str, str]) -> str | None:
        """The id of the request that an answer, of whomever, says it answers; raises `AuthenticationError`."""
        data = decode(answer.get("SAMLResponse", ""))
        async with self._busy:
            root = await asyncio.to_thread(read, data)
        answered: str | None = root.get("InResponseTo")
        return answered

    def _judge(self, data: bytes, provider: IdentityProviderMetadata, expected: Expected, key: ServiceKey) -> Assertion:
        """What an answer says, once it is proven to be the provider's. Blocking.

        INVARIANT: what is read is what is signed: the same tree is read here and verified by python3-saml, after both its outer
        and its decrypted form have passed `check_shape`.
        """
        check_shape(read(data), decrypted=False)
        try:
            response = OneLogin_Saml2_Response(self._library(provider, expected, key), base64.b64encode(data))
        except xmlsec.Error:
            raise _denied("not_decrypted") from None
        except _ODD:
            raise _denied("second_reader_refused") from None
        if self.options.require_encryption and not response.encrypted:
            raise _denied("not_encrypted")
        root = read(etree.tostring(response.get_xml_document(), encoding="utf-8"))
        check_shape(root, decrypted=True)
        found = read_assertion(root, expected)
        self._verify(response, expected)
        return found

    def _verify(self, response: OneLogin_Saml2_Response, expected: Expected) -> None:
        scheme, _, rest = expected.address.partition("://")
        host, _, path = rest.partition("/")
        came = {"https": "on" if scheme == "https" else "off", "http_host": host, "script_name": f"/{path}"}
        try:
            response.is_valid(came, expected.request, raise_exceptions=True)
        except OneLogin_Saml2_ValidationError as error:
            if error.code == OneLogin_Saml2_ValidationError.INVALID_SIGNATURE:
                raise _denied("bad_signature") from None
            if error.code == OneLogin_Saml2_ValidationError.INVALID_XML_FORMAT:
                raise _denied("xml_not_by_schema") from None
            raise _denied("assertion_unsigned" if error.code in _UNSIGNED else "second_reader_refused") from None
        except (*_ODD, xmlsec.Error):
            raise _denied("second_reader_refused") from None

    def _library(
        self, provider: IdentityProviderMetadata, expected: Expected, key: ServiceKey
    ) -> OneLogin_Saml2_Settings:
        return OneLogin_Saml2_Settings(
            {
                "strict": True,
                "sp": {
                    "entityId": expected.audience,
                    "assertionConsumerService": {"url": expected.address, "binding": POST},
                    "x509cert": key.certificate,
                    "privateKey": key.pem,
                },
                "idp": {
                    "entityId": provider.entity,
                    "singleSignOnService": {"url": provider.sign_in},
                    "x509certMulti": {"signing": list(provider.certificates), "encryption": []},
                },
                "security": {
                    "wantAssertionsSigned": True,
                    "rejectDeprecatedAlgorithm": True,
                    "wantAttributeStatement": False,
                    "wantAssertionsEncrypted": self.options.require_encryption,
                    "allowRepeatAttributeName": True,
                    "allowSingleLabelDomains": True,
                },
            }
        )

    def _request(self, provider: IdentityProviderMetadata, request: str, address: str, again: bool) -> bytes:
        root = etree.Element(
            f"{SAMLP}AuthnRequest",
            {
                "ID": request,
                "Version": "2.0",
                "IssueInstant": datetime.fromtimestamp(self._clock.wall(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "Destination": provider.sign_in,
                "AssertionConsumerServiceURL": address,
                "ProtocolBinding": POST,
            },
            nsmap={"samlp": SAMLP[1:-1], "saml": SAML[1:-1]},
        )
        if again:
            root.set("ForceAuthn", "true")
        etree.SubElement(root, f"{SAML}Issuer").text = self.entity_id(address)
        if self.options.name_id_format is not None:
            policy = {"Format": self.options.name_id_format, "AllowCreate": "true"}
            etree.SubElement(root, f"{SAMLP}NameIDPolicy", policy)
        return bytes(etree.tostring(root))

    def _provider(self) -> IdentityProviderMetadata:
        """What the provider says of itself. Raises `ProviderError` for what is over."""
        found = self.options.described
        if found is None:
            raise _unusable("it was not read")
        if found.valid_until is not None and found.valid_until <= self._clock.wall():
            raise _unusable("its `validUntil` is over")
        return found


def _deflate(data: bytes) -> str:
    """As the redirect binding packs it (SAML 2.0 Bindings §3.4.4.1)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(packer.compress(data) + packer.flush()).decode()


def _unusable(why: str) -> ProviderError:
    return ProviderError(
        "the identity provider's metadata cannot be used", detail=why, hint="get it from the provider again"
    )


def _denied(why: str) -> AuthenticationError:
    return AuthenticationError("authentication failed", detail=why)
