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
        sa.Column(
            "source", sa.Text(), nullable=False, comment="ringcentral, or the file compared with"
        ),
        sa.Column("mode", sa.Text(), nullable=False, comment="apply, or plan: appended nothing"),
        sa.Column("scheduled_for", INSTANT, comment="The schedule's tick; null: not by schedule"),
        sa.Column("requested_at", INSTANT, comment="When it was asked for; null: by nobody"),
        sa.Column("reason", sa.Text(), comment="Why it was asked for: the gap it is to close"),
        sa.Column("started_at", INSTANT, comment="When the run began; null: nobody took it up yet"),
        sa.Column("finished_at", INSTANT, comment="When it ended; null: it has not, or it crashed"),
        sa.Column(
            "outcome",
            sa.Text(),
            comment="complete, incomplete, refused or failed; null: not finished",
        ),
        sa.Column("seen", sa.Integer(), comment="Numbers the source listed"),
        sa.Column("added", sa.Integer(), comment="Numbers found that were unknown here"),
        sa.Column("changed", sa.Integer(), comment="Numbers found different"),
        sa.Column("removed", sa.Integer(), comment="Numbers found to have left or been deleted"),
        sa.Column("confirmed", sa.Integer(), comment="Unverified numbers found unchanged"),
        sa.Column("requests", sa.Integer(), comment="Requests made to RingCentral"),
        sa.Column("guard", sa.Text(), comment="The guard that refused the absences, if one did"),
        sa.Column("detail", sa.Text(), comment="What went wrong, or why a guard was overridden"),
        sa.PrimaryKeyConstraint("id", name="reconciliation_pkey"),
        sa.UniqueConstraint(
            "account_id", "scheduled_for", name="reconciliation_account_id_scheduled_for_key"
        ),
        schema="inventory",
        comment="Reconciliation runs: what we compared with the source, when, and how it ended",
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
            nullable=False,
            comment="RingCentral's id of the number, digits; with the account it identifies the number",
        ),
        sa.Column(
            "phone_number", sa.Text(), comment="E.164, as the source or else the inventory has it"
        ),
        sa.Column(
            "finding",
            sa.Text(),
            nullable=False,
            comment="added, different, left, deleted, confirmed",
        ),
        sa.Column(
            "class", sa.Text(), comment="Why it was not known: missed event, silent change, …"
        ),
        sa.Column("expected", sa.JSON(), comment="Attributes in the inventory; null: not in it"),
        sa.Column("found", sa.JSON(), comment="Attributes at the source; null: not there"),
        sa.Column(
            "position", sa.BigInteger(), comment="The observation appended for it, if one was"
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["inventory.reconciliation.id"],
            name="discrepancy_reconciliation_id_fkey",
        ),
        sa.PrimaryKeyConstraint("id", name="discrepancy_pkey"),
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


def downgrade() -> None:
    op.drop_table("discrepancy", schema="inventory")
    op.drop_table("reconciliation", schema="inventory")
