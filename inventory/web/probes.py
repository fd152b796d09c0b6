"""What says whether the process is well, to balancers and orchestrators."""

from __future__ import annotations

import asyncio
import logging

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from inventory.database import Database, DatabaseUnavailable, SchemaOutdated
from inventory.errands import Errands

log = logging.getLogger(__name__)


def routes(database: Database, errands: Errands) -> list[Route]:
    """`/healthz` and `/readyz`; anybody may ask, and is told no more than which part fails."""

    async def healthz(_: Request) -> JSONResponse:
        """200 while the process can answer."""
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> JSONResponse:
        """
        200 while the database is there, its schema ours, and the projector folds; else 503: also
        if its thread has ended, or hangs.

        Troubles with RingCentral are told, and do not keep it from receiving. What they are is in
        the log: it may name hosts and users.
        """
        faults = errands.faults()
        faults["database"] = await asyncio.to_thread(_fault_of, database)
        ready = faults["database"] is None and faults["projector"] is None
        if faults["database"] is not None:
            log.warning("not ready: %s", faults["database"])
        return JSONResponse(
            {what: "failing" if fault else "ok" for what, fault in faults.items()},
            200 if ready else 503,
        )

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def _fault_of(database: Database) -> str | None:
    """What is wrong with the database; null if nothing is."""
    try:
        database.require_schema()
    except (DatabaseUnavailable, SchemaOutdated) as error:
        return str(error)
    except psycopg.Error as error:
        return type(error).__name__
    return None
