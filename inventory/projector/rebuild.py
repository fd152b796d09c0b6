"""Folding every log anew, into new tables that take the old ones' place while readers go on."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
from psycopg import Connection, sql

from inventory import distribution
from inventory.errors import InventoryError
from inventory.projector import statements
from inventory.projector.fold import ROOM_TO_SORT, Folded
from inventory.schema import PROJECTIONS

# Projectors wait for the rebuild, readers of the table do not; appends never touch it.
HOLD_PROJECTORS = "LOCK TABLE inventory.projection_checkpoint IN EXCLUSIVE MODE"

HEADS = """
SELECT account_id, position
FROM inventory.account
ORDER BY account_id
"""

SET_CHECKPOINT = """
INSERT INTO inventory.projection_checkpoint (account_id, position, folded_at)
VALUES (%(account_id)s, %(through)s, statement_timestamp())
ON CONFLICT (account_id) DO UPDATE
SET position = excluded.position, folded_at = excluded.folded_at
"""

CREATE_NEW = "CREATE TABLE {new} (LIKE {live} INCLUDING ALL)"

# What LIKE leaves behind: owner, grants, comment, and storage parameters such as the fill factor.
REST = """
SELECT format('ALTER TABLE %%s OWNER TO %%I', %(new)s::regclass, pg_get_userbyid(relowner))
FROM pg_class
WHERE oid = %(live)s::regclass
UNION ALL
SELECT format(
    'GRANT %%s ON %%s TO %%I', acl.privilege_type, %(new)s::regclass, pg_get_userbyid(acl.grantee)
)
FROM pg_class, aclexplode(relacl) AS acl
WHERE oid = %(live)s::regclass AND acl.grantee NOT IN (0, relowner)
UNION ALL
SELECT format(
    'COMMENT ON TABLE %%s IS %%L',
    %(new)s::regclass, obj_description(%(live)s::regclass, 'pg_class')
)
UNION ALL
SELECT format('ALTER TABLE %%s SET (%%s)', %(new)s::regclass, array_to_string(reloptions, ', '))
FROM pg_class
WHERE oid = %(live)s::regclass AND reloptions IS NOT NULL
"""
# Rows come in the order of the key. Any other index is made when they are there: that is a sort,
# and not a search for each of them.
OTHER_INDEXES = """
SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index
WHERE indrelid = %(new)s::regclass AND NOT indisprimary
"""
INDEXES = """
SELECT format(
    'ALTER INDEX %%s RENAME TO %%I', indexrelid::regclass, replace(relname, '_new_', '_live_')
)
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = %(live)s::regclass
"""
ANALYZE_NEW = "ANALYZE {new}"
LOCK_TABLES = "LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"
# One by one: Citus sends the whole text of each on to the other nodes.
SWAP = (
    "ALTER TABLE {table} DETACH PARTITION {live}",
    "DROP TABLE {live}",
    "ALTER TABLE {new} RENAME TO {live_name}",
    "ALTER TABLE {table} ATTACH PARTITION {live} DEFAULT",
)

PATIENCE = 120
"""Times a second is waited for readers to let go, before the rebuild is given up."""


class ReadersHeldOn(InventoryError):
    """The rebuilt tables could not be put in place: a reader kept the old ones locked."""

    def __init__(self, waited: int) -> None:
        super().__init__(
            f"expected the projection's readers to finish within {waited} s, and one did not; "
            "nothing was changed, run it again when the long query is done"
        )


def rebuild(
    connection: Connection, *, done: Callable[[Folded], None] = lambda _: None
) -> list[Folded]:
    """
    Fold every account's log from nothing and swap the result in, in the caller's transaction.

    Readers see the old tables until the transaction is committed, and go on meanwhile; appends go
    on too, and what they append is the next fold's. Other projectors wait. Needs the rights of the
    tables' owner. *done* is told of each account.

    Raises:
        ReadersHeldOn: A query kept the old tables locked for two minutes.
    """
    connection.execute(HOLD_PROJECTORS)
    connection.execute("SELECT inventory.require_whole_log(NULL)")
    connection.execute(ROOM_TO_SORT)
    later = []
    for names in _names():
        connection.execute(sql.SQL(CREATE_NEW).format(**names))
        tables = {name: names[name].as_string(connection) for name in ("new", "live")}
        distribution.lay_beside(connection, tables["new"], tables["live"])
        for (statement,) in connection.execute(REST, tables).fetchall():
            connection.execute(statement)
        for drop, create in connection.execute(OTHER_INDEXES, tables).fetchall():
            connection.execute(drop)
            later.append(create)
    folded = []
    for account_id, position in connection.execute(HEADS).fetchall():
        account = Folded(account_id, after=0, through=position)
        connection.execute(statements.REBUILD_VERSIONS, account._asdict())
        connection.execute(statements.REBUILD_NUMBERS, account._asdict())
        connection.execute(SET_CHECKPOINT, account._asdict())
        folded.append(account)
        done(account)
    for create in later:
        connection.execute(create)
    for names in _names():
        connection.execute(sql.SQL(ANALYZE_NEW).format(**names))
    _lock_tables(connection)
    for names in _names():
        for step in SWAP:
            connection.execute(sql.SQL(step).format(**names))
        live = {"live": names["live"].as_string(connection)}
        for (statement,) in connection.execute(INDEXES, live).fetchall():
            connection.execute(statement)
    return folded


def _lock_tables(connection: Connection) -> None:
    """
    Lock the projection's tables against readers, without making readers queue behind us.

    Whoever waits for such a lock holds up every reader that comes after. So each attempt waits a
    second at the most, then lets them pass.
    """
    tables = sql.SQL(", ").join(names["table"] for names in _names())
    connection.execute("SET LOCAL lock_timeout = '1s'")
    for _ in range(PATIENCE):
        try:
            with connection.transaction():
                connection.execute(sql.SQL(LOCK_TABLES).format(tables=tables))
        except psycopg.errors.LockNotAvailable:
            time.sleep(0.1)
        else:
            connection.execute("SET LOCAL lock_timeout = DEFAULT")
            return
    raise ReadersHeldOn(PATIENCE)


def _names() -> list[dict[str, sql.Identifier]]:
    """What each projection's tables and indexes are called, for the statements above."""
    return [
        {
            "table": sql.Identifier(table.schema or "", table.name),
            "live": sql.Identifier(table.schema or "", f"{table.name}_live"),
            "new": sql.Identifier(table.schema or "", f"{table.name}_new"),
            "live_name": sql.Identifier(f"{table.name}_live"),
        }
        for table in PROJECTIONS
    ]
