"""
What a bundle holds: its tables, their columns, and what each of them means.

A bundle is a SQLite file. Instants are text in UTC, `2026-03-01T00:00:00.000000Z`, so that they
sort as they follow each other; hashes are 32 bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeAlias, assert_never

from inventory.event import Attributes

FORMAT = "inventory evidence 1"

Kind: TypeAlias = Literal["text", "integer", "instant", "hash", "hashes", "bytes"]
Row: TypeAlias = tuple[Any, ...]

_SQL_TYPES: dict[Kind, str] = {
    "text": "TEXT",
    "integer": "INTEGER",
    "instant": "TEXT",
    "hash": "BLOB",
    "hashes": "BLOB",
    "bytes": "BLOB",
}


class Column(NamedTuple):
    """One column of a bundle's table."""

    name: str
    kind: Kind
    said: str
    """What it means; or, in brackets, the database's column whose comment says it."""
    null: bool = False


class Table(NamedTuple):
    """One table of a bundle."""

    name: str
    said: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def ddl(self) -> str:
        """The statement that makes it, in the only spelling that a bundle may have it in."""
        columns = [
            f"{column.name} {_SQL_TYPES[column.kind]}{'' if column.null else ' NOT NULL'}"
            for column in self.columns
        ]
        return (
            f"CREATE TABLE {self.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(self.key)}))"
        )


def _text(source: str, *names: str, null: bool = False) -> tuple[Column, ...]:
    """Columns of text that are called as they are in the database's table *source*."""
    return tuple(Column(name, "text", f"[{source}.{name}]", null) for name in names)


def _instants(source: str, *names: str, null: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, "instant", f"[{source}.{name}]", null) for name in names)


def _integer(source: str, name: str, *, null: bool = False) -> Column:
    return Column(name, "integer", f"[{source}.{name}]", null)


def _hash(source: str, name: str) -> Column:
    return Column(name, "hash", f"[{source}.{name}]")


_VERSION = "contact_center_number_version"

EVENT = Table(
    "event",
    "[event]",
    (
        *_text("event", "account_id"),
        _integer("event", "position"),
        *_instants("event", "recorded_at", "occurred_at"),
        *_text("event", "phone_number_id", "event_uuid", "event_type", "origin"),
        *_text("event", "subscription_id", "owner_id", *Attributes._fields, null=True),
        *_text("event", "payload"),
        _hash("event", "payload_sha256"),
        Column("did", "text", "What it did to its number, in words"),
    ),
    ("account_id", "position"),
)

NUMBER = Table(
    "number",
    "The numbers that the events here speak of, and whether their whole history is here",
    (
        *_text("event", "account_id", "phone_number_id"),
        Column("events", "integer", "How many events the log holds of it, up to the head"),
        Column("here", "integer", "How many of them are here"),
        Column("standing", "text", "How it stands after the latest of all its events, in words"),
    ),
    ("account_id", "phone_number_id"),
)

VERSION = Table(
    "version",
    f"[{_VERSION}] Those true at no time, valid_to = valid_from, are here too",
    (
        *_text(_VERSION, "account_id", "phone_number_id"),
        *_instants(_VERSION, "valid_from"),
        *_instants(_VERSION, "valid_to", null=True),
        *_text(_VERSION, *Attributes._fields, null=True),
        *_instants(_VERSION, "entered_at", "provider_since"),
        _integer(_VERSION, "opened_by"),
        *_text(_VERSION, "opened_kind", "opened_origin"),
        *_text(_VERSION, "previous_provider_id", "previous_provider_name", null=True),
        _integer(_VERSION, "closed_by", null=True),
        *_text(_VERSION, "closed_kind", "closed_origin", null=True),
    ),
    ("account_id", "phone_number_id", "opened_by"),
)

CHANGE = Table(
    "change",
    "[change]",
    (
        *_text("change", "account_id", "phone_number_id"),
        *_text("change", "phone_number", null=True),
        *_instants("change", "changed_at"),
        *_text("change", "kind"),
        *_text("change", "from_provider_id", "from_provider_name", null=True),
        *_text("change", "to_provider_id", "to_provider_name", null=True),
        _integer("change", "position"),
        *_text("change", "origin"),
    ),
    ("account_id", "phone_number_id", "position"),
)

