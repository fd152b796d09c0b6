"""`inventory listen`: notifications over a WebSocket, for sites that RingCentral cannot reach."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress

import click

from inventory import ringcentral
from inventory.cli.listening import log_to_standard_error
from inventory.cli.session import Session, pass_session
from inventory.errands import Errands
from inventory.ingest import Intake
from inventory.listener import Listener
from inventory.subscription import ask_for_reconciliation


@click.command()
@pass_session
def listen(session: Session) -> None:
    """
    Receive RingCentral's notifications over a WebSocket, and fold them as they come.

    For sites without public ingress; beside a webhook it would deliver everything twice, which is
    harmless. Connects again by itself, and leaves word for a reconciliation when notifications may
    have been missed. Stops on SIGTERM or Ctrl-C.
    """
    settings = session.settings
    log_to_standard_error(settings)
    stopped = threading.Event()
    with ExitStack() as stack:
        client = stack.enter_context(ringcentral.from_settings(settings))
        database = stack.enter_context(session.database())
        errands = Errands(database, settings.model_copy(update={"webhook_url": None}))
        intake = Intake(
            "websocket", account_id=settings.account_id, future_tolerance=settings.future_tolerance
        )

        def take(payload: bytes) -> None:
            with database.connect(autocommit=True) as connection:
                intake.write(connection, intake.read([payload]))
            errands.appended()

        def missed(reason: str) -> None:
            with database.connect(autocommit=True) as connection:
                ask_for_reconciliation(connection, client.account_id(), reason)

        errands.start()
        stack.callback(errands.stop)
        stack.callback(stopped.set)
        stack.enter_context(suppress(KeyboardInterrupt))
        Listener(client, take=take, missed=missed, stopped=stopped.is_set, wait=stopped.wait).run()
