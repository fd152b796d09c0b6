"""The triggers that keep the log append-only: all there, and awake in every session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from inventory.doctor.judgement import Judgement, failed, together

# TRUNCATE triggers are not inherited, and a partition's row triggers can be disabled by themselves:
# each table answers for itself.
LOG_TABLES = """
WITH RECURSIVE log (relation) AS (
    SELECT unnest(ARRAY['inventory.event', 'inventory.seal']::regclass[])
    UNION
    SELECT pg_inherits.inhrelid::regclass
    FROM log
    JOIN pg_inherits ON pg_inherits.inhparent = log.relation
)
SELECT relation::text
FROM log
ORDER BY relation::text
"""

# Of pg_trigger.tgtype: 1 is for each row, 2 before, 8 DELETE, 16 UPDATE, 32 TRUNCATE. A trigger
# with a condition, or for some columns only, guards nothing.
GUARDS = """
SELECT
    log.relation,
    relispartition AS partition,
    operation.name AS operation,
    guard.tgname AS trigger,
    guard.tgenabled AS state
FROM unnest(%(log)s::text[]) AS log (relation)
JOIN pg_class ON pg_class.oid = log.relation::regclass
CROSS JOIN (
    VALUES ('UPDATE', 16, 1), ('DELETE', 8, 1), ('TRUNCATE', 32, 0)
) AS operation (name, bit, level)
LEFT JOIN LATERAL (
    SELECT tgname::text, tgenabled::text
    FROM pg_trigger
    WHERE tgrelid = log.relation::regclass
      AND tgfoid = to_regprocedure('inventory.refuse_change()')
      AND tgtype & operation.bit <> 0
      AND tgtype & 2 <> 0
      AND tgtype & 1 = operation.level
      AND tgqual IS NULL
      AND tgattr::text = ''
    ORDER BY array_position(ARRAY['A', 'O', 'R', 'D'], tgenabled::text)
    LIMIT 1
) AS guard ON true
ORDER BY log.relation, operation.bit
"""

STATES = {
    "O": "sleeps in replica sessions",
    "R": "is awake in replica sessions only",
    "D": "is disabled",
}
TRIGGERS = {
    "append_only_rows": "BEFORE UPDATE OR DELETE ON {} FOR EACH ROW",
    "append_only_table": "BEFORE TRUNCATE ON {} FOR EACH STATEMENT",
}


class Guard(NamedTuple):
    """What refuses an operation on a table of the log."""

    relation: str
    partition: bool
    """Whether it is one: it has the row triggers of its whole."""
    operation: str
    trigger: str | None
    """Null: nothing does."""
    state: str | None
    """As in `pg_trigger.tgenabled`; `A` is always."""


def log_tables(connection: Connection) -> list[str]:
    """The tables that are append-only: the events, the seals, and partitions of them."""
    return [name for (name,) in connection.execute(LOG_TABLES)]


def read_guards(connection: Connection) -> list[Guard]:
    """One for each operation on each of the tables."""
    with connection.cursor(row_factory=class_row(Guard)) as cursor:
        return cursor.execute(GUARDS, {"log": log_tables(connection)}).fetchall()


def judge_guards(guards: Iterable[Guard]) -> Judgement:
    """Whether all that would rewrite the log is refused; mends are SQL, for the owner."""
    guards = list(guards)
    tables = ", ".join(dict.fromkeys(guard.relation for guard in guards))
    return together(
        (_flaw(guard) for guard in guards if guard.state != "A"),
        f"UPDATE, DELETE and TRUNCATE are refused on {tables}",
    )


def _flaw(guard: Guard) -> Judgement:
    relation = guard.relation
    if guard.trigger is None or guard.state is None:
        found = f"{guard.operation} of {relation} is not refused"
        name = "append_only_table" if guard.operation == "TRUNCATE" else "append_only_rows"
        if guard.partition and name == "append_only_rows":
            return Judgement("failed", found)  # its whole lacks it too, and the mend is there
        return failed(
            found,
            f"CREATE OR REPLACE TRIGGER {name} {TRIGGERS[name].format(relation)} "
            f"EXECUTE FUNCTION inventory.refuse_change(); {_awake(relation, name)}",
        )
    return failed(
        f"trigger {guard.trigger} of {relation} {STATES.get(guard.state, guard.state)}",
        _awake(relation, guard.trigger),
    )


def _awake(relation: str, trigger: str) -> str:
    return f"ALTER TABLE {relation} ENABLE ALWAYS TRIGGER {trigger}"
