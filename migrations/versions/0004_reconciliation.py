"""Reconciliation runs, and what they found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0004"
down_revision = "0003"

ID = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "reconciliation",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Number of the run",
        ),
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column("source", sa.Text(), nullable=False, comment="ringcentral, or file:NAME"),
        sa.Column("scope", sa.Text(), comment="What it was narrowed to; null: everything"),
        sa.Column("mode", sa.Text(), nullable=False, comment="apply, or plan: appended nothing"),
        sa.Column("scheduled_for", INSTANT, comment="The schedule's tick; null: not by schedule"),
        sa.Column("requested_at", INSTANT, comment="When it was asked for; null: by nobody"),
        sa.Column("reason", sa.Text(), comment="Why it was asked for: the gap it is to close"),
        sa.Column(
            "answered_by",
            sa.BigInteger(),
            comment="The run that does what this row asked for, or did what it left undone",
        ),
        sa.Column("started_at", INSTANT, comment="When the run began; null: nobody took it up yet"),
        sa.Column("read_at", INSTANT, comment="When the source had been read"),
        sa.Column("finished_at", INSTANT, comment="When it ended; null: it has not, or it crashed"),
        sa.Column(
            "outcome",
            sa.Text(),
            comment="complete, incomplete (what is not in the list was not marked absent), refused (by a guard: the same), failed or crashed; null: not finished",
        ),
        sa.Column(
            "position", sa.BigInteger(), comment="Position up to which the inventory was compared"
        ),
        sa.Column("seen", sa.Integer(), comment="Rows in the source's list"),
        sa.Column("added", sa.Integer(), comment="Numbers found that were not in the inventory"),
        sa.Column("different", sa.Integer(), comment="Numbers found with other attributes"),
        sa.Column(
            "departed", sa.Integer(), comment="Numbers found in another use than Contact Center"
        ),
        sa.Column("deleted", sa.Integer(), comment="Numbers found to exist no more"),
        sa.Column(
            "missing", sa.Integer(), comment="Numbers not in the list, of which no more is known"
        ),
        sa.Column("confirmed", sa.Integer(), comment="Unverified numbers found unchanged"),
        sa.Column(
            "suppressed", sa.Integer(), comment="Differences that are known and left as they are"
        ),
        sa.Column(
            "left_alone", sa.Integer(), comment="Numbers not judged, for events newer than the read"
        ),
        sa.Column("appended", sa.Integer(), comment="Observations appended"),
        sa.Column(
            "notified",
            sa.Integer(),
            comment="Changes that notifications had told us of since the run before; null: the first",
        ),
        sa.Column(
            "requests", sa.Integer(), comment="Requests made to RingCentral, logins not counted"
        ),
        sa.Column("guard", sa.Text(), comment="The guards that refused the absences, by name"),
        sa.Column("override", sa.Text(), comment="How many absences a person confirmed, and why"),
        sa.Column("detail", sa.Text(), comment="What went wrong, or is to be known of it"),
        sa.ForeignKeyConstraint(
            ["answered_by", "account_id"],
            ["inventory.reconciliation.id", "inventory.reconciliation.account_id"],
            name="reconciliation_answered_by_account_id_fkey",
        ),
        sa.PrimaryKeyConstraint("id", "account_id", name="reconciliation_pkey"),
        sa.UniqueConstraint(
            "account_id", "scheduled_for", name="reconciliation_account_id_scheduled_for_key"
        ),
        schema="inventory",
        comment="Reconciliation runs: what we compared with the source, when, and how it ended",
    )
    op.create_index(
        "reconciliation_account_id_finished_at_idx",
        "reconciliation",
        ["account_id", "finished_at"],
        unique=False,
        schema="inventory",
    )
    op.create_table(
        "suppression",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Our number for it",
        ),
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "phone_number_id",
            ID,
            nullable=False,
            comment="RingCentral's id of the number, digits; with the account it identifies the number",
        ),
        sa.Column(
            "created_at",
            INSTANT,
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was made",
        ),
        sa.Column("expires_at", INSTANT, nullable=False, comment="When it ends by itself"),
        sa.Column("lifted_at", INSTANT, comment="When a person ended it; null: nobody did"),
        sa.Column(
            "reason", sa.Text(), nullable=False, comment="Why the difference is known and left"
        ),
        sa.PrimaryKeyConstraint("id", "account_id", name="suppression_pkey"),
        schema="inventory",
        comment="Numbers whose differences are known, and left as they are until a time",
    )
    op.create_index(
        "suppression_account_id_phone_number_id_idx",
        "suppression",
        ["account_id", "phone_number_id"],
        unique=False,
        schema="inventory",
    )
    op.create_table(
        "discrepancy",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Our number for it",
        ),
        sa.Column(
            "reconciliation_id", sa.BigInteger(), nullable=False, comment="The run that found it"
        ),
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "phone_number_id",
            ID,
            comment="RingCentral's id of the number; null: a file has it by its E.164 number alone",
        ),
        sa.Column(
            "phone_number", sa.Text(), comment="E.164, as the source or else the inventory has it"
        ),
        sa.Column(
            "finding",
            sa.Text(),
            nullable=False,
            comment="added, different, departed (to another use), deleted, missing (from the list, and no more is known) or confirmed (unverified, and as it was)",
        ),
        sa.Column(
            "class",
            sa.Text(),
            comment="Why it was not known: initial load, missed event, silent change (RingCentral announces none), out-of-band (by a person or a file), unexplained; null: not decided",
        ),
        sa.Column("expected", sa.JSON(), comment="Attributes in the inventory; null: not in it"),
        sa.Column("found", sa.JSON(), comment="Attributes at the source; null: not there"),
        sa.Column("seen_at", INSTANT, comment="The moment before the request that saw it"),
        sa.Column("suppression_id", sa.BigInteger(), comment="What suppresses it"),
        sa.Column("detail", sa.Text(), comment="Why no more is known"),
        sa.Column(
            "position", sa.BigInteger(), comment="The observation appended for it; null: none was"
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id", "account_id"],
            ["inventory.reconciliation.id", "inventory.reconciliation.account_id"],
            name="discrepancy_reconciliation_id_account_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["suppression_id", "account_id"],
            ["inventory.suppression.id", "inventory.suppression.account_id"],
            name="discrepancy_suppression_id_account_id_fkey",
        ),
        sa.PrimaryKeyConstraint("id", "account_id", name="discrepancy_pkey"),
        schema="inventory",
        comment="What reconciliations found, one row a finding",
    )
    op.create_index(
        "discrepancy_reconciliation_id_idx",
        "discrepancy",
        ["reconciliation_id"],
        unique=False,
        schema="inventory",
    )
    op.create_index(
        "discrepancy_account_id_phone_number_id_idx",
        "discrepancy",
        ["account_id", "phone_number_id"],
        unique=False,
        schema="inventory",
    )


def downgrade() -> None:
    op.drop_table("discrepancy", schema="inventory")
    op.drop_table("suppression", schema="inventory")
    op.drop_table("reconciliation", schema="inventory")
