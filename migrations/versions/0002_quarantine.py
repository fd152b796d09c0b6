"""The quarantine: what arrived and could not be an event."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0002"
down_revision = "0001"

ID = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "quarantine",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Our number for it",
        ),
        sa.Column(
            "received_at",
            INSTANT,
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it first arrived",
        ),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="Where from: webhook, file:NAME#ITEM, …"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why it is no event, as a code"),
        sa.Column("detail", sa.Text(), nullable=False, comment="Why it is no event, as a sentence"),
        sa.Column(
            "payload", sa.LargeBinary(), nullable=False, comment="As it arrived, byte for byte"
        ),
        sa.Column(
            "payload_sha256",
            sa.LargeBinary(),
            sa.Computed("sha256(payload)", persisted=True),
            nullable=False,
            comment="SHA-256 over the payload: what arrives again is counted, not stored again",
        ),
        sa.Column(
            "arrivals",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="How often it has arrived",
        ),
        sa.Column("resolved_at", INSTANT, comment="When it was retried with success, or discarded"),
        sa.Column("resolution", sa.Text(), comment="What became of it; null while open"),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (resolution IS NULL)", name=op.f("quarantine_resolution_check")
        ),
        sa.PrimaryKeyConstraint("id", name="quarantine_pkey"),
        sa.UniqueConstraint(
            "payload_sha256", "reason", name="quarantine_payload_sha256_reason_key"
        ),
        schema="inventory",
        comment="What arrived and could not be an event, with the reason; nothing is ever lost",
    )


def downgrade() -> None:
    op.drop_table("quarantine", schema="inventory")
