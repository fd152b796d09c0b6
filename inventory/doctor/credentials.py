"""
What RingCentral lets us do: the login, the app's scopes, the user's permission.

Source: developer guide, *Application permissions and scopes*: what can be done is what the app's
scopes and the user's role both allow.
"""

from __future__ import annotations

from collections.abc import Collection

from inventory.confirmation import PERMISSION
from inventory.doctor.judgement import Judgement, failed, ok, together, warning
from inventory.ringcentral import Denied, RingCentralError

SCOPES = {
    "ReadAccounts": "to be told of numbers, and to read them",
    "SubscriptionWebhook": "to subscribe a webhook",
}
LABELS = {
    "ReadAccounts": "Read Accounts",
    "SubscriptionWebhook": "Webhook Subscriptions",
    "WebSocketsSubscription": "WebSocket Subscriptions",
}
"""As the developer console calls them."""
WEBSOCKET = "WebSocketsSubscription"
"""As the guide names it; the specification has `WebSocket`: whatever begins so will do."""

# The codes are RFC 6749's, as RingCentral answers them.
LOGIN_MENDS = {
    "invalid_client": "set INVENTORY_RINGCENTRAL_CLIENT_ID and INVENTORY_RINGCENTRAL_CLIENT_SECRET "
    "as the app's page in the developer console shows them",
    "unauthorized_client": "let the app use the JWT auth flow: developer console, the app's "
    "settings, Auth",
    "invalid_grant": "make a new JWT credential, for this app, in the developer console, and set "
    "INVENTORY_RINGCENTRAL_JWT to it",
}


def judge_login(error: RingCentralError | None) -> Judgement:
    """Whether the credentials open a session; *error* says why not."""
    if error is None:
        return ok("the JWT was accepted")
    if isinstance(error, Denied):
        others = "compare the app's client id, secret and JWT credential in the developer console"
        return failed(str(error), LOGIN_MENDS.get(error.code or "", others))
    return failed(
        str(error),
        "see that this machine reaches INVENTORY_RINGCENTRAL_URL (firewall, proxy), and try again",
    )


def judge_scopes(scopes: Collection[str] | None, *, webhook: bool) -> Judgement:
    """
    Whether the app may do what it will be asked to.

    Args:
        scopes: By RingCentral's names; null: it did not say.
        webhook: Whether it is to subscribe one; else a WebSocket is the way.
    """
    if scopes is None:
        return warning(
            "RingCentral did not say which scopes the app has",
            "compare them in the developer console: " + ", ".join(LABELS.values()),
        )
    flaws = [
        failed(f"scope {scope} is missing, {purpose}", _add(scope))
        for scope, purpose in SCOPES.items()
        if scope not in scopes and (webhook or scope == "ReadAccounts")
    ]
    if not webhook and not any(scope.startswith("WebSocket") for scope in scopes):
        flaws.append(
            warning(
                f"scope {WEBSOCKET} is missing, to be told by `inventory listen`", _add(WEBSOCKET)
            )
        )
    return together(flaws, " ".join(sorted(scopes)))


def judge_permission(*, granted: bool) -> Judgement:
    """Whether the user may see every number: what cannot be seen looks as if it were deleted."""
    if granted:
        return ok(f"the user has {PERMISSION}")
    return failed(
        f"the user of the JWT lacks permission {PERMISSION}: numbers of others cannot be seen",
        f"give that user a role with {PERMISSION}, as administrators have, in the Admin Portal",
    )


def _add(scope: str) -> str:
    return (
        f"developer console, the app's settings, App Permissions: add {LABELS[scope]} ({scope}), "
        "then restart `inventory serve`"
    )
