"""The views people query, and the inventory as of two clocks."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def _run(name: str) -> None:
    """Run the statements of a file in `sql/`."""
    op.execute((Path(__file__).parents[1] / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def upgrade() -> None:

    _run("change_v1")
    _run("reassignment_v1")
    _run("provider_v1")
    _run("freshness_v1")
    _run("number_as_of_v1")
    _run("classified_discrepancy_v1")
    _run("coverage_v1")
    _run("version_as_of_v1")


def downgrade() -> None:
    op.execute("DROP FUNCTION inventory.version_as_of(timestamptz, timestamptz)")
    op.execute("DROP VIEW inventory.coverage")
    op.execute("DROP VIEW inventory.classified_discrepancy")
    op.execute("DROP FUNCTION inventory.number_as_of(timestamptz, timestamptz)")
    op.execute("DROP TYPE inventory.number_then")
    op.execute("DROP VIEW inventory.freshness")
    op.execute("DROP VIEW inventory.provider")
    op.execute("DROP VIEW inventory.reassignment")
    op.execute("DROP VIEW inventory.change")
