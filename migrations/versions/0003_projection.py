"""The projection: the current inventory, its versions, and how far they are folded."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0003"
down_revision = "0002"

ID = sa.Text(collation="C")
INSTANT = TIMESTAMP(timezone=True)
# Room on each page for a row's successor, so that a fold need not touch the indexes: every number is
# rewritten time and again, of the versions only the latest of a number is, once, when it ends.
FILLFACTOR = {
    "contact_center_number": 80,
    "contact_center_number_version": 90,
    "contact_center_number_momentary_version": 100,
}


def _run(name: str) -> None:
    """Run the statements of a file in `sql/`."""
    op.execute((Path(__file__).parents[1] / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def upgrade() -> None:
    op.create_table(
        "projection_checkpoint",
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "position",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Position up to which the log is folded",
        ),
        sa.Column("folded_at", INSTANT, comment="When the latest fold was done"),
        sa.PrimaryKeyConstraint("account_id", name="projection_checkpoint_pkey"),
        schema="inventory",
        comment="How far each account is projected, and the row that projectors lock",
    )
    op.create_table(
        "contact_center_number",
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "phone_number_id",
            ID,
            nullable=False,
            comment="RingCentral's id of the number, digits; with the account it identifies the number",
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
        sa.Column("valid_from", INSTANT, nullable=False, comment="Since when it has been as it is"),
        sa.Column(
            "entered_at",
            INSTANT,
            nullable=False,
            comment="Since when it has been in Contact Center",
        ),
        sa.Column(
            "provider_since", INSTANT, nullable=False, comment="Since when it has had its provider"
        ),
        sa.Column(
            "verified_at", INSTANT, comment="When it was last looked at (latest observation)"
        ),
        sa.Column(
            "unverified_since",
            INSTANT,
            comment="Since when it is in doubt: an Updated that changed nothing may have meant that it was reassigned away",
        ),
        sa.Column("last_position", sa.BigInteger(), nullable=False, comment="Its latest event"),
        sa.PrimaryKeyConstraint("account_id", "phone_number_id", name="contact_center_number_pkey"),
        schema="inventory",
        comment="The current inventory: one row for each number that is in Contact Center now",
        postgresql_partition_by="LIST (account_id)",
    )
    op.create_table(
        "contact_center_number_version",
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "phone_number_id",
            ID,
            nullable=False,
            comment="RingCentral's id of the number, digits; with the account it identifies the number",
        ),
        sa.Column("valid_from", INSTANT, nullable=False, comment="True from then on, inclusive"),
        sa.Column("valid_to", INSTANT, comment="True until then, exclusive; null: still true"),
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
        sa.Column("entered_at", INSTANT, nullable=False, comment="Since when it had been in"),
        sa.Column(
            "provider_since", INSTANT, nullable=False, comment="Since when it had its provider"
        ),
        sa.Column(
            "opened_by", sa.BigInteger(), nullable=False, comment="Position of the event before it"
        ),
        sa.Column(
            "opened_kind", sa.Text(), nullable=False, comment="Kind of the change that opened it"
        ),
        sa.Column("opened_origin", sa.Text(), nullable=False, comment="Origin of that event"),
        sa.Column(
            "previous_provider_id", sa.Text(), comment="Provider before, if it was in before"
        ),
        sa.Column("previous_provider_name", sa.Text(), comment="That provider's name, as sent"),
        sa.Column(
            "closed_by", sa.BigInteger(), comment="Position of the event after it; null: current"
        ),
        sa.Column(
            "closed_kind",
            sa.Text(),
            comment="Kind of the change that took the number out; null: current, or the next version follows at once",
        ),
        sa.Column("closed_origin", sa.Text(), comment="Origin of the event after it"),
        sa.PrimaryKeyConstraint(
            "account_id", "phone_number_id", "valid_from", name="contact_center_number_version_pkey"
        ),
        schema="inventory",
        comment="Every state a number was in, [valid_from, valid_to); current while valid_to is null",
        postgresql_partition_by="LIST (account_id)",
    )
    op.create_table(
        "contact_center_number_momentary_version",
        sa.Column("account_id", ID, nullable=False, comment="RingCentral account, digits"),
        sa.Column(
            "phone_number_id",
            ID,
            nullable=False,
            comment="RingCentral's id of the number, digits; with the account it identifies the number",
        ),
        sa.Column("valid_from", INSTANT, nullable=False, comment="True from then on, inclusive"),
        sa.Column("valid_to", INSTANT, comment="True until then, exclusive; null: still true"),
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
        sa.Column("entered_at", INSTANT, nullable=False, comment="Since when it had been in"),
        sa.Column(
            "provider_since", INSTANT, nullable=False, comment="Since when it had its provider"
        ),
        sa.Column(
            "opened_by", sa.BigInteger(), nullable=False, comment="Position of the event before it"
        ),
        sa.Column(
            "opened_kind", sa.Text(), nullable=False, comment="Kind of the change that opened it"
        ),
        sa.Column("opened_origin", sa.Text(), nullable=False, comment="Origin of that event"),
        sa.Column(
            "previous_provider_id", sa.Text(), comment="Provider before, if it was in before"
        ),
        sa.Column("previous_provider_name", sa.Text(), comment="That provider's name, as sent"),
        sa.Column(
            "closed_by", sa.BigInteger(), comment="Position of the event after it; null: current"
        ),
        sa.Column(
            "closed_kind",
            sa.Text(),
            comment="Kind of the change that took the number out; null: current, or the next version follows at once",
        ),
        sa.Column("closed_origin", sa.Text(), comment="Origin of the event after it"),
        sa.PrimaryKeyConstraint(
            "account_id",
            "phone_number_id",
            "opened_by",
            name="contact_center_number_momentary_version_pkey",
        ),
        schema="inventory",
        comment="States that began and ended in one instant: true at no time, yet changes",
        postgresql_partition_by="LIST (account_id)",
    )
    for table in ("contact_center_number_version", "contact_center_number_momentary_version"):
        op.create_index(f"{table}_phone_number_idx", table, ["phone_number"], schema="inventory")
        op.create_index(f"{table}_valid_from_idx", table, ["valid_from"], schema="inventory")
        op.create_index(
            f"{table}_valid_to_idx",
            table,
            ["valid_to"],
            schema="inventory",
            postgresql_where=sa.text("closed_kind IS NOT NULL"),
        )
    for table, fillfactor in FILLFACTOR.items():
        op.execute(
            f"CREATE TABLE inventory.{table}_live PARTITION OF inventory.{table} DEFAULT "
            f"WITH (fillfactor = {fillfactor})"
        )
        op.execute(
            f"COMMENT ON TABLE inventory.{table}_live IS "
            "'Every row of its parent; a rebuild replaces it'"
        )
    _run("inside_v1")


def downgrade() -> None:
    op.execute("DROP FUNCTION inventory.inside(text, text)")
    for table in reversed(FILLFACTOR):
        op.drop_table(table, schema="inventory")
    op.drop_table("projection_checkpoint", schema="inventory")
