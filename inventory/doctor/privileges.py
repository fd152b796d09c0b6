"""Privileges in the schema: whether anybody has more of them than is meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from inventory.doctor.judgement import Judgement, failed, skipped, together

OWNER, APP, READER, PUBLIC = "inventory_owner", "inventory_app", "inventory_reader", "PUBLIC"
REWRITING = frozenset({"UPDATE", "DELETE", "TRUNCATE"})
SECRET = frozenset({"inventory.quarantine", "inventory.api_token"})
"""What readers are not to see."""

# Whatever a role can come to use: its own grants, everybody's, and those of every role that it can
# turn into, PostgreSQL's own among them, whose rights stand in no list. EXECUTE of functions is
# everybody's by default, and nobody's without USAGE of the schema.
GRANTS = """
WITH role AS (
    SELECT oid, rolname::text AS name
    FROM pg_roles
    WHERE rolname = ANY(%(names)s)
    UNION ALL
    SELECT 0, 'PUBLIC'
),
object AS (
    SELECT 'SCHEMA inventory' AS name, NULL AS attribute, nspowner AS owner, nspacl AS acl
    FROM pg_namespace
    WHERE nspname = 'inventory'
    UNION ALL
    SELECT
        oid::regclass::text, NULL, relowner,
        coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
    FROM pg_class
    WHERE relnamespace = 'inventory'::regnamespace
      AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT pg_class.oid::regclass::text, quote_ident(attname), relowner, attacl
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'inventory'::regnamespace AND attacl IS NOT NULL AND NOT attisdropped
),
everywhere AS (
    SELECT pg_roles.oid AS grantee, granted.privilege AS privilege_type
    FROM pg_roles
    JOIN (
        VALUES
            ('pg_read_all_data', 'SELECT'),
            ('pg_write_all_data', 'INSERT'),
            ('pg_write_all_data', 'UPDATE'),
            ('pg_write_all_data', 'DELETE')
    ) AS granted (rolname, privilege) USING (rolname)
)
SELECT DISTINCT
    role.name AS role,
    object.name AS target,
    object.attribute,
    granted.privilege_type AS privilege,
    coalesce(via.rolname::text, 'PUBLIC') AS via,
    (
        SELECT parent.rolname::text
        FROM pg_auth_members AS membership
        JOIN pg_roles AS parent ON parent.oid = membership.roleid
        WHERE membership.member = role.oid
          AND granted.grantee NOT IN (0, role.oid)
          AND pg_has_role(parent.oid, granted.grantee, 'MEMBER')
        ORDER BY parent.rolname
        LIMIT 1
    ) AS member_of,
    granted.grantee = object.owner AS owner
FROM role
CROSS JOIN object
CROSS JOIN LATERAL (
    SELECT grantee, privilege_type
    FROM aclexplode(object.acl)
    UNION ALL
    SELECT grantee, privilege_type
    FROM everywhere
    WHERE object.attribute IS NULL AND object.name <> 'SCHEMA inventory'
) AS granted
LEFT JOIN pg_roles AS via ON via.oid = granted.grantee
WHERE CASE
    WHEN granted.grantee = 0 THEN true
    WHEN role.oid = 0 THEN false
    ELSE pg_has_role(role.oid, granted.grantee, 'MEMBER')
END
ORDER BY role, target, attribute, privilege
"""


class Grant(NamedTuple):
    """Something that a role can come to do."""

    role: str
    target: str
    """A relation, or `SCHEMA inventory`."""
    attribute: str | None
    """The column; null: the whole."""
    privilege: str
    via: str
    """To whom it was granted: the role, PUBLIC, or another role that it can turn into."""
    member_of: str | None = None
    """The role by whose membership it can; null: it needs none."""
    owner: bool = False
    """Whether it is the owner's right, which no REVOKE takes for long."""


def read_grants(connection: Connection) -> list[Grant]:
    """What the application, readers and everybody can come to do in the schema."""
    with connection.cursor(row_factory=class_row(Grant)) as cursor:
        return cursor.execute(GRANTS, {"names": [APP, READER]}).fetchall()


def judge_app(
    roles: Mapping[str, str | None], grants: Iterable[Grant], log: Collection[str]
) -> Judgement:
    """Whether the application can rewrite the log; mends are SQL."""

    def too_wide(grant: Grant) -> bool:
        return (grant.target in log and grant.privilege in REWRITING) or _builds(grant)

    return _judge_role(roles, APP, filter(too_wide, grants), "it cannot rewrite the log")


def judge_reader(roles: Mapping[str, str | None], grants: Iterable[Grant]) -> Judgement:
    """Whether readers can write, or see what they should not; mends are SQL."""

    def too_wide(grant: Grant) -> bool:
        if grant.target.startswith("SCHEMA"):
            return _builds(grant)
        return grant.privilege != "SELECT" or grant.target in SECRET

    sound = "it cannot write, nor see quarantine and tokens"
    return _judge_role(roles, READER, filter(too_wide, grants), sound)


def judge_public(grants: Iterable[Grant]) -> Judgement:
    """Whether everybody who can connect has a right in the schema; mends are SQL."""
    flaws = _flaws(grant for grant in grants if grant.role == PUBLIC)
    return together(flaws, "PUBLIC has no right in the schema")


def _builds(grant: Grant) -> bool:
    """Whether it lets somebody put objects of their own beside ours."""
    return grant.target.startswith("SCHEMA") and grant.privilege == "CREATE"


def _judge_role(
    roles: Mapping[str, str | None], role: str, grants: Iterable[Grant], sound: str
) -> Judgement:
    if role not in roles:
        return skipped(f"there is no role {role}")
    superuser = roles[role]
    if superuser == role:
        return failed(f"{role} is a superuser", f"ALTER ROLE {role} NOSUPERUSER")
    if superuser is not None:
        return failed(
            f"{role} can turn into {superuser}, a superuser", f'REVOKE "{superuser}" FROM {role}'
        )
    return together(_flaws(grant for grant in grants if grant.role == role), sound)


def _flaws(grants: Iterable[Grant]) -> list[Judgement]:
    """What is granted too much, one flaw for each statement that takes it."""
    memberships: dict[tuple[str, str], list[Grant]] = defaultdict(list)
    granted: dict[Grant, list[str]] = defaultdict(list)
    for grant in grants:
        if grant.member_of is not None:
            memberships[grant.role, grant.member_of].append(grant)
        else:
            granted[grant._replace(privilege="")].append(grant.privilege)
    return [
        *(_membership(*which, wide) for which, wide in memberships.items()),
        *(_granted(to, privileges) for to, privileges in granted.items()),
    ]


def _membership(role: str, member_of: str, wide: list[Grant]) -> Judgement:
    first, more = wide[0], len(wide) - 1
    return failed(
        f"{role} can turn into {member_of}, and so has {first.privilege} on {first.target}"
        + (f" and {more} more rights too many" if more else ""),
        f'REVOKE "{member_of}" FROM {role}',
    )


def _granted(to: Grant, privileges: list[str]) -> Judgement:
    if to.owner:
        kind = "" if to.target.startswith("SCHEMA") else "TABLE "
        return failed(
            f"{to.via} is the owner of {to.target}", f"ALTER {kind}{to.target} OWNER TO {OWNER}"
        )
    columns = "" if to.attribute is None else f" ({to.attribute})"
    return failed(
        f"{to.via} has {', '.join(privileges)} on {to.target}{columns}",
        f"REVOKE {', '.join(each + columns for each in privileges)} ON {to.target} FROM {to.via}",
    )
