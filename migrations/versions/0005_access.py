"""What serving needs to remember: subscriptions and access tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0005"
down_revision = "0004"

ID = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "subscription",
        sa.Column("subscription_id", ID, nullable=False, comment="RingCentral's id"),
        sa.Column("account_id", ID, comment="Account whose numbers it reports, digits"),
        sa.Column(
            "status",
            sa.Text(),
            nullable=False,
            comment="As RingCentral says it: Active, Blacklisted, …",
        ),
        sa.Column(
            "event_filters",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="Filters, as RingCentral resolved them",
        ),
        sa.Column("disabled_filters", sa.JSON(), comment="Filters it accepted but does not serve"),
        sa.Column("transport", sa.Text(), nullable=False, comment="WebHook or WebSocket"),
        sa.Column("address", sa.Text(), comment="Where it delivers, without its query string"),
        sa.Column("expires_at", INSTANT, comment="When it ends unless renewed"),
        sa.Column("seen_at", INSTANT, nullable=False, comment="When we last read it"),
        sa.PrimaryKeyConstraint("subscription_id", name="subscription_pkey"),
        schema="inventory",
        comment="RingCentral's subscriptions, as last seen",
    )
    op.create_table(
        "api_token",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Our number for it",
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="Who or what uses it"),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token"),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False, comment="read, operate"),
        sa.Column(
            "created_at",
            INSTANT,
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was made",
        ),
        sa.Column("expires_at", INSTANT, comment="When it stops to be accepted; null: never"),
        sa.Column("revoked_at", INSTANT, comment="When it was revoked; null: it was not"),
        sa.PrimaryKeyConstraint("id", name="api_token_pkey"),
        sa.UniqueConstraint("token_sha256", name="api_token_token_sha256_key"),
        schema="inventory",
        comment="Bearer tokens of the read API, hashed",
    )


def downgrade() -> None:
    op.drop_table("api_token", schema="inventory")
    op.drop_table("subscription", schema="inventory")
