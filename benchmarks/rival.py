"""Servers that `inventory serve` is measured against: `python -m benchmarks.rival NAME URL`."""

from __future__ import annotations

import asyncio
import json
import queue
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import psycopg
import uvicorn
from fastapi import FastAPI
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from inventory.cli.listening import address_of, listening
from inventory.ingest import GroupCommit
from inventory.rows import plain
from inventory.web import ImpatientProtocol
from inventory.web.metrics import Receiving
from inventory.web.webhook import Webhook

CONNECTIONS = 16
TOKEN = "bench"  # noqa: S105 - it opens nothing


class _Nothing:
    """Takes everything at once, and keeps nothing."""

    async def take(self, _: bytes) -> None:
        return


def bare(_: str) -> ASGIApp:
    """Our receiver, less the database."""
    return Webhook(cast("GroupCommit", _Nothing()), [TOKEN], lambda: None, Receiving().answered)


def insert(url: str) -> ASGIApp:
    """A handler that commits one INSERT a request, over connections that are kept."""
    idle: queue.SimpleQueue[psycopg.Connection] = queue.SimpleQueue()
    for _ in range(CONNECTIONS):
        idle.put(psycopg.connect(url, autocommit=True))
    pool = ThreadPoolExecutor(CONNECTIONS)

    def write(body: bytes) -> None:
        connection = idle.get()
        connection.execute("INSERT INTO rival (payload) VALUES (%s)", [body.decode()])
        idle.put(connection)

    async def receive(request: Request) -> Response:
        body = await request.body()
        await asyncio.get_running_loop().run_in_executor(pool, write, body)
        return Response(b"{}", media_type="application/json")

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS rival (id bigserial PRIMARY KEY, payload json)"
        )
    return Starlette(routes=[Route("/webhooks/ringcentral", receive, methods=["POST"])])


def fastapi(url: str) -> ASGIApp:
    """What most would write: a FastAPI handler that commits one INSERT a request."""
    application = FastAPI()
    pool = ConnectionPool(
        url, min_size=CONNECTIONS, max_size=CONNECTIONS, kwargs={"autocommit": True}, open=True
    )

    @application.post("/webhooks/ringcentral")
    def receive(notification: dict[str, Any]) -> dict[str, str]:
        with pool.connection() as connection:
            connection.execute(
                "INSERT INTO rival (payload) VALUES (%s)", [json.dumps(notification)]
            )
        return {}

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS rival (id bigserial PRIMARY KEY, payload json)"
        )
    return application


def page(url: str) -> ASGIApp:
    """The bare framework: a page of the list that is always the same, and kept as objects."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        found = connection.execute(
            "SELECT * FROM inventory.contact_center_number"
            " ORDER BY account_id, phone_number_id LIMIT 100"
        ).fetchall()
    rows = [{name: plain(value) for name, value in row.items()} for row in found]

    async def answer(_: Request) -> Response:
        return JSONResponse({"rows": rows, "next": None})

    return Starlette(routes=[Route("/api/v1/numbers", answer)])


def main() -> None:
    """Serve until ended."""
    application = {"bare": bare, "insert": insert, "fastapi": fastapi, "page": page}[sys.argv[1]](
        sys.argv[2]
    )
    with listening("127.0.0.1", 0) as listener:
        print(f"listening on {address_of(listener)}", file=sys.stderr, flush=True)
        config = uvicorn.Config(
            application,
            http=ImpatientProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
        )
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
