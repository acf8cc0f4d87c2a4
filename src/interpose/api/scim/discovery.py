"""What this service provider can do, told as RFC 7643 §5 to §7 have it."""

from __future__ import annotations

from typing import Final

from interpose.api.scim.resources import GROUP, USER, list_json

PAGE: Final = 200
"""Resources of one answer at most."""
_CONFIG: Final = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_TYPE: Final = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:Schema"


def service_provider_config(base: str) -> dict[str, object]:
    """Which parts of RFC 7644 there are."""
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": PAGE},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": False},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "the token that `scim.token` of the provider refers to",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> list[dict[str, object]]:
    """Users and groups."""
    return [
        {
            "schemas": [_TYPE],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
        }
        for name, schema in (("User", USER), ("Group", GROUP))
    ]


def schemas(base: str) -> list[dict[str, object]]:
    """The attributes that are kept; others are taken and dropped."""
    user = [
        _attribute("userName", required=True, uniqueness="server"),
        _attribute("externalId", case_exact=True),
        _attribute("displayName"),
        _attribute("active", type_="boolean"),
    ]
    member = [_attribute("value", case_exact=True), _attribute("$ref", type_="reference")]
    group = [
        _attribute("displayName", required=True),
        _attribute("externalId", case_exact=True),
        {**_attribute("members", type_="complex"), "multiValued": True, "subAttributes": member},
    ]
    return [
        {
            "schemas": [_SCHEMA],
            "id": ident,
            "name": name,
            "description": description,
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{ident}"},
        }
        for ident, name, description, attributes in (
            (USER, "User", "a person of the provider", user),
            (GROUP, "Group", "a group of the provider", group),
        )
    ]


def listed(resources: list[dict[str, object]]) -> dict[str, object]:
    """All of them, on one page."""
    return list_json(resources, len(resources), 1)


def _attribute(
    name: str, *, type_: str = "string", required: bool = False, case_exact: bool = False, uniqueness: str = "none"
) -> dict[str, object]:
    return {
        "name": name,
        "type": type_,
        "multiValued": False,
        "required": required,
        "caseExact": case_exact,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": uniqueness,
    }
