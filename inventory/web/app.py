"""The web application: its routes, and what runs beside them for as long as it is up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from psycopg import Connection
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from inventory.database import CONNECT_WITHIN, Database
from inventory.errands import DOUBT, POLL, STOPPED, Errands
from inventory.ingest import GroupCommit, Intake, Outcome
from inventory.settings import Settings, is_loopback
from inventory.web import api, documentation, pages, probes, problem
from inventory.web.gate import PROBES, Gate, Hosts
from inventory.web.guard import Guard
from inventory.web.metrics import Metrics, Receiving
from inventory.web.problem import Problem
from inventory.web.readers import Readers
from inventory.web.webhook import Webhook, refusing

WEBHOOK = "/webhooks/ringcentral"
OPEN = (WEBHOOK, *PROBES, *documentation.PATHS, *pages.OPEN)
"""What needs no token."""
READERS = 8
"""Questions that are answered at once."""
KEEPERS = 4
"""Those of them that only the application's role may answer at once: about tokens, quarantine."""
LOOKERS = 4
"""Pages that are put together at once."""
WRITE_WITHIN = "2s"
"""What a statement of the receiver may take; who waits for it is told at 2.5 s that it failed."""


def application(
    database: Database,
    settings: Settings,
    host: str = "127.0.0.1",
    *,
    poll: float = POLL,
    doubt: float = DOUBT,
    stopped: float = STOPPED,
    received: Callable[[Outcome], None] | None = None,
) -> ASGIApp:
    """
    The ASGI application that serves *database*, listened for on *host*.

    While it is up, a projector follows the log and, where the settings give access to RingCentral,
    the subscription is kept and doubts are dispelled. When it goes down, what waits is written
    first. It all happens with the rights of `inventory_app` and no more, where the user may do so.

    Args:
        database: Its schema is current.
        settings: What is asked of deliveries, and how RingCentral is reached.
        host: Where it is listened for.
        poll: Seconds between looks at the subscription.
        doubt: Seconds between looks for numbers in doubt.
        stopped: Seconds after which a projector that has not ended its turn counts as stopped.
        received: Told what became of each group of deliveries, in the event loop.
    """
    readers = {
        "inventory_reader": Readers(
            database.acting_as("inventory_reader"), READERS, held=api.STREAMS
        ),
        "inventory_app": Readers(database.acting_as("inventory_app"), KEEPERS, held=api.STREAMS),
    }
    database = database.acting_as("inventory_app")
    # Apart from those who tell who may ask, whom a page that takes its time must not keep waiting.
    lookers = Readers(database, LOOKERS)
    errands = Errands(database, settings, poll=poll, doubt=doubt, stopped=stopped)

    receiving = Receiving()

    def written(outcome: Outcome) -> None:
        receiving.took(outcome)
        if received is not None:
            received(outcome)
        if outcome.appended:
            errands.appended()

    def connect() -> Connection:
        connection = database.connect(
            connect_timeout=CONNECT_WITHIN, tcp_user_timeout=3000, autocommit=True
        )
        connection.execute(f"SET statement_timeout = '{WRITE_WITHIN}'")
        return connection

    intake = Intake(
        "webhook", account_id=settings.account_id, future_tolerance=settings.future_tolerance
    )
    commit = GroupCommit(connect, intake, written)
    webhook = Webhook(commit, settings.webhook_tokens, errands.reminded, receiving.answered)
    metrics = Metrics(readers["inventory_app"], receiving, errands)

    @asynccontextmanager
    async def up(_: Starlette) -> AsyncIterator[None]:
        errands.start()
        try:
            yield
        finally:
            await commit.close()
            await asyncio.to_thread(errands.stop)
            for each in (*readers.values(), lookers):
                await asyncio.to_thread(each.close)

    rest = Starlette(
        routes=[
            *probes.routes(database, errands),
            metrics.route(),
            *api.routes(readers),
            *documentation.routes(),
            *pages.routes(lookers, database, settings, errands),
            # Never comes here; any other method does, and is told so.
            Route(WEBHOOK, webhook, methods=["POST"]),
        ],
        exception_handlers={
            Problem: problem.of_problem,
            HTTPException: problem.of_http_exception,
            Exception: problem.of_fault,
        },
        lifespan=up,
    )
    rest.router.redirect_slashes = False
    guard = Guard(
        rest,
        readers["inventory_app"],
        open_paths=OPEN,
        open_here=is_loopback(host) and not settings.reached_from_outside,
    )
    rest.state.guard = guard
    gate = Gate(guard, Hosts.of(settings, host))
    # Who has the verification token is no page in a browser, under whatever name it found us; and
    # a notification must not be lost to a name that the settings forgot.
    receiver = webhook if settings.webhook_tokens else refusing(gate.refusal, webhook)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == WEBHOOK and scope["method"] == "POST":
            await receiver(scope, receive, send)
        else:
            await gate(scope, receive, send)

    return dispatch
