"""The pages, for people who would rather look: one file each, and here how they are put out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory.database import Database
from inventory.errands import Errands
from inventory.settings import Settings
from inventory.web.pages import (
    changes,
    home,
    number,
    numbers,
    quarantine,
    quarantined,
    reassignments,
    reconciliation,
    reconciliations,
    resolving,
    search,
    static,
    system,
    visit,
)
from inventory.web.pages.asked import Asked
from inventory.web.pages.sheet import Sheet
from inventory.web.readers import Readers

OPEN = (*visit.OPEN, *static.PATHS)
"""What needs no token."""


class View(Protocol):
    """A page: where it is, which parameters it has, and what is on it."""

    @property
    def PATH(self) -> str: ...  # noqa: N802 - a constant of a module

    @property
    def PARAMETERS(self) -> Sequence[str]: ...  # noqa: N802 - a constant of a module

    def show(self, asked: Asked, /) -> Sheet | Response: ...


VIEWS: tuple[View, ...] = (
    home,
    numbers,
    number,
    search,
    changes,
    reassignments,
    reconciliations,
    reconciliation,
    quarantine,
    quarantined,
    resolving,
    system,
)


def routes(
    readers: Readers, database: Database, settings: Settings, errands: Errands
) -> list[Route]:
    """
    Every page, and what belongs to them.

    Args:
        readers: Who see all that is on pages.
        database: Where what is in quarantine is retried and discarded.
        settings: As which it is read again.
        errands: Whose troubles are shown, and who are told of what a retry appended.
    """
    return [
        *(Route(view.PATH, _endpoint(view, readers, errands, settings)) for view in VIEWS),
        *resolving.routes(readers, database, settings, errands),
        *visit.routes(),
        *static.routes(),
    ]


def _endpoint(
    view: View, readers: Readers, errands: Errands, settings: Settings
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        def look(connection: Connection) -> Response:
            asked = Asked(
                request, connection, view.PARAMETERS, datetime.now(UTC), errands, settings
            )
            shown = view.show(asked)
            return shown.response(request, asked) if isinstance(shown, Sheet) else shown

        return await readers.read(look)

    return answer
