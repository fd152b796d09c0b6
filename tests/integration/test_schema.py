"""The schema: what the migrations build, what the program believes, and what people can read of it."""

from __future__ import annotations

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, PrimaryKeyConstraint, UniqueConstraint

from inventory import migration, schema
from inventory.database import Database, SchemaOutdated

UNCOMMENTED = """
SELECT kind, name
FROM (
    SELECT 'relation', c.relname, obj_description(c.oid, 'pg_class')
    FROM pg_class AS c
    WHERE c.relnamespace = 'inventory'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'column', c.relname || '.' || a.attname, col_description(c.oid, a.attnum)
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'inventory'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
      AND a.attnum > 0 AND NOT a.attisdropped
      AND NOT c.relispartition AND c.relname <> 'alembic_version'
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc')
    FROM pg_proc AS p
    WHERE p.pronamespace = 'inventory'::regnamespace
    UNION ALL
    SELECT 'trigger', t.tgname, obj_description(t.oid, 'pg_trigger')
    FROM pg_trigger AS t
    JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'inventory'::regnamespace AND NOT t.tgisinternal
) AS described (kind, name, comment)
WHERE comment IS NULL AND name <> 'alembic_version'
"""

OBJECTS = """
SELECT relname FROM pg_class
WHERE relnamespace = 'inventory'::regnamespace AND relname NOT IN ('alembic_version', 'alembic_version_pkc')
UNION ALL
SELECT proname FROM pg_proc WHERE pronamespace = 'inventory'::regnamespace
"""


def test_what_the_migrations_build_is_what_the_program_believes(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": schema.is_ours,
                "compare_type": True,
                "compare_server_default": True,
                "version_table_schema": schema.NAME,
            },
        )
        assert compare_metadata(context, schema.metadata) == []


def test_a_forgotten_migration_would_be_noticed(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE inventory.event DROP COLUMN location")
        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_name": schema.is_ours}
        )
        assert compare_metadata(context, schema.metadata) != []


def test_everything_has_a_comment(database: Database) -> None:
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql(UNCOMMENTED).all() == []


def test_down_to_nothing_and_up_again(empty_database: Database) -> None:
    engine = empty_database.engine
    with engine.begin() as connection:
        migration.upgrade(connection)
        built = _described(connection)
    with engine.begin() as connection:
        migration.downgrade(connection)
        assert connection.exec_driver_sql(OBJECTS).all() == []
        assert migration.revision(connection) is None
    with engine.begin() as connection:
        migration.upgrade(connection)
        assert _described(connection) == built


def test_one_step_down_and_up_again_from_every_revision(empty_database: Database) -> None:
    with empty_database.engine.begin() as connection:
        migration.upgrade(connection)
    for step in range(1, int(migration.head()) + 1):
        with empty_database.engine.begin() as connection:
            migration.downgrade(connection, f"-{step}")
        with empty_database.engine.begin() as connection:
            migration.upgrade(connection)
            assert migration.revision(connection) == migration.head()


def test_a_schema_of_another_revision_is_refused(empty_database: Database) -> None:
    with pytest.raises(SchemaOutdated, match="db upgrade"):
        empty_database.require_schema()
    empty_database.upgrade()
    empty_database.require_schema()


def test_constraints_are_called_what_the_program_calls_them(database: Database) -> None:
    """Comparing does not look at checks, nor at the names of keys."""
    with database.engine.connect() as connection:
        found = sqlalchemy.inspect(connection)
        for table in schema.metadata.sorted_tables:
            there = {c["name"] for c in found.get_check_constraints(table.name, schema=schema.NAME)}
            there |= {c["name"] for c in found.get_unique_constraints(table.name, schema.NAME)}
            there.add(found.get_pk_constraint(table.name, schema=schema.NAME)["name"])
            kinds = (CheckConstraint, PrimaryKeyConstraint, UniqueConstraint)
            assert there == {
                connection.dialect.identifier_preparer.format_constraint(constraint)
                for constraint in table.constraints
                if isinstance(constraint, kinds)
            }, table.name


def test_the_newest_revision_is_the_one_alembic_finds() -> None:
    script = ScriptDirectory(str(migration.migrations()))
    assert migration.head() == script.get_current_head()
    assert all(migration.is_known(each.revision) for each in script.walk_revisions())
    assert not migration.is_known("9999")


def test_an_upgrade_at_the_newest_revision_does_nothing(database: Database) -> None:
    with database.engine.connect() as connection:
        before = _described(connection)
    database.upgrade()
    with database.engine.connect() as connection:
        assert _described(connection) == before


def test_the_schema_belongs_to_its_owner_role_not_to_a_superuser(database: Database) -> None:
    with database.engine.connect() as connection:
        owners = connection.exec_driver_sql(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relnamespace = 'inventory'::regnamespace"
        ).scalars()
        assert set(owners) == {"inventory_owner"}


def _described(connection: sqlalchemy.Connection) -> list[tuple[str, ...]]:
    """Every column, index and constraint, in words."""
    queries = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = 'inventory' ORDER BY 1, 2",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'inventory' ORDER BY 1",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'inventory'::regnamespace ORDER BY 1",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'inventory'::regnamespace",
    )
    return [tuple(map(str, row)) for query in queries for row in connection.exec_driver_sql(query)]


@pytest.mark.parametrize("view", ["change", "reassignment"])
@pytest.mark.parametrize("order", ["changed_at DESC", "changed_at DESC, account_id, position DESC"])
def test_the_latest_changes_are_found_without_a_look_at_all_of_them(
    database: Database, view: str, order: str
) -> None:
    with database.connect() as connection:
        # Few rows are read whole, whatever the indexes.
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_bitmapscan = off")
        plan = connection.execute(
            f"EXPLAIN SELECT * FROM inventory.{view} ORDER BY {order} LIMIT 50".encode()
        ).fetchall()
    nodes = [line.strip().removeprefix("->").strip().partition("  (")[0] for (line,) in plan]
    scans = [node for node in nodes if " on contact_center_number_" in node]
    assert len(scans) == 4
    assert all("Index Scan Backward" in node for node in scans), nodes
    assert "Sort" not in nodes
