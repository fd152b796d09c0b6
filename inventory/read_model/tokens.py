"""The tokens of the read API, and not what is kept of the secrets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from inventory import schema

_token = schema.api_token


def tokens() -> Select[Any]:
    """Every token there ever was, in the order in which they were made."""
    columns = [column for column in _token.c if column.name != "token_sha256"]
    return select(*columns).order_by(_token.c.id)
