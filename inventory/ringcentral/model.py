"""
What RingCentral answers, as far as we read it.

Tolerant: unknown members are ignored and no enumeration is closed, since RingCentral's have grown
time and again. Source of the names: RingCentral's OpenAPI specification.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


Id = Annotated[str, BeforeValidator(_as_text)]
"""A string or a 64-bit number, depending on the resource."""
Instant = Annotated[datetime, AfterValidator(_in_utc)]
"""With `Z`, with `+0000`, or with no zone at all, which means UTC."""


class _Answer(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )


class DeliveryMode(_Answer):
    """How a subscription delivers. The verification token is never told again."""

    transport_type: str
    address: str | None = None


class DisabledFilter(_Answer):
    """A filter that was accepted and does not work."""

    filter: str
    reason: str | None = None
    message: str | None = None


class BlacklistedData(_Answer):
    """Why RingCentral delivers no more."""

    reason: str | None = None
    blacklisted_at: Instant | None = None


class Subscription(_Answer):
    """A subscription, `SubscriptionInfo` in the specification."""

    id: Id
    status: str
    """Active, or else it delivers nothing: Blacklisted, Suspended, Blocked, and what may come."""
    event_filters: list[str] = []
    """With ids in the place of `~`, and in whatever order."""
    disabled_filters: list[DisabledFilter] = []
    creation_time: Instant | None = None
    expiration_time: Instant | None = None
    delivery_mode: DeliveryMode
    blacklisted_data: BlacklistedData | None = None


class SubscriptionList(_Answer):
    """All subscriptions of the user and the app; it has no pages, and holds 30 at most."""

    records: list[Subscription] = []


class TokenAnswer(_Answer):
    """An access token. Its members are in snake case, unlike everything else."""

    model_config = ConfigDict(alias_generator=None)

    access_token: str
    expires_in: float
    scope: str | None = None
    """The app's scopes by name, with spaces between them."""


class WebSocketToken(_Answer):
    """What opens a WebSocket, once and at once. Its members are in snake case, too."""

    model_config = ConfigDict(alias_generator=None)

    ws_access_token: str
    uri: str


Json = dict[str, Any]
