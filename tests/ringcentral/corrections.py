"""
What is known of RingCentral's specification besides what it says: where it is wrong, and silent.

Each with the reason, so that it can be thrown out when the specification has been mended.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Schema = dict[str, Any]
SCHEMAS = ("components", "schemas")


class Correction(NamedTuple):
    """Where an extract is known to be wrong."""

    extract: str
    place: tuple[str, ...]
    right: Any
    why: str


CORRECTIONS = (
    Correction(
        "subscription",
        ("components", "parameters", "SubscriptionId", "schema", "maxLength"),
        36,
        "20, while ids are UUIDs of 36 characters, in its own examples too",
    ),
    Correction(
        "subscription",
        (*SCHEMAS, "SubscriptionInfo", "properties", "uri", "format"),
        "uri-reference",
        "over a WebSocket it is relative",
    ),
    Correction(
        "subscription",
        (*SCHEMAS, "WebSocketDeliveryMode", "properties", "encryption"),
        {"type": "boolean"},
        "missing, while recorded answers have it",
    ),
    Correction(
        "subscription",
        (*SCHEMAS, "WebSocketDeliveryMode", "required"),
        ["transportType", "encryption"],
        "as above",
    ),
    Correction(
        "subscription",
        (*SCHEMAS, "SubscriptionInfo", "properties", "blacklistedData", "required"),
        ["reason", "blacklistedAt"],
        "nothing is required of it, while recorded answers have both",
    ),
    Correction(
        "phone-number-v1",
        (*SCHEMAS, "CompanyPhoneNumberInfo", "required"),
        ["uri", "id", "phoneNumber", "paymentType", "type", "usageType", "status"],
        "nothing is required of a number, not even its id",
    ),
    Correction(
        "phone-number-v1",
        (*SCHEMAS, "ContactCenterProvider", "required"),
        ["id", "name"],
        "a provider need not say which it is; recorded ones have both",
    ),
    Correction(
        "phone-number-v1",
        (*SCHEMAS, "AccountPhoneNumbers", "required"),
        ["uri", "records", "paging", "navigation"],
        "nothing is required of a list",
    ),
    Correction(
        "phone-number-v1",
        (*SCHEMAS, "PageNavigationUri", "required"),
        ["uri"],
        "a link need not hold its address",
    ),
    Correction(
        "authz-check",
        (*SCHEMAS, "AuthProfileCheckResource", "required"),
        ["uri", "successful"],
        "the answer to the question is not required",
    ),
    Correction(
        "authz-check",
        (*SCHEMAS, "PermissionIdResource", "required"),
        ["id"],
        "a permission need not say which it is",
    ),
    Correction(
        "wstoken",
        (*SCHEMAS, "WsTokenResponse", "required"),
        ["ws_access_token", "expires_in", "uri"],
        "where to connect to is not required",
    ),
)

ERRORS = {
    400: "ParameterizedErrorResponseModel",
    401: "ApiErrorResponseModel",
    403: "ApiErrorResponseModel",
    404: "ApiErrorResponseModel",
    429: "ApiErrorResponseModel",
    503: "ApiErrorResponseModel",
}
"""Schemas of the errors that an operation does not name, though every operation can give them."""

Operation = tuple[str, str]
"""A method and a path of the specification."""

TOKEN: Operation = ("POST", "/restapi/oauth/token")
WSTOKEN: Operation = ("POST", "/restapi/oauth/wstoken")
ACCOUNT: Operation = ("GET", "/restapi/v1.0/account/{accountId}")
CHECK: Operation = (
    "GET",
    "/restapi/v1.0/account/{accountId}/extension/{extensionId}/authz-profile/check",
)
NUMBERS: Operation = ("GET", "/restapi/v1.0/account/{accountId}/phone-number")
NUMBER: Operation = ("GET", "/restapi/v1.0/account/{accountId}/phone-number/{phoneNumberId}")
SUBSCRIPTIONS: Operation = ("GET", "/restapi/v1.0/subscription")
SUBSCRIBE: Operation = ("POST", "/restapi/v1.0/subscription")
SUBSCRIPTION: Operation = ("GET", "/restapi/v1.0/subscription/{subscriptionId}")
UPDATE: Operation = ("PUT", "/restapi/v1.0/subscription/{subscriptionId}")
UNSUBSCRIBE: Operation = ("DELETE", "/restapi/v1.0/subscription/{subscriptionId}")
RENEW: Operation = ("POST", "/restapi/v1.0/subscription/{subscriptionId}/renew")

# What the extracts do not have at all: the account, and the answer to a request of several ids,
# which the guide alone describes (*Batch Requests*).
UNSPECIFIED: dict[tuple[Operation, int], Schema] = {
    (ACCOUNT, 200): {
        "type": "object",
        "required": ["uri", "id", "status"],
        "properties": {
            "uri": {"type": "string", "format": "uri"},
            "id": {"type": "integer", "format": "int64"},
            "status": {"type": "string"},
            "mainNumber": {"type": "string"},
        },
    },
    (NUMBER, 207): {
        "type": "array",
        "minItems": 2,
        "items": {
            "type": "object",
            "required": ["resourceId", "status", "body"],
            "properties": {
                "resourceId": {"type": "string"},
                "status": {"type": "integer", "format": "int32"},
                "body": {"type": "object", "additionalProperties": True},
            },
        },
    },
}

NEVER_GIVEN = {
    500: "the simulator has no faults but those it is asked for",
    415: "the product sends forms alone to log in",
}
NEVER_GIVEN_BY = {
    (UPDATE, 403): "the user may always change what is theirs",
    (RENEW, 400): "the request has nothing in it that could be invalid",
    (RENEW, 403): "the user may always renew what is theirs",
}
"""Statuses that the specification names, which the simulator does not give, and why."""
