"""
The tables of schema `inventory`, as SQLAlchemy sees them.

Double entry: the migrations build the database, this module describes it, and a test holds the
two equal. Views, functions and triggers stand in the migrations' `.sql` files alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP

NAME = "inventory"

metadata = MetaData(
    schema=NAME,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    },
)

# Ids are compared by bytes: the order of an index must not change with the system's locale.
ID = Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)


def _account_id() -> Column[Any]:
    return Column("account_id", ID, nullable=False, comment="RingCentral account, digits")


def _phone_number_id() -> Column[Any]:
    return Column(
        "phone_number_id",
        ID,
        nullable=False,
        comment="RingCentral's id of the number, digits; with the account it identifies the number",
    )


def _attributes() -> list[Column[Any]]:
    return [
        Column("phone_number", Text, comment="E.164; can move from one id to another"),
        Column("payment_type", Text, comment="RingCentral's paymentType, as sent"),
        Column("location", Text, comment="Place the number belongs to, as sent"),
        Column("number_type", Text, comment="RingCentral's type (VoiceFax, …), as sent"),
        Column("usage_type", Text, comment="RingCentral's usageType, as sent"),
        Column("status", Text, comment="RingCentral's status (Normal, Pending, …), as sent"),
        Column(
            "provider_id",
            Text,
            comment="Contact Center provider; null: none named, RingCentral then means 1",
        ),
        Column("provider_name", Text, comment="Provider's name as sent; one id comes with several"),
        Column("uri", Text, comment="RingCentral's address of the number, as sent"),
    ]


account = Table(
    "account",
    metadata,
    _account_id(),
    Column(
        "position",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="Head of the log: position of the latest event, 0 while there is none",
    ),
    Column(
        "head_hash",
        LargeBinary,
        nullable=False,
        comment="Hash of the latest seal; of an empty log: sha256(account_id)",
    ),
    Column("recorded_at", INSTANT, comment="recorded_at of the latest event"),
    Column(
        "archived_until",
        INSTANT,
        comment="What occurred until then is not appended: what would have to be folded with it "
        "may be in an archive alone; null: nothing is",
    ),
    PrimaryKeyConstraint("account_id"),
    comment="One row an account: the head of its log, and the row that appenders lock",
)

event = Table(
    "event",
    metadata,
    Column(
        "position",
        BigInteger,
        nullable=False,
        comment="Place in the account's log: 1, 2, 3 … without a gap, in commit order",
    ),
    Column(
        "recorded_at",
        INSTANT,
        nullable=False,
        comment="When we recorded it; never falls as positions rise",
    ),
    Column(
        "occurred_at",
        INSTANT,
        nullable=False,
        comment="When it happened: the notification's timestamp, or when an observation was begun",
    ),
    _account_id(),
    _phone_number_id(),
    Column(
        "event_uuid",
        ID,
        nullable=False,
        comment="RingCentral's uuid, opaque text: often 18-20 decimal digits",
    ),
    Column("event_type", Text, nullable=False, comment="Created, Updated or Deleted"),
    Column(
        "origin",
        Text,
        nullable=False,
        comment="notification (it was pushed), observation (we looked) or operator (a person)",
    ),
    Column("subscription_id", Text, comment="Subscription that delivered it"),
    Column("owner_id", Text, comment="Extension that owns the subscription, not the account"),
    *_attributes(),
    Column("payload", JSON, nullable=False, comment="As it arrived, byte for byte"),
    Column(
        "payload_sha256", LargeBinary, nullable=False, comment="SHA-256 over the payload's bytes"
    ),
    PrimaryKeyConstraint("account_id", "position"),
    UniqueConstraint("account_id", "phone_number_id", "event_uuid"),
    CheckConstraint("position > 0", name="position"),
    CheckConstraint("event_type IN ('Created', 'Updated', 'Deleted')", name="event_type"),
    CheckConstraint("origin IN ('notification', 'observation', 'operator')", name="origin"),
    comment="The log: every accepted event, append-only",
)
# The law's order, and both clocks: which event was the latest at a time, as known at another, is
# answered by the index alone.
Index(
    None,
    event.c.account_id,
    event.c.phone_number_id,
    event.c.occurred_at,
    event.c.position,
    postgresql_include=["recorded_at"],
)
Index(
    "event_not_notified_idx",
    event.c.account_id,
    event.c.phone_number_id,
    event.c.occurred_at,
    postgresql_where=text("origin <> 'notification'"),
)

seal = Table(
    "seal",
    metadata,
    _account_id(),
    Column("first_position", BigInteger, nullable=False, comment="First event under this seal"),
    Column("last_position", BigInteger, nullable=False, comment="Last event under this seal"),
    Column("sealed_at", INSTANT, nullable=False, comment="recorded_at of all events under it"),
    Column(
        "source",
        Text,
        nullable=False,
        comment="Where the events under it came from: webhook, websocket, file:NAME, confirmation, "
        "reconciliation:RUN, operator:WHO, …",
    ),
    Column("previous_hash", LargeBinary, nullable=False, comment="Hash of the seal before"),
    Column(
        "events_hash",
        LargeBinary,
        nullable=False,
        comment="SHA-256 over the events' payload_sha256, in position order",
    ),
    Column(
        "hash",
        LargeBinary,
        nullable=False,
        comment="SHA-256 over previous_hash, first_position, last_position, sealed_at in "
        "microseconds since 1970 (each int8, big-endian), events_hash and source in UTF-8",
    ),
    PrimaryKeyConstraint("account_id", "last_position"),
    comment="The hash chain over the log, one row an append: evidence that nothing was altered",
)

archive = Table(
    "archive",
    metadata,
    _account_id(),
    Column("first_position", BigInteger, nullable=False, comment="First event of the range"),
    Column("last_position", BigInteger, nullable=False, comment="Last event of the range"),
    Column(
        "recorded_until", INSTANT, nullable=False, comment="recorded_at of the range's last event"
    ),
    Column(
        "occurred_until", INSTANT, nullable=False, comment="Latest occurred_at within the range"
    ),
    Column(
        "manifest_sha256",
        LargeBinary,
        nullable=False,
        comment="SHA-256 of the archive's manifest, which holds those of its files",
    ),
    Column("directory", Text, nullable=False, comment="Where the archive was when it was detached"),
    Column(
        "detached_at",
        INSTANT,
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="When the range was detached",
    ),
    PrimaryKeyConstraint("account_id", "last_position"),
    CheckConstraint("first_position <= last_position", name="range"),
    comment="Ranges of the log of which most events are in archives alone; their seals stay",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False, comment="Our number for it"),
    Column(
        "received_at",
        INSTANT,
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="When it first arrived",
    ),
    Column("source", Text, nullable=False, comment="Where from: webhook, file:NAME#ITEM, …"),
    Column("reason", Text, nullable=False, comment="Why it is no event, as a code"),
    Column("detail", Text, nullable=False, comment="Why it is no event, as a sentence"),
    Column("payload", LargeBinary, nullable=False, comment="As it arrived, byte for byte"),
    Column(
        "payload_sha256",
        LargeBinary,
        Computed("sha256(payload)", persisted=True),
        nullable=False,
        comment="SHA-256 over the payload: what arrives again is counted, not stored again",
    ),
    Column(
        "arrivals",
        Integer,
        nullable=False,
        server_default=text("1"),
        comment="How often it has arrived",
    ),
    Column("resolved_at", INSTANT, comment="When it was retried with success, or discarded"),
    Column("resolution", Text, comment="What became of it; null while open"),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("payload_sha256", "reason"),
    CheckConstraint("(resolved_at IS NULL) = (resolution IS NULL)", name="resolution"),
    comment="What arrived and could not be an event, with the reason; nothing is ever lost",
)

projection_checkpoint = Table(
    "projection_checkpoint",
    metadata,
    _account_id(),
    Column(
        "position",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="Position up to which the log is folded",
    ),
    Column("folded_at", INSTANT, comment="When the latest fold was done"),
    PrimaryKeyConstraint("account_id"),
    comment="How far each account is projected, and the row that projectors lock",
)

contact_center_number = Table(
    "contact_center_number",
    metadata,
    _account_id(),
    _phone_number_id(),
    *_attributes(),
    Column("valid_from", INSTANT, nullable=False, comment="Since when it has been as it is"),
    Column(
        "entered_at", INSTANT, nullable=False, comment="Since when it has been in Contact Center"
    ),
    Column("provider_since", INSTANT, nullable=False, comment="Since when it has had its provider"),
    Column("verified_at", INSTANT, comment="When it was last looked at (latest observation)"),
    Column(
        "unverified_since",
        INSTANT,
        comment="Since when it is in doubt: an Updated that changed nothing may have meant "
        "that it was reassigned away",
    ),
    Column("last_position", BigInteger, nullable=False, comment="Its latest event"),
    PrimaryKeyConstraint("account_id", "phone_number_id"),
    postgresql_partition_by="LIST (account_id)",
    comment="The current inventory: one row for each number that is in Contact Center now",
)


def _version_columns() -> list[Column[Any]]:
    return [
        _account_id(),
        _phone_number_id(),
        Column("valid_from", INSTANT, nullable=False, comment="True from then on, inclusive"),
        Column("valid_to", INSTANT, comment="True until then, exclusive; null: still true"),
        *_attributes(),
        Column("entered_at", INSTANT, nullable=False, comment="Since when it had been in"),
        Column("provider_since", INSTANT, nullable=False, comment="Since when it had its provider"),
        Column("opened_by", BigInteger, nullable=False, comment="Position of the event before it"),
        Column("opened_kind", Text, nullable=False, comment="Kind of the change that opened it"),
        Column("opened_origin", Text, nullable=False, comment="Origin of that event"),
        Column("previous_provider_id", Text, comment="Provider before, if it was in before"),
        Column("previous_provider_name", Text, comment="That provider's name, as sent"),
        Column("closed_by", BigInteger, comment="Position of the event after it; null: current"),
        Column(
            "closed_kind",
            Text,
            comment="Kind of the change that took the number out; null: current, or the next "
            "version follows at once",
        ),
        Column("closed_origin", Text, comment="Origin of the event after it"),
    ]


def _version_indexes() -> list[Index]:
    """
    By which a number is found by what it was called once, and changes in the order of time: what
    began, and what left.
    """
    return [
        Index(None, "phone_number"),
        Index(None, "valid_from"),
        Index(None, "valid_to", postgresql_where=text("closed_kind IS NOT NULL")),
    ]


contact_center_number_version = Table(
    "contact_center_number_version",
    metadata,
    *_version_columns(),
    PrimaryKeyConstraint("account_id", "phone_number_id", "valid_from"),
    *_version_indexes(),
    postgresql_partition_by="LIST (account_id)",
    comment="Every state a number was in, [valid_from, valid_to); current while valid_to is null",
)

contact_center_number_momentary_version = Table(
    "contact_center_number_momentary_version",
    metadata,
    *_version_columns(),
    PrimaryKeyConstraint("account_id", "phone_number_id", "opened_by"),
    *_version_indexes(),
    postgresql_partition_by="LIST (account_id)",
    comment="States that began and ended in one instant: true at no time, yet changes",
)

PROJECTIONS = (
    contact_center_number,
    contact_center_number_version,
    contact_center_number_momentary_version,
)
"""
The tables a fold writes. Each is partitioned with a single partition, `…_live`, that holds every
row: a rebuild fills a new one and puts it in the old one's place, and the views of ours and of
users, which hang on the parent, never notice.
"""

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False, comment="Number of the run"),
    _account_id(),
    Column("source", Text, nullable=False, comment="ringcentral, or file:NAME"),
    Column("scope", Text, comment="What it was narrowed to; null: everything"),
    Column("mode", Text, nullable=False, comment="apply, or plan: appended nothing"),
    Column("scheduled_for", INSTANT, comment="The schedule's tick; null: not by schedule"),
    Column("requested_at", INSTANT, comment="When it was asked for; null: by nobody"),
    Column("reason", Text, comment="Why it was asked for: the gap it is to close"),
    Column(
        "answered_by",
        BigInteger,
        comment="The run that does what this row asked for, or did what it left undone",
    ),
    Column("started_at", INSTANT, comment="When the run began; null: nobody took it up yet"),
    Column("read_at", INSTANT, comment="When the source had been read"),
    Column("finished_at", INSTANT, comment="When it ended; null: it has not, or it crashed"),
    Column(
        "outcome",
        Text,
        comment="complete, incomplete (what is not in the list was not marked absent), refused (by "
        "a guard: the same), failed or crashed; null: not finished",
    ),
    Column("position", BigInteger, comment="Position up to which the inventory was compared"),
    Column("seen", Integer, comment="Rows in the source's list"),
    Column("added", Integer, comment="Numbers found that were not in the inventory"),
    Column("different", Integer, comment="Numbers found with other attributes"),
    Column("departed", Integer, comment="Numbers found in another use than Contact Center"),
    Column("deleted", Integer, comment="Numbers found to exist no more"),
    Column("missing", Integer, comment="Numbers not in the list, of which no more is known"),
    Column("confirmed", Integer, comment="Unverified numbers found unchanged"),
    Column("suppressed", Integer, comment="Differences that are known and left as they are"),
    Column("left_alone", Integer, comment="Numbers not judged, for events newer than the read"),
    Column("appended", Integer, comment="Observations appended"),
    Column(
        "notified",
        Integer,
        comment="Changes that notifications had told us of since the run before; null: the first",
    ),
    Column("requests", Integer, comment="Requests made to RingCentral, logins not counted"),
    Column("guard", Text, comment="The guards that refused the absences, by name"),
    Column("override", Text, comment="How many absences a person confirmed, and why"),
    Column("detail", Text, comment="What went wrong, or is to be known of it"),
    PrimaryKeyConstraint("id", "account_id"),
    ForeignKeyConstraint(
        ["answered_by", "account_id"],
        ["inventory.reconciliation.id", "inventory.reconciliation.account_id"],
    ),
    UniqueConstraint("account_id", "scheduled_for"),
    Index(None, "account_id", "finished_at"),
    comment="Reconciliation runs: what we compared with the source, when, and how it ended",
)

suppression = Table(
    "suppression",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False, comment="Our number for it"),
    _account_id(),
    _phone_number_id(),
    Column(
        "created_at",
        INSTANT,
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="When it was made",
    ),
    Column("expires_at", INSTANT, nullable=False, comment="When it ends by itself"),
    Column("lifted_at", INSTANT, comment="When a person ended it; null: nobody did"),
    Column("reason", Text, nullable=False, comment="Why the difference is known and left"),
    PrimaryKeyConstraint("id", "account_id"),
    Index(None, "account_id", "phone_number_id"),
    comment="Numbers whose differences are known, and left as they are until a time",
)

discrepancy = Table(
    "discrepancy",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False, comment="Our number for it"),
    Column(
        "reconciliation_id",
        BigInteger,
        nullable=False,
        comment="The run that found it",
    ),
    _account_id(),
    Column(
        "phone_number_id",
        ID,
        comment="RingCentral's id of the number; null: a file has it by its E.164 number alone",
    ),
    Column("phone_number", Text, comment="E.164, as the source or else the inventory has it"),
    Column(
        "finding",
        Text,
        nullable=False,
        comment="added, different, departed (to another use), deleted, missing (from the list, and "
        "no more is known) or confirmed (unverified, and as it was)",
    ),
    Column(
        "class",
        Text,
        comment="Why it was not known: initial load, missed event, silent change (RingCentral "
        "announces none), out-of-band (by a person or a file), unexplained; null: not decided",
    ),
    Column("expected", JSON, comment="Attributes in the inventory; null: not in it"),
    Column("found", JSON, comment="Attributes at the source; null: not there"),
    Column("seen_at", INSTANT, comment="The moment before the request that saw it"),
    Column("suppression_id", BigInteger, comment="What suppresses it"),
    Column("detail", Text, comment="Why no more is known"),
    Column("position", BigInteger, comment="The observation appended for it; null: none was"),
    PrimaryKeyConstraint("id", "account_id"),
    ForeignKeyConstraint(
        ["reconciliation_id", "account_id"], [reconciliation.c.id, reconciliation.c.account_id]
    ),
    ForeignKeyConstraint(
        ["suppression_id", "account_id"], [suppression.c.id, suppression.c.account_id]
    ),
    Index(None, "reconciliation_id"),
    Index(None, "account_id", "phone_number_id"),
    comment="What reconciliations found, one row a finding",
)

subscription = Table(
    "subscription",
    metadata,
    Column("subscription_id", ID, nullable=False, comment="RingCentral's id"),
    Column("account_id", ID, comment="Account whose numbers it reports, digits"),
    Column(
        "status", Text, nullable=False, comment="As RingCentral says it: Active, Blacklisted, …"
    ),
    Column(
        "event_filters",
        ARRAY(Text),
        nullable=False,
        comment="Filters, as RingCentral resolved them",
    ),
    Column("disabled_filters", JSON, comment="Filters it accepted but does not serve"),
    Column("transport", Text, nullable=False, comment="WebHook or WebSocket"),
    Column("address", Text, comment="Where it delivers, without its query string"),
    Column("expires_at", INSTANT, comment="When it ends unless renewed"),
    Column("seen_at", INSTANT, nullable=False, comment="When we last read it"),
    PrimaryKeyConstraint("subscription_id"),
    comment="RingCentral's subscriptions, as last seen",
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False, comment="Our number for it"),
    Column("name", Text, nullable=False, comment="Who or what uses it"),
    Column("token_sha256", LargeBinary, nullable=False, comment="SHA-256 of the token"),
    Column("scopes", ARRAY(Text), nullable=False, comment="read, operate"),
    Column(
        "created_at",
        INSTANT,
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="When it was made",
    ),
    Column("expires_at", INSTANT, comment="When it stops to be accepted; null: never"),
    Column("revoked_at", INSTANT, comment="When it was revoked; null: it was not"),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("token_sha256"),
    comment="Bearer tokens of the read API, hashed",
)


def is_ours(name: str | None, kind: str, parents: Mapping[Any, str | None]) -> bool:
    """Whether Alembic is to compare an object: ours, and not the partition behind a projection."""
    if kind == "schema":
        return name == NAME
    if kind == "table":
        return parents["schema_name"] == NAME and not str(name).endswith("_live")
    return True
