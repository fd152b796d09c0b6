"""`inventory serve`: the receiver, the projector and what asks RingCentral, in one process."""

from __future__ import annotations

import gc

import click
import uvicorn

from inventory import web
from inventory.cli.listening import address_of, listening, log_to_standard_error
from inventory.cli.session import Session, pass_session
from inventory.errors import InventoryError
from inventory.settings import InvalidSettings, is_loopback

DRAIN = 10
"""Seconds that requests in hand have to end, after a signal to stop."""
CONNECTIONS = 2_000
"""At once; beyond them the answer is 503, and RingCentral's balancers hold far fewer."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any free one"
)
@pass_session
def serve(session: Session, host: str, port: int) -> None:
    """
    Receive RingCentral's notifications at /webhooks/ringcentral, and fold them as they come.

    Answers questions at /api/v1 as well: without a token, this machine's users only, and only while
    no receiver for RingCentral is set up; once `inventory token create` has made one, its bearers.
    Stops on SIGTERM or Ctrl-C, when all that was received is written. Several on one database work
    together.
    """
    settings = session.settings
    if not settings.webhook_tokens and not is_loopback(host):
        raise InvalidSettings(
            f"INVENTORY_WEBHOOK_TOKEN: needed to listen on {host}; without it anybody could write, "
            "and only loopback is allowed"
        )
    log_to_standard_error(settings)
    with session.database() as database, listening(host, port) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                web.application(database, settings, host),
                http=web.ImpatientProtocol,
                log_config=None,
                access_log=False,  # an address may carry a secret in its query string
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies),
                limit_concurrency=CONNECTIONS,
                timeout_graceful_shutdown=DRAIN,
            )
        )
        # What was imported is here to stay: the collector need not look through it again and again.
        gc.freeze()
        click.echo(f"listening on {address_of(listener)}", err=True)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            # uvicorn raises the signal again when it has drained; that is what was asked for.
            if server.force_exit:
                raise
        if not server.started:
            raise InventoryError("the server did not start; the log above says why")
