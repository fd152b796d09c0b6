"""`/quarantine/retry`, `/quarantine/discard`: how many it will be, and then doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory import ingest, quarantine, read_model
from inventory.access import Bearer
from inventory.database import CONNECT_WITHIN, Database
from inventory.errands import Errands
from inventory.ingest import Retried
from inventory.settings import Settings
from inventory.web import forms
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet
from inventory.web.problem import Problem
from inventory.web.readers import Readers, unavailability

PATH = "/quarantine/{deed}"
PARAMETERS = ("reason", "id")
DEEDS = ("retry", "discard")
MANY = 500
"""Items at once: whoever sent the form waits for them."""
WITHIN = "10s"
"""What a statement may take, waiting for an account's row included."""
LONGEST_REASON = 500


@dataclass(frozen=True)
class Chosen:
    """The items that somebody chose: one, those of a reason, or all that are open."""

    reason: str | None
    id: int | None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Chosen:
        """What parameters or a form's fields say."""
        id_ = given.get("id") or None
        if id_ is not None and not (id_.isascii() and id_.isdecimal() and len(id_) < 19):
            raise Problem(422, f"expected id to be an item's number, found {id_!r}")
        return cls(given.get("reason") or None, None if id_ is None else int(id_))

    def open(self, connection: Connection) -> list[int]:
        """Their ids, oldest first, of those that are open still."""
        ids = quarantine.open_ids(connection, self.reason)
        return [id_ for id_ in ids if self.id in {None, id_}]


def show(asked: Asked) -> Sheet:
    """How many items it is about, and a form that does it."""
    deed = _deed(asked.request)
    _operator(asked.request)
    chosen = Chosen.of(asked.given)
    counts = read_model.open_items(asked.connection, reason=chosen.reason, id=chosen.id)
    return Sheet(
        "resolving.html",
        _said(deed, chosen),
        {
            "deed": deed,
            "chosen": chosen,
            "items": counts.items,
            "through": counts.through,
            "many": MANY,
            "longest_reason": LONGEST_REASON,
            "done": None,
        },
    )


def routes(
    readers: Readers, database: Database, settings: Settings, errands: Errands
) -> list[Route]:
    """Where the form goes."""

    async def resolve(request: Request) -> Response:
        deed = _deed(request)
        bearer = _operator(request)
        fields = await forms.sent(request, (*PARAMETERS, "through", "because"))
        chosen = Chosen.of(fields)
        through = Chosen.of({"id": fields.get("through", "")}).id
        because = fields.get("because", "").strip()
        if deed == "discard" and not 0 < len(because) <= LONGEST_REASON:
            raise Problem(422, "expected why they are discarded, in 1 to 500 characters")

        def work() -> dict[str, Any]:
            with unavailability(), _connected(database) as connection:
                # What has arrived since the form was shown was not in its count.
                ids = [id_ for id_ in chosen.open(connection) if id_ <= (through or 0)][:MANY]
                if deed == "retry":
                    return _retry(connection, ids, settings)
                return _discard(connection, ids, f"{because} ({bearer.name})")

        done = await readers.apart(work)
        if done.get("appended"):
            errands.appended()
        context = {"deed": deed, "chosen": chosen, "done": done}
        return Sheet("resolving.html", _said(deed, chosen), context).response(request)

    return [Route(PATH, resolve, methods=["POST"])]


def _retry(connection: Connection, ids: list[int], settings: Settings) -> dict[str, Any]:
    """
    Read items again, each in a transaction of its own: a receiver waits for none but one of them.
    """
    sums = Retried(0, 0, 0)
    gone = 0
    for id_ in ids:
        try:
            with connection.transaction():
                done = ingest.retry(
                    connection,
                    [id_],
                    account_id=settings.account_id,
                    future_tolerance=settings.future_tolerance,
                )
        except quarantine.NotInQuarantine:
            gone += 1  # somebody else was quicker
        else:
            sums = Retried(*(a + b for a, b in zip(sums, done, strict=True)))
    return {"items": len(ids) - gone, **sums._asdict()}


def _discard(connection: Connection, ids: list[int], reason: str) -> dict[str, Any]:
    gone = 0
    for id_ in ids:
        try:
            with connection.transaction():
                quarantine.discard(connection, [id_], reason)
        except quarantine.NotInQuarantine:
            gone += 1
    return {"items": len(ids) - gone}


def _connected(database: Database) -> Connection:
    connection = database.connect(connect_timeout=CONNECT_WITHIN, autocommit=True)
    connection.execute(f"SET statement_timeout = '{WITHIN}'")
    return connection


def _deed(request: Request) -> str:
    deed = str(request.path_params["deed"])
    if deed not in DEEDS:
        raise Problem(404, f"expected a path that there is, found {request.url.path!r}")
    return deed


def _operator(request: Request) -> Bearer:
    """
    Who asks, if they may operate.

    Nobody may who is not known by a token, also where anybody of this machine may read: what is
    discarded has somebody's name on it.
    """
    bearer: Bearer | None = request.state.bearer
    if bearer is None or not bearer.may("operate"):
        raise Problem(
            403,
            "expected a session with scope operate, found none; `inventory token create NAME "
            "--scope operate` makes a token for it",
        )
    return bearer


def _said(deed: str, chosen: Chosen) -> Said:
    words = ["quarantine", deed]
    if chosen.id is not None:
        words.append(str(chosen.id))
    elif chosen.reason is None:
        words.append("--all")
    options = {"reason": chosen.reason} if chosen.id is None else {}
    return Said(
        said.command(*words, **options, because="why" if deed == "discard" else None),
        said.query(
            "quarantine",
            [
                "resolved_at IS NULL",
                *said.equal(reason=chosen.reason),
                *(() if chosen.id is None else (f"id = {chosen.id}",)),
            ],
            "id",
            columns="id, received_at, source, reason, detail",
        ),
        None,
    )
