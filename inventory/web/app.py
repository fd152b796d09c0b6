"""The web application: its routes, and what runs beside them for as long as it is up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import Connection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from inventory.database import Database, DatabaseUnavailable, SchemaOutdated
from inventory.errands import Errands
from inventory.ingest import GroupCommit, Intake, Outcome
from inventory.settings import Settings
from inventory.web.webhook import Webhook

WEBHOOK = "/webhooks/ringcentral"
CONNECT_WITHIN = 2
"""Seconds, the least that libpq knows."""
WRITE_WITHIN = "2s"
"""What a statement of the receiver may take; who waits for it is told at 2.5 s that it failed."""


def application(database: Database, settings: Settings) -> ASGIApp:
    """
    The ASGI application that serves *database*.

    While it is up, a projector follows the log and, where the settings give access to RingCentral,
    the subscription is kept and doubts are dispelled. When it goes down, what waits is written
    first.
    """
    errands = Errands(database, settings)

    def written(outcome: Outcome) -> None:
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
    webhook = Webhook(commit, settings.webhook_tokens, errands.reminded)

    @asynccontextmanager
    async def up(_: Starlette) -> AsyncIterator[None]:
        errands.start()
        try:
            yield
        finally:
            await commit.close()
            await asyncio.to_thread(errands.stop)

    async def healthz(_: Request) -> JSONResponse:
        """200 while the process can answer."""
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> JSONResponse:
        """
        200 while the database is there, its schema ours, and the projector folds; else 503.

        Troubles with RingCentral are told, and do not keep it from receiving.
        """
        faults = errands.faults()
        faults["database"] = await asyncio.to_thread(_fault_of, database)
        ready = faults["database"] is None and faults["projector"] is None
        return JSONResponse(
            {what: fault or "ok" for what, fault in faults.items()}, 200 if ready else 503
        )

    rest = Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz)], lifespan=up)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == WEBHOOK and scope["method"] == "POST":
            await webhook(scope, receive, send)
        else:
            await rest(scope, receive, send)

    return dispatch


def _fault_of(database: Database) -> str | None:
    """What is wrong with the database; null if nothing is."""
    try:
        database.require_schema()
    except (DatabaseUnavailable, SchemaOutdated) as error:
        return str(error)
    except psycopg.Error as error:
        return type(error).__name__
    return None
