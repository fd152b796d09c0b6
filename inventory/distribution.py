"""
Spreading the log and its projections over the nodes of a Citus cluster, by account.

All rows of an account lie on one node, in shards that are moved together: an append and a fold
never leave it. What belongs to no account stays where the clients are, on the coordinator.
"""

from __future__ import annotations

import sqlalchemy
from psycopg import Connection, sql

from inventory import migration
from inventory.errors import InventoryError
from inventory.schema import account, metadata

DISTRIBUTED = tuple(
    table.fullname
    for table in metadata.sorted_tables
    if "account_id" in table.c and not table.c.account_id.nullable
)
"""
The tables whose every row belongs to an account, each behind those that it refers to.

The others stay on the coordinator: what is in quarantine often names no account, a subscription may
name none, and tokens are looked up by their hash.
"""

# Asked by itself: where there is no Citus, a query that names its tables is refused, whatever its
# condition says.
IS_CITUS = "SELECT true FROM pg_extension WHERE extname = 'citus'"

OF_CITUS = """
SELECT true
FROM pg_dist_partition
WHERE logicalrelid = to_regclass(%(table)s)
  AND partmethod = 'h'
"""

NODES = """
SELECT count(*)
FROM pg_dist_node
WHERE isactive AND shouldhaveshards AND noderole = 'primary'
"""

# The coordinator meets the other nodes as whoever is asking, and a role's members act as the role.
# Without a password it lets in nobody whom pg_hba.conf does not trust.
MAY_MEET = """
SELECT rolname
FROM pg_roles
WHERE rolname = ANY(%(roles)s) AND NOT rolcanlogin
ORDER BY rolname
"""
MEET = "ALTER ROLE {role} LOGIN"

# One node after the other: a foreign key to a table that was distributed over many connections at
# once is refused in the same transaction. Triggers on shards are "unsafe" where they reach beyond
# their row; ours only refuse.
AS_CITUS_WANTS_IT = """
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.enable_unsafe_triggers = on;
SET LOCAL client_min_messages = 'warning'
"""

# A table with triggers cannot be distributed; until the transaction ends, nobody else gets to it.
LIFT_BARS = """
DROP TRIGGER IF EXISTS append_only_rows ON inventory.event;
DROP TRIGGER IF EXISTS append_only_table ON inventory.event;
DROP TRIGGER IF EXISTS append_only_rows ON inventory.seal;
DROP TRIGGER IF EXISTS append_only_table ON inventory.seal
"""

DISTRIBUTE = "SELECT create_distributed_table(%(table)s, 'account_id', colocate_with := %(beside)s)"

# Asked on the nodes, amid a query; no view needs it, so that Citus would leave it behind. That it
# asks further is safe: it writes nothing, and archives do not change under it.
LET_IT_ASK = """
ALTER FUNCTION inventory.require_whole_log(text, timestamptz)
SET citus.allow_nested_distributed_execution = on
"""
DISTRIBUTE_FUNCTION = """
SELECT create_distributed_function('inventory.require_whole_log(text, timestamptz)')
"""

# Functions in SQL that read distributed tables Citus does not plan.
IN_SQL = """
SELECT
    pg_proc.oid::regprocedure::text AS function,
    pg_get_functiondef(pg_proc.oid) AS definition,
    prosrc AS body
FROM pg_proc
JOIN pg_language ON pg_language.oid = prolang
WHERE pronamespace = 'inventory'::regnamespace
  AND lanname = 'sql' AND prosrc LIKE '%%FROM inventory.%%'
ORDER BY function
"""

# Before anything is distributed, the schema is made on the coordinator alone; distributing takes
# along what the tables need. Afterwards every change of it goes to all nodes.
KEEP_LOCAL = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
        IF NOT EXISTS (
            SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass('inventory.account')
        ) THEN
            SET LOCAL citus.enable_ddl_propagation = off;
        END IF;
    END IF;
END
$$
"""


class NoCitus(InventoryError):
    """The database is not one of a Citus cluster."""

    def __init__(self) -> None:
        super().__init__(
            "expected the extension citus in this database, found none; on each node add citus to "
            "shared_preload_libraries and CREATE EXTENSION citus, then add the workers here with "
            "citus_add_node"
        )


def distribute(connection: Connection) -> list[str]:
    """
    Distribute what is not distributed yet, in the caller's transaction; says what was done.

    Holds up everybody else until the transaction ends: the rows there are, are moved. The log stays
    append-only on every node. Needs a superuser, on the coordinator.

    Raises:
        NoCitus: The database has no Citus.
    """
    if connection.execute(IS_CITUS).fetchone() is None:
        raise NoCitus
    done = []
    for (role,) in connection.execute(MAY_MEET, {"roles": list(migration.ROLES)}).fetchall():
        connection.execute(sql.SQL(MEET).format(role=sql.Identifier(role)))
        done.append(f"{role} may log in, as nodes meet each other as it")
    tables = [table for table in DISTRIBUTED if not is_distributed(connection, table)]
    if tables:
        connection.execute(AS_CITUS_WANTS_IT)
        connection.execute(LIFT_BARS)
        for table in tables:
            beside = "none" if table == account.fullname else account.fullname
            connection.execute(DISTRIBUTE, {"table": table, "beside": beside})
            done.append(f"{table} by account_id")
        connection.execute(LET_IT_ASK)
        connection.execute(DISTRIBUTE_FUNCTION)
        _put_up_bars(connection)
    for function, definition, body in connection.execute(IN_SQL).fetchall():
        connection.execute(sql.SQL(_in_plpgsql(definition, body)))
        done.append(f"{function} in PL/pgSQL")
    return done


def nodes(connection: Connection) -> int:
    """How many nodes take shards. Assumes that there is Citus."""
    (count,) = connection.execute(NODES).fetchone() or (0,)
    return int(count)


def is_distributed(connection: Connection, table: str) -> bool:
    """Whether *table* lies on the nodes of a Citus cluster."""
    if connection.execute(IS_CITUS).fetchone() is None:
        return False
    return connection.execute(OF_CITUS, {"table": table}).fetchone() is not None


def lay_beside(connection: Connection, new: str, table: str) -> None:
    """Distribute *new* as *table* is, shard beside shard; where there is no Citus, do nothing."""
    if is_distributed(connection, table):
        connection.execute(DISTRIBUTE, {"table": new, "beside": table})


def keep_local(connection: sqlalchemy.Connection) -> None:
    """Let the schema be made on this node alone, for this transaction, if it is not distributed."""
    connection.exec_driver_sql(KEEP_LOCAL)


def _put_up_bars(connection: Connection) -> None:
    """As the migration did, one statement at a time: Citus sends on the whole text of each."""
    bars = migration.migrations() / "sql" / "append_only_v1.sql"
    for statement in bars.read_text(encoding="utf-8").rstrip().split(";\n"):
        connection.execute(sql.SQL(statement))


def _in_plpgsql(definition: str, body: str) -> str:
    """The same function, its query in PL/pgSQL: planned when it runs, with its arguments known."""
    head, found, rest = definition.partition("LANGUAGE sql")
    before, quoted, after = rest.rpartition(body)
    assert found and quoted  # noqa: PT018, S101 - pg_get_functiondef writes both
    before = before.replace("PARALLEL SAFE", "PARALLEL UNSAFE")
    return f"{head}LANGUAGE plpgsql{before}\nBEGIN\nRETURN QUERY{body};\nEND\n{after}"