SEAL = Table(
    "seal",
    "[seal] Here: from the first that has an event here under it, up to the head",
    (
        *_text("seal", "account_id"),
        *(_integer("seal", name) for name in ("first_position", "last_position")),
        *_instants("seal", "sealed_at"),
        *_text("seal", "source"),
        *(_hash("seal", name) for name in ("previous_hash", "events_hash", "hash")),
        Column(
            "payload_hashes",
            "hashes",
            "payload_sha256 of every event under it, in position order, 32 bytes each, which prove "
            "that an event here is under it; null: none is",
            null=True,
        ),
    ),
    ("account_id", "last_position"),
)

HEAD = Table(
    "head",
    "Where the accounts' logs ended when this was made",
    (
        *_text("account", "account_id"),
        _integer("account", "position"),
        _hash("account", "head_hash"),
        Column("at", "instant", "When this was made"),
    ),
    ("account_id",),
)

DATA_DICTIONARY = Table(
    "data_dictionary",
    "What every table and column here means",
    (
        Column("table_name", "text", "The table"),
        Column("column_name", "text", "Its column; empty: the table itself"),
        Column("description", "text", "What it means"),
    ),
    ("table_name", "column_name"),
)

MANIFEST = Table(
    "manifest",
    "What was asked, what is here, and the hashes of all other tables; this is what is signed",
    (
        Column("name", "text", "Of what"),
        Column("value", "text", "Its value"),
    ),
    ("name",),
)

SIGNATURE = Table(
    "signature",
    "The signature over the manifest; no row: there is none",
    (
        Column("algorithm", "text", "Ed25519"),
        Column("public_key", "hash", "The signer's public key, 32 bytes"),
        Column("signature", "bytes", "64 bytes, over the domain and the manifest's hash"),
    ),
    ("algorithm",),
)

CONTENT = (EVENT, NUMBER, VERSION, CHANGE, SEAL, HEAD, DATA_DICTIONARY)
"""The tables whose rows the manifest counts and hashes."""

TABLES = (*CONTENT, MANIFEST, SIGNATURE)

REASSIGNMENT = (
    "CREATE VIEW reassignment AS SELECT * FROM change "
    "WHERE kind IN ('reassigned_in', 'provider_changed', 'reassigned_out')"
)

# With the position, or SQLite reads all of an account to have its events in order.
EVENTS_OF_NUMBER = "CREATE INDEX event_of_number ON event (account_id, phone_number_id, position)"

SCHEMA = (*(table.ddl for table in TABLES), REASSIGNMENT, EVENTS_OF_NUMBER)
"""Every statement that makes an empty bundle; nothing else may be in one."""


def stored(value: Any) -> Any:
    """
    *value* as a bundle holds it.

    >>> stored(datetime(2026, 3, 1, tzinfo=UTC))
    '2026-03-01T00:00:00.000000Z'
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return value


def instant(text: str) -> datetime:
    """
    The instant that a bundle spells as *text*.

    >>> instant("2026-03-01T00:00:00.000000Z")
    datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    return datetime.fromisoformat(text)


def well_formed(column: Column, value: Any) -> bool:
    """Whether *value* is what may stand in *column*: SQLite lets anything stand anywhere."""
    if value is None:
        return column.null
    match column.kind:
        case "integer":
            return type(value) is int
        case "text":
            return type(value) is str and _encodable(value)
        case "instant":
            return type(value) is str and _is_instant(value)
        case "hash":
            return type(value) is bytes and len(value) == 32
        case "hashes":
            return type(value) is bytes and len(value) % 32 == 0
        case "bytes":
            return type(value) is bytes
    assert_never(column.kind)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_instant(text: str) -> bool:
    try:
        return bool(stored(instant(text)) == text)
    except (ValueError, OverflowError):
        return False
