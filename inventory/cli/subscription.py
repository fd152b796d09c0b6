"""`inventory subscription`: what makes RingCentral tell us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from psycopg import Connection

from inventory import ringcentral
from inventory.cli import output
from inventory.cli.session import Session, pass_session
from inventory.ringcentral import RingCentral, Subscription
from inventory.settings import InvalidSettings
from inventory.subscription import Keeper, remembered, shown_address

COLUMNS = ("id", "status", "transport", "address", "expiration_time", "event_filters")


@click.group()
def subscription() -> None:
    """RingCentral's subscriptions: what makes it tell us, and for how long."""


@subscription.command()
@click.option(
    "--replace",
    is_flag=True,
    help="Make a new one before the old one goes, as a new verification token needs.",
)
@output.format_option
@pass_session
def ensure(session: Session, format_: str | None, output_: Path | None, *, replace: bool) -> None:
    """
    See to it that exactly one subscription delivers to INVENTORY_WEBHOOK_URL.

    Adopts the one that is there, renews it if its end is near, and makes one only if there is none
    that delivers. The receiver must be up: RingCentral calls it before it agrees.
    """
    settings = session.settings
    if settings.webhook_url is None:
        raise InvalidSettings("INVENTORY_WEBHOOK_URL: needed, for RingCentral to deliver to")
    with _ringcentral(session) as (client, connection):
        keeper = Keeper(
            client,
            address=settings.webhook_url.get_secret_value(),
            token=next(iter(settings.webhook_tokens), None),
        )
        kept = keeper.ensure(connection, replace=replace)
    output.write([_row(kept.subscription)], list(COLUMNS), format_, output_)
    done = "created" if kept.created else "renewed" if kept.renewed else "kept"
    output.stderr.print(f"{done}=1 deleted={len(kept.deleted)}")


@subscription.command("list")
@output.format_option
@pass_session
def list_(session: Session, format_: str | None, output_: Path | None) -> None:
    """All subscriptions of the user and the app, as RingCentral has them now."""
    with _ringcentral(session) as (client, connection):
        found = remembered(connection, client)
    output.write([_row(each) for each in found], list(COLUMNS), format_, output_)


@subscription.command()
@click.argument("id_", metavar="ID")
@output.format_option
@pass_session
def renew(session: Session, id_: str, format_: str | None, output_: Path | None) -> None:
    """Begin a subscription's term anew."""
    with _ringcentral(session) as (client, connection):
        renewed = client.renew_subscription(id_)
        remembered(connection, client)
    output.write([_row(renewed)], list(COLUMNS), format_, output_)


@subscription.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@pass_session
def delete(session: Session, ids: tuple[str, ...]) -> None:
    """End subscriptions; nothing is delivered for them from then on."""
    with _ringcentral(session) as (client, connection):
        for id_ in ids:
            client.delete_subscription(id_)
        remembered(connection, client)
    output.stderr.print(f"deleted={len(ids)}")


@contextmanager
def _ringcentral(session: Session) -> Iterator[tuple[RingCentral, Connection]]:
    with (
        ringcentral.from_settings(session.settings) as client,
        session.database() as database,
        database.connect(autocommit=True) as connection,
    ):
        yield client, connection


def _row(found: Subscription) -> dict[str, Any]:
    return {
        "id": found.id,
        "status": found.status,
        "transport": found.delivery_mode.transport_type,
        "address": shown_address(found.delivery_mode.address),
        "expiration_time": found.expiration_time,
        "event_filters": found.event_filters,
    }
