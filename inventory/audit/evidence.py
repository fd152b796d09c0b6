"""
Evidence gathered: what a question asks for, out of the log, into a bundle.

All of it comes from events and seals, as they stand at one moment. Versions and changes are the
law's, folded here: evidence neither lags, as the projection may, nor believes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from inventory import read_model
from inventory.audit import layout, record
from inventory.audit.bundle import Bundle
from inventory.audit.history import History, history
from inventory.audit.layout import Row, stored
from inventory.audit.signature import sign
from inventory.event import Recorded
from inventory.verification.difference import shown


class Question(NamedTuple):
    """What evidence is asked for: of a number, or of a period."""

    number: str | None = None
    """An id, or E.164 in any spelling: all ids that ever held it, their whole history."""
    since: datetime | None = None
    until: datetime | None = None
    """Events that occurred in [since, until), of whichever number."""
    account: str | None = None
    """Of this account only."""

    def __str__(self) -> str:
        asked = f"number {self.number}, its whole history"
        if self.number is None:
            edges = (("from", self.since), ("until", self.until))
            asked = " ".join(
                ["events that occurred", *(f"{word} {shown(at)}" for word, at in edges if at)]
            )
        return asked if self.account is None else f"{asked}, in account {self.account}"

    def includes(self, occurred_at: datetime) -> bool:
        """Whether an event of that time is asked for."""
        return (self.since is None or self.since <= occurred_at) and (
            self.until is None or occurred_at < self.until
        )


class Gathered(NamedTuple):
    """How much a bundle holds."""

    events: int
    numbers: int
    seals: int
    unfolded: int
    """Events that are not projected yet: an id that got the number by one of them is not found."""


def gather(
    connection: Connection,
    question: Question,
    bundle: Bundle,
    key: Ed25519PrivateKey | None = None,
) -> Gathered:
    """
    Put all that *question* asks for into an empty *bundle*, signed with *key* if there is one.

    Assumes that *connection* sees one moment: a REPEATABLE READ transaction.

    Raises:
        NumberUnknown: No event speaks of the number asked for.
    """
    at = record.now(connection)
    accounts = None if question.account is None else {question.account}
    if question.number is None:
        keys = record.numbers_within(connection, question.since, question.until, question.account)
    else:
        keys = read_model.identities(connection, question.number, account=question.account)
        accounts = {account_id for account_id, _ in keys}
    events = sum(_gather_number(connection, question, bundle, *key) for key in keys)
    seals = 0
    for account_id, position, head_hash in record.heads(connection):
        if accounts is None or account_id in accounts:
            bundle.insert(layout.HEAD, [(account_id, position, head_hash, stored(at))])
            seals += _gather_seals(connection, bundle, account_id, position)
    bundle.insert(layout.DATA_DICTIONARY, sorted(_dictionary(record.comments(connection))))
    bundle.insert(layout.MANIFEST, sorted(_manifest(question, at, bundle).items()))
    if key is not None:
        bundle.insert(layout.SIGNATURE, [sign(key, bundle.digest(layout.MANIFEST).sha256)])
    unfolded = 0 if question.number is None else record.unfolded(connection, question.account)
    return Gathered(events, len(keys), seals, unfolded)


def _gather_number(
    connection: Connection, question: Question, bundle: Bundle, account_id: str, number: str
) -> int:
    """Put in what is asked for of one number; returns how many events."""
    log = read_model.log_of(connection, account_id, number)
    life = history(account_id, number, log)
    asked = [recorded for recorded in log if question.includes(recorded.event.occurred_at)]
    bundle.insert(
        layout.EVENT, [_event(recorded, life.deeds[recorded.position]) for recorded in asked]
    )
    bundle.insert(layout.NUMBER, [(account_id, number, len(log), len(asked), life.standing)])
    versions, changes = _within(question, life)
    bundle.insert(layout.VERSION, versions)
    bundle.insert(layout.CHANGE, changes)
    return len(asked)


def _event(recorded: Recorded, did: str) -> Row:
    event = recorded.event
    return (
        event.account_id,
        recorded.position,
        stored(recorded.recorded_at),
        stored(event.occurred_at),
        event.phone_number_id,
        event.event_uuid,
        event.event_type,
        event.origin,
        event.subscription_id,
        event.owner_id,
        *event.attributes,
        event.payload,
        event.payload_sha256,
        did,
    )


def _within(question: Question, life: History) -> tuple[list[Row], list[Row]]:
    """The versions that touch what is asked for, and the changes in it."""
    # As text: instants in a bundle sort as they follow each other.
    since, until = stored(question.since) or "", stored(question.until) or "~"
    valid_from, valid_to = (layout.VERSION.names.index(n) for n in ("valid_from", "valid_to"))
    changed_at = layout.CHANGE.names.index("changed_at")
    return (
        [
            row
            for row in life.versions
            if row[valid_from] < until and (row[valid_to] is None or row[valid_to] >= since)
        ],
        [row for row in life.changes if since <= row[changed_at] < until],
    )


def _gather_seals(connection: Connection, bundle: Bundle, account_id: str, head: int) -> int:
    """
    Put in the chain of an account from its first event here up to the head; returns its length.

    Without any event here it is the last seal alone, which shows the head.
    """
    ((first,),) = bundle.query("SELECT min(position) FROM event WHERE account_id = ?", account_id)
    count = 0
    for seal in record.seals(connection, account_id, first or head):
        span = seal["first_position"], seal["last_position"]
        here = bundle.query(
            "SELECT 1 FROM event WHERE account_id = ? AND position BETWEEN ? AND ? LIMIT 1",
            account_id,
            *span,
        )
        hashes = record.payload_hashes(connection, account_id, *span) if here else None
        values = (*(stored(seal[name]) for name in layout.SEAL.names[:-1]), hashes)
        bundle.insert(layout.SEAL, [values])
        count += 1
    return count


def _dictionary(comments: dict[str, str]) -> Iterator[Row]:
    """What each table and column means, in the database's own words where it has any."""
    for table in layout.TABLES:
        yield table.name, "", _said(table.said, comments)
        for column in table.columns:
            yield table.name, column.name, _said(column.said, comments)
    yield "reassignment", "", _said("[reassignment]", comments)


def _said(text: str, comments: dict[str, str]) -> str:
    """*text*, with the database's comment in the place of what stands in brackets."""
    if not text.startswith("["):
        return text
    name, _, more = text[1:].partition("]")
    return f"{comments.get(name, name)}.{more}" if more else comments.get(name, name)


def _manifest(question: Question, at: datetime, bundle: Bundle) -> dict[str, str]:
    asked = {name: stored(value) or "" for name, value in question._asdict().items()}
    digests = {table.name: bundle.digest(table) for table in layout.CONTENT}
    return {
        "format": layout.FORMAT,
        "program": f"inventory {version('inventory')}",
        "created_at": stored(at),
        "question": str(question),
        **{f"question.{name}": value for name, value in asked.items()},
        **{f"{name}.rows": str(found.rows) for name, found in digests.items()},
        **{f"{name}.sha256": found.sha256.hex() for name, found in digests.items()},
    }
