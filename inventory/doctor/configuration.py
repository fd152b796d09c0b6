"""The settings by themselves: what is set is set completely, and can be what is meant."""

from __future__ import annotations

from urllib.parse import urlsplit

from inventory.doctor.judgement import Judgement, failed, ok, skipped
from inventory.settings import PREFIX, Settings, is_loopback
from inventory.subscription import shown_address

CREDENTIALS = ("ringcentral_client_id", "ringcentral_client_secret", "ringcentral_jwt")
"""What access to RingCentral needs; its address has a default."""


def judge_access(settings: Settings) -> Judgement:
    """Access to RingCentral: complete, absent, or given by half."""
    missing = [name for name in CREDENTIALS if getattr(settings, name) is None]
    given = [*({*CREDENTIALS} - {*missing}), *({"ringcentral_url"} & settings.model_fields_set)]
    names = ", ".join(variable(name) for name in missing)
    if missing and given:
        there = ", ".join(sorted(map(variable, given)))
        return failed(f"{there} set, but not {names}", f"set {names} too, or none of them")
    if missing:
        return skipped("no access to RingCentral is configured", f"set {names}")
    return ok(f"complete, for {settings.ringcentral_url}")


def judge_webhook_url(settings: Settings) -> Judgement:
    """The receiver's public address: one to which RingCentral can deliver."""
    name = variable("webhook_url")
    if settings.webhook_url is None:
        return skipped(
            f"{name} is not set",
            f"set {name} where RingCentral is to deliver by webhook; `inventory listen` needs none",
        )
    address = settings.webhook_url.get_secret_value()
    expected = f"set {name} to the receiver's public address, https://…/webhooks/ringcentral"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        return failed(f"{name} is no address of a web server", expected)
    shown = shown_address(address)
    if is_loopback(host):
        if not is_loopback(urlsplit(settings.ringcentral_url).hostname or ""):
            return failed(f"{shown} is on loopback, where RingCentral cannot deliver", expected)
    elif parts.scheme != "https":
        return failed(f"{shown} is not https, and RingCentral delivers to nothing else", expected)
    return ok(str(shown))


def judge_webhook_token(settings: Settings) -> Judgement:
    """The verification token: without one the receiver believes whoever finds its address."""
    name = variable("webhook_token")
    tokens = len(settings.webhook_tokens)
    if not tokens and not settings.reached_from_outside:
        return ok("not set, and not needed: the receiver's address is on loopback")
    if not tokens:
        return failed(
            f"{name} is not set: anybody who finds the receiver can write into the log",
            f"set {name} to a long random text, restart `inventory serve`, then "
            "`inventory subscription ensure --replace`",
        )
    return ok("set" if tokens == 1 else f"{tokens} are valid, as while one replaces another")


def variable(name: str) -> str:
    """
    The environment's name of a setting.

    >>> variable("webhook_url")
    'INVENTORY_WEBHOOK_URL'
    """
    return f"{PREFIX}{name.upper()}"
