"""
Who may ask: bearer tokens, of which only hashes are kept.

A token is 256 random bits. Nobody guesses it, so its plain SHA-256 is as good as any slower hash,
and looking that up by its index tells nothing about the token to whoever measures how long it took.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal, TypeAlias, get_args

from psycopg import Connection
from psycopg.rows import class_row

from inventory.errors import InventoryError

Scope: TypeAlias = Literal["read", "operate"]
"""What a token lets its bearer do; whoever may operate may read."""
SCOPES: tuple[Scope, ...] = get_args(Scope)

PREFIX = "inventory_"
"""What tokens begin with, for people and for programs that look for secrets gone astray."""
_SHAPE = re.compile(rf"{PREFIX}[0-9a-f]{{64}}")

CREATE = """
INSERT INTO inventory.api_token (name, token_sha256, scopes, expires_at)
VALUES (%(name)s, %(token_sha256)s, %(scopes)s, clock_timestamp() + %(expires_in)s)
RETURNING id, name, scopes, expires_at
"""

REVOKE = """
UPDATE inventory.api_token
SET revoked_at = clock_timestamp()
WHERE id = %(id)s
  AND revoked_at IS NULL
RETURNING id
"""

RECOGNIZE = """
SELECT id, name, scopes, expires_at
FROM inventory.api_token
WHERE token_sha256 = %(token_sha256)s
  AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > clock_timestamp())
"""

VALID = """
SELECT id, name, scopes, expires_at, token_sha256
FROM inventory.api_token
WHERE id = %(id)s
  AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > clock_timestamp())
"""

ANY_VALID = """
SELECT EXISTS (
    SELECT
    FROM inventory.api_token
    WHERE revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > clock_timestamp())
)
"""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a valid token stands for."""

    id: int
    """Our number for the token."""
    name: str
    scopes: Sequence[str]
    expires_at: datetime | None

    def may(self, scope: Scope) -> bool:
        """Whether the token reaches as far as *scope*."""
        return scope in self.scopes or (scope == "read" and "operate" in self.scopes)


class TokenUnknown(InventoryError):
    """No token that could be revoked has this id."""

    def __init__(self, id: int) -> None:  # noqa: A002 - its name
        super().__init__(f"expected a token {id} that is not revoked, found none")
        self.id = id


def create(
    connection: Connection, name: str, scope: Scope, *, expires_in: timedelta | None = None
) -> tuple[str, Bearer]:
    """A new token, which nobody can be shown again, and whom it stands for; null: for ever."""
    token = PREFIX + secrets.token_hex(32)
    bearer = (
        connection.cursor(row_factory=class_row(Bearer))
        .execute(
            CREATE,
            {
                "name": name,
                "token_sha256": digest(token),
                "scopes": [scope],
                "expires_in": expires_in,
            },
        )
        .fetchone()
    )
    assert bearer is not None  # noqa: S101 - RETURNING of one row
    return token, bearer


def revoke(connection: Connection, ids: Sequence[int]) -> None:
    """
    Let tokens be valid no more. Who accepted one a moment ago may do so for seconds yet.

    Raises:
        TokenUnknown: One of them is none, or revoked already; then none was revoked.
    """
    with connection.transaction():
        for id_ in ids:
            if connection.execute(REVOKE, {"id": id_}).fetchone() is None:
                raise TokenUnknown(id_)


def recognize(connection: Connection, token: str) -> Bearer | None:
    """Whom *token* stands for; null: it is none of ours, or no more."""
    if _SHAPE.fullmatch(token) is None:
        return None
    cursor = connection.cursor(row_factory=class_row(Bearer))
    return cursor.execute(RECOGNIZE, {"token_sha256": digest(token)}).fetchone()


def valid(connection: Connection, id: int) -> tuple[Bearer, bytes] | None:  # noqa: A002 - its name
    """Whom the token of that number stands for, and what is kept of it; null: it is not valid."""
    found = connection.execute(VALID, {"id": id}).fetchone()
    return found and (Bearer(*found[:4]), found[4])


def any_valid(connection: Connection) -> bool:
    """Whether any token is valid now."""
    found = connection.execute(ANY_VALID).fetchone()
    return found is not None and bool(found[0])


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode()).digest()
