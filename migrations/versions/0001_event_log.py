"""The log: accounts, their events, and the seals over them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0001"
down_revision = None

ID = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)


def _run(name: str) -> None:
    """Run the statements of a file in `sql/`."""
    op.execute((Path(__file__).parents[1] / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "position",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Head of the log: position of the latest event, 0 while there is none",
        ),
        sa.Column(
            "head_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="Hash of the latest seal; of an empty log: sha256(account_id)",
        ),
        sa.Column("recorded_at", INSTANT, comment="recorded_at of the latest event"),
        sa.Column(
            "archived_until",
            INSTANT,
            comment="What occurred until then is not appended: what would have to be folded with it may be in an archive alone; null: nothing is",
        ),
        sa.PrimaryKeyConstraint("account_id", name="account_pkey"),
        schema="inventory",
        comment="One row an account: the head of its log, and the row that appenders lock",
    )
    op.create_table(
        "event",
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            comment="Place in the account's log: 1, 2, 3 … without a gap, in commit order",
        ),
        sa.Column(
            "recorded_at",
            INSTANT,
            nullable=False,
            comment="When we recorded it; never falls as positions rise",
        ),
        sa.Column(
            "occurred_at",
            INSTANT,
            nullable=False,
            comment="When it happened: the notification's timestamp, or when an observation was begun",
        ),
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "phone_number_id",
            ID,
            nullable=False,
            comment="RingCentral's id of the number, digits; with the account it identifies the number",
        ),
        sa.Column(
            "event_uuid",
            ID,
            nullable=False,
            comment="RingCentral's uuid, opaque text: often 18-20 decimal digits",
        ),
        sa.Column("event_type", sa.Text(), nullable=False, comment="Created, Updated or Deleted"),
        sa.Column(
            "origin",
            sa.Text(),
            nullable=False,
            comment="notification (it was pushed), observation (we looked) or operator (a person)",
        ),
        sa.Column("subscription_id", sa.Text(), comment="Subscription that delivered it"),
        sa.Column(
            "owner_id", sa.Text(), comment="Extension that owns the subscription, not the account"
        ),
        sa.Column("phone_number", sa.Text(), comment="E.164; can move from one id to another"),
        sa.Column("payment_type", sa.Text(), comment="RingCentral's paymentType, as sent"),
        sa.Column("location", sa.Text(), comment="Place the number belongs to, as sent"),
        sa.Column("number_type", sa.Text(), comment="RingCentral's type (VoiceFax, …), as sent"),
        sa.Column("usage_type", sa.Text(), comment="RingCentral's usageType, as sent"),
        sa.Column(
            "status", sa.Text(), comment="RingCentral's status (Normal, Pending, …), as sent"
        ),
        sa.Column(
            "provider_id",
            sa.Text(),
            comment="Contact Center provider; null: none named, RingCentral then means 1",
        ),
        sa.Column(
            "provider_name", sa.Text(), comment="Provider's name as sent; one id comes with several"
        ),
        sa.Column("uri", sa.Text(), comment="RingCentral's address of the number, as sent"),
        sa.Column("payload", sa.JSON(), nullable=False, comment="As it arrived, byte for byte"),
        sa.Column(
            "payload_sha256",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 over the payload's bytes",
        ),
        sa.CheckConstraint(
            "event_type IN ('Created', 'Updated', 'Deleted')", name=op.f("event_event_type_check")
        ),
        sa.CheckConstraint(
            "origin IN ('notification', 'observation', 'operator')", name=op.f("event_origin_check")
        ),
        sa.CheckConstraint("position > 0", name=op.f("event_position_check")),
        sa.PrimaryKeyConstraint("account_id", "position", name="event_pkey"),
        sa.UniqueConstraint(
            "account_id",
            "phone_number_id",
            "event_uuid",
            name="event_account_id_phone_number_id_event_uuid_key",
        ),
        schema="inventory",
        comment="The log: every accepted event, append-only",
    )
    op.create_index(
        "event_account_id_phone_number_id_occurred_at_position_idx",
        "event",
        ["account_id", "phone_number_id", "occurred_at", "position"],
        unique=False,
        schema="inventory",
        postgresql_include=["recorded_at"],
    )
    op.create_index(
        "event_not_notified_idx",
        "event",
        ["account_id", "phone_number_id", "occurred_at"],
        unique=False,
        schema="inventory",
        postgresql_where=sa.text("origin <> 'notification'"),
    )
    op.create_table(
        "seal",
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "first_position", sa.BigInteger(), nullable=False, comment="First event under this seal"
        ),
        sa.Column(
            "last_position", sa.BigInteger(), nullable=False, comment="Last event under this seal"
        ),
        sa.Column(
            "sealed_at", INSTANT, nullable=False, comment="recorded_at of all events under it"
        ),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Where the events under it came from: webhook, websocket, file:NAME, confirmation, reconciliation:RUN, operator:WHO, …",
        ),
        sa.Column(
            "previous_hash", sa.LargeBinary(), nullable=False, comment="Hash of the seal before"
        ),
        sa.Column(
            "events_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 over the events' payload_sha256, in position order",
        ),
        sa.Column(
            "hash",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 over previous_hash, first_position, last_position, sealed_at in microseconds since 1970 (each int8, big-endian), events_hash and source in UTF-8",
        ),
        sa.PrimaryKeyConstraint("account_id", "last_position", name="seal_pkey"),
        schema="inventory",
        comment="The hash chain over the log, one row an append: evidence that nothing was altered",
    )
    op.create_table(
        "archive",
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "first_position", sa.BigInteger(), nullable=False, comment="First event of the range"
        ),
        sa.Column(
            "last_position", sa.BigInteger(), nullable=False, comment="Last event of the range"
        ),
        sa.Column(
            "recorded_until",
            INSTANT,
            nullable=False,
            comment="recorded_at of the range's last event",
        ),
        sa.Column(
            "occurred_until",
            INSTANT,
            nullable=False,
            comment="Latest occurred_at within the range",
        ),
        sa.Column(
            "manifest_sha256",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 of the archive's manifest, which holds those of its files",
        ),
        sa.Column(
            "directory",
            sa.Text(),
            nullable=False,
            comment="Where the archive was when it was detached",
        ),
        sa.Column(
            "detached_at",
            INSTANT,
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
            comment="When the range was detached",
        ),
        sa.CheckConstraint("first_position <= last_position", name=op.f("archive_range_check")),
        sa.PrimaryKeyConstraint("account_id", "last_position", name="archive_pkey"),
        schema="inventory",
        comment="Ranges of the log of which most events are in archives alone; their seals stay",
    )
    _run("refuse_change_v1")
    _run("append_only_v1")
    _run("require_whole_log_v1")


def downgrade() -> None:
    op.execute("DROP FUNCTION inventory.require_whole_log(text, timestamptz)")
    op.drop_table("archive", schema="inventory")
    op.drop_table("seal", schema="inventory")
    op.drop_table("event", schema="inventory")
    op.drop_table("account", schema="inventory")
    op.execute("DROP FUNCTION inventory.refuse_change()")
