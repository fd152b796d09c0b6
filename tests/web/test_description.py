"""What the API says of itself is true: asked in every way it describes, and in ways it excludes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import settings as hypothesis_settings
from psycopg import Connection

from inventory import sample, settings, web
from inventory.cli.listening import served
from inventory.database import Database
from inventory.ingest import Intake
from inventory.web import documentation
from inventory.web.api import READS
from inventory.web.api.description import description
from tests.web.asking import fold


@pytest.fixture(scope="module")
def address(database_of_module: Database) -> Iterator[str]:
    app = web.application(database_of_module, settings.load())
    with (
        database_of_module.connect() as log,
        served(app, http=web.ImpatientProtocol) as url,
    ):
        intake = Intake(
            "test", account_id=sample.DOCUMENTED_ACCOUNT, future_tolerance=timedelta(minutes=5)
        )
        intake.run(log, [list(sample.demo_history())], lambda _: None)
        log.commit()
        for (account,) in log.execute("SELECT account_id FROM inventory.account").fetchall():
            fold(log, account)
        yield url


DESCRIBED = json.loads(json.dumps(description(READS, documentation.OTHERS)))
schema = schemathesis.openapi.from_dict(DESCRIBED)


@schema.parametrize()
@hypothesis_settings(max_examples=15, deadline=None)
def test_every_operation_does_what_is_said_of_it(case: Any, address: str) -> None:
    if case.meta.generation.mode.is_positive:
        case.query.pop("cursor", None)  # which nobody can make up; pages are walked elsewhere
    case.call_and_validate(base_url=address)


def test_every_operation_is_asked_the_receiver_too() -> None:
    operations: Any = schema.get_all_operations()
    asked = {(each.ok().method, each.ok().path) for each in operations}
    assert ("post", "/webhooks/ringcentral") in asked
    assert asked == {(method, path) for path, item in DESCRIBED["paths"].items() for method in item}


def test_it_is_openapi() -> None:
    schema.validate()
    assert DESCRIBED["openapi"] == "3.1.0"


def test_what_is_served_is_what_is_tested_here(address: str) -> None:
    assert httpx.get(f"{address}/openapi.json").json() == DESCRIBED


def test_columns_are_described_as_in_the_database(connection: Connection) -> None:
    """The comments of views stand in the migrations, and again where they are read."""
    described = 0
    for read in READS:
        for column in read.columns:
            table = getattr(column, "table", None)
            if getattr(column, "comment", None) is None or table is None:
                continue
            row = connection.execute(
                "SELECT col_description(%s::regclass, attnum) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attname = %s",
                [f"inventory.{table.name}", f"inventory.{table.name}", column.name],
            ).fetchone()
            assert row == (column.comment,), (read.name, column.name)
            described += 1
    columns = sum(len(read.columns) for read in READS)
    assert described == columns - 1  # `bytes` of quarantine is none of the table's


def test_nothing_of_the_page_comes_from_elsewhere(address: str) -> None:
    page = httpx.get(f"{address}/docs")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert not re.search(r"https?:|unsafe|\*", policy)
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(sources) == 4
    for source in sources:
        if source == "data:,":
            continue
        assert source.startswith("/")
        found = httpx.get(address + source)
        assert found.status_code == 200
        assert found.headers["content-type"].partition(";")[0] in {"text/javascript", "text/css"}
    assert "<script>" not in page.text
    assert "SwaggerUIBundle" in httpx.get(f"{address}/docs/swagger-ui-bundle.js").text
