"""RingCentral's REST API: the few calls that the inventory makes."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from pydantic import SecretStr

from inventory.ringcentral.budget import Budget
from inventory.ringcentral.client import RingCentral
from inventory.ringcentral.errors import (
    Denied,
    NotFound,
    OnlyReading,
    Refused,
    RingCentralError,
    Unavailable,
)
from inventory.ringcentral.model import (
    DeliveryMode,
    DisabledFilter,
    Subscription,
    WebSocketToken,
)
from inventory.ringcentral.page import LAST_PAGE, Page
from inventory.ringcentral.requester import Told
from inventory.settings import InvalidSettings, Settings, is_loopback

__all__ = [
    "LAST_PAGE",
    "Budget",
    "DeliveryMode",
    "Denied",
    "DisabledFilter",
    "NotFound",
    "OnlyReading",
    "Page",
    "Refused",
    "RingCentral",
    "RingCentralError",
    "Subscription",
    "Told",
    "Unavailable",
    "WebSocketToken",
    "configured",
    "from_settings",
]


def configured(settings: Settings) -> bool:
    """Whether the settings give access to RingCentral."""
    return not _missing(settings)


def from_settings(settings: Settings, *, only_reading: bool = False) -> RingCentral:
    """
    A client for the access that the settings give, or for the part of it that only reads.

    Raises:
        InvalidSettings: They give none, or one that would send secrets in the clear.
    """
    if missing := _missing(settings):
        raise InvalidSettings(f"{', '.join(missing)}: needed for access to RingCentral")
    address = urlsplit(settings.ringcentral_url)
    if address.scheme != "https" and not is_loopback(address.hostname or ""):
        raise InvalidSettings(
            "INVENTORY_RINGCENTRAL_URL: expected https, since credentials go there; "
            "http is for loopback alone"
        )
    return RingCentral(
        settings.ringcentral_url,
        client_id=settings.ringcentral_client_id or "",
        client_secret=_secret(settings.ringcentral_client_secret),
        jwt=_secret(settings.ringcentral_jwt),
        ca=_authorities(settings),
        only_reading=only_reading,
    )


def _authorities(settings: Settings) -> ssl.SSLContext | None:
    if settings.ringcentral_ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ringcentral_ca)
    except OSError as error:
        raise InvalidSettings(
            f"INVENTORY_RINGCENTRAL_CA: {settings.ringcentral_ca}: {error.strerror or error}"
        ) from None


def _secret(setting: SecretStr | None) -> str:
    return "" if setting is None else setting.get_secret_value()


def _missing(settings: Settings) -> list[str]:
    """Names of the settings without which there is no access."""
    needed = ("ringcentral_client_id", "ringcentral_client_secret", "ringcentral_jwt")
    return [f"INVENTORY_{name.upper()}" for name in needed if getattr(settings, name) is None]
