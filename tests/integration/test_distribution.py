"""Distributing, where there is nothing to distribute over."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint

from inventory import schema
from inventory.distribution import DISTRIBUTED
from tests.conftest import Command

KEYS = (PrimaryKeyConstraint, UniqueConstraint, ForeignKeyConstraint)
LOCAL = {"inventory.quarantine", "inventory.subscription", "inventory.api_token"}


def test_without_citus_it_is_refused_and_says_what_is_missing(inventory: Command) -> None:
    refused = inventory("db", "distribute", exits=1)
    assert "expected the extension citus in this database, found none" in refused.stderr
    assert "CREATE EXTENSION citus" in refused.stderr


def test_of_every_table_it_is_decided_where_it_lies() -> None:
    assert {*DISTRIBUTED} | LOCAL == {table.fullname for table in schema.metadata.tables.values()}
    assert not {*DISTRIBUTED} & LOCAL


def test_every_key_of_a_distributed_table_holds_the_account() -> None:
    for name in DISTRIBUTED:
        table = schema.metadata.tables[name]
        keys = [each for each in table.constraints if isinstance(each, KEYS)]
        assert table.primary_key in keys
        assert all("account_id" in key.columns for key in keys), name
        assert all("account_id" in each.columns for each in table.indexes if each.unique), name
