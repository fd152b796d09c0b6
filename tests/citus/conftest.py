"""A database that is distributed, on the cluster whose coordinator `INVENTORY_TEST_CITUS_URL` names."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from inventory import distribution
from inventory.database import Database
from tests.citus import cluster

NAME = "inventory_test"


@pytest.fixture(scope="session")
def nodes() -> Iterator[list[Database]]:
    """The one database of these tests as each node has it, the coordinator's first."""
    url = os.environ.get("INVENTORY_TEST_CITUS_URL")
    if url is None:
        pytest.skip("INVENTORY_TEST_CITUS_URL names no coordinator of a Citus cluster")
    cluster.drop_database(url, NAME)
    made = Database(cluster.create_database(url, NAME), None)
    made.upgrade()
    with made.connect() as connection:
        distribution.distribute(connection)
    yield [Database(node, None) for node in cluster.nodes(made.url)]
    cluster.drop_database(url, NAME)


@pytest.fixture(scope="session")
def database(nodes: list[Database]) -> Database:
    """As clients see it: on the coordinator. Tests keep to accounts of their own."""
    return nodes[0]


@pytest.fixture(scope="session")
def shared_database(database: Database) -> Database:
    return database
