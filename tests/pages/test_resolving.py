"""Retrying and discarding what is in quarantine, from a page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from psycopg import Connection

from inventory import access, quarantine
from inventory.database import Database
from inventory.quarantine import Quarantined
from inventory.web.pages import resolving
from tests.pages.conftest import Visitor
from tests.pages.reading import read
from tests.pages.test_sessions import log_in, token
from tests.waiting import until

Items = list[tuple[int, str | None]]


def junk(serial: int) -> bytes:
    return b"junk %d" % serial


def early(serial: int) -> bytes:
    """What is an event as soon as somebody says of which account."""
    return json.dumps(
        {
            "uuid": str(serial),
            "event": "/restapi/v1.0/account/{accountId}/phone-number",
            "timestamp": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
            "body": {
                "eventType": "Created",
                "phoneNumberInfo": {"id": str(serial), "phoneNumber": f"+1202555{serial:04}"},
            },
        }
    ).encode()


def fill(connection: Connection, *, junk_: int = 3, early_: int = 2) -> None:
    for serial in range(junk_):
        quarantine.put(connection, [Quarantined("x", "invalid_json", "not JSON", junk(serial))])
    for serial in range(early_):
        quarantine.put(
            connection, [Quarantined("x", "account_unknown", "no account", early(serial))]
        )
    connection.commit()


def items(database: Database) -> Items:
    with database.connect() as connection:
        return connection.execute(
            "SELECT id, resolution FROM inventory.quarantine ORDER BY id"
        ).fetchall()


@pytest.fixture
def operator(visitor: Visitor, connection: Connection) -> httpx.Client:
    client = visitor(account_id="37439510")
    assert log_in(client, token(connection, "operate")).status_code == 303
    return client


def test_a_page_says_how_many_it_will_be_and_then_does_it(
    operator: httpx.Client, connection: Connection, database: Database
) -> None:
    fill(connection)
    page = read(operator.get("/quarantine"))
    assert {"/quarantine/retry", "/quarantine/discard"} <= set(page.links)
    form = read(operator.get("/quarantine/retry"))
    assert form.headings[0] == "Retry 5 items?"
    done = read(operator.post("/quarantine/retry", data=form.fields))
    assert done.headings[0] == "5 items retried"
    assert "2 events appended, 0 duplicates, 3 still in quarantine" in done.text
    assert [resolution for _, resolution in items(database)] == [None] * 3 + ["appended"] * 2
    # The projector hears of it.
    until(
        lambda: (
            connection.execute("SELECT count(*) FROM inventory.contact_center_number").fetchone()
            == (2,)
        )
    )
    # Sent again, it does nothing more.
    again = read(operator.post("/quarantine/retry", data=form.fields))
    assert "0 events appended" in again.text


def test_only_what_was_counted_is_discarded_and_with_a_name_on_it(
    operator: httpx.Client, connection: Connection, database: Database
) -> None:
    fill(connection)
    form = read(operator.get("/quarantine/discard?reason=invalid_json"))
    assert form.headings[0] == "Discard 3 items?"
    quarantine.put(connection, [Quarantined("x", "invalid_json", "came later", b"later")])
    connection.commit()
    sent = form.fields | {"because": " a probe "}
    done = read(operator.post("/quarantine/discard", data=sent))
    assert done.headings[0] == "3 items discarded"
    found = [resolution for _, resolution in items(database)]
    assert found == ["discarded: a probe (the auditors)"] * 3 + [None] * 3


def test_one_item_can_be_chosen(
    operator: httpx.Client, connection: Connection, database: Database
) -> None:
    fill(connection)
    (first, *_) = [id_ for id_, _ in items(database)]
    assert f"/quarantine/discard?id={first}" in read(operator.get(f"/quarantine/{first}")).links
    form = read(operator.get(f"/quarantine/discard?id={first}"))
    assert form.headings[0] == "Discard 1 item?"
    operator.post("/quarantine/discard", data=form.fields | {"because": "x"})
    assert [bool(resolution) for _, resolution in items(database)] == [True] + [False] * 4
    assert read(operator.get(f"/quarantine/discard?id={first}")).headings[0] == "Nothing to discard"


def test_no_more_than_so_many_at_once(
    operator: httpx.Client,
    connection: Connection,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resolving, "MANY", 2)
    fill(connection)
    form = read(operator.get("/quarantine/discard"))
    assert form.headings[0] == "Discard 2 items?"
    assert "5 are" in form.text
    operator.post("/quarantine/discard", data=form.fields | {"because": "x"})
    assert [bool(resolution) for _, resolution in items(database)] == [True] * 2 + [False] * 3


def test_what_somebody_else_resolved_meanwhile_is_left_alone(
    operator: httpx.Client, connection: Connection, database: Database
) -> None:
    fill(connection)
    form = read(operator.get("/quarantine/discard?reason=invalid_json"))
    quarantine.discard(connection, [quarantine.open_ids(connection)[0]], "quicker")
    connection.commit()
    done = read(operator.post("/quarantine/discard", data=form.fields | {"because": "slower"}))
    assert done.headings[0] == "2 items discarded"
    assert items(database)[0][1] == "discarded: quicker"


@pytest.mark.parametrize("deed", resolving.DEEDS)
def test_who_may_only_read_may_do_neither(
    visitor: Visitor, connection: Connection, database: Database, deed: str
) -> None:
    fill(connection)
    client = visitor()
    anybody = client.post(f"/quarantine/{deed}", data={"because": "x", "through": "99"})
    assert anybody.status_code == 403
    assert "inventory token create" in read(anybody).text
    secret = token(connection)
    log_in(client, secret)
    assert f"/quarantine/{deed}" not in client.get("/quarantine").text
    assert client.get(f"/quarantine/{deed}").status_code == 403
    code = read(client.get("/quarantine")).fields["code"]
    sent = {"code": code, "because": "x", "through": "99"}
    assert client.post(f"/quarantine/{deed}", data=sent).status_code == 403
    assert [resolution for _, resolution in items(database)] == [None] * 5


@pytest.mark.parametrize("deed", resolving.DEEDS)
def test_a_form_that_is_not_of_the_session_does_nothing(
    operator: httpx.Client,
    visitor: Visitor,
    connection: Connection,
    database: Database,
    deed: str,
) -> None:
    fill(connection)
    form = read(operator.get(f"/quarantine/{deed}")).fields | {"because": "x"}
    other = visitor()
    log_in(other, token(connection, "operate"))
    theirs = read(other.get(f"/quarantine/{deed}")).fields["code"]
    for code in ("", theirs, form["code"][::-1]):
        assert operator.post(f"/quarantine/{deed}", data=form | {"code": code}).status_code == 403
    origin = {"Origin": "null"}
    assert operator.post(f"/quarantine/{deed}", data=form, headers=origin).status_code == 403
    # A token in a header is for programs, which have commands.
    secret, _ = access.create(connection, "program", "operate")
    connection.commit()
    bare = visitor()
    header = {"Authorization": f"Bearer {secret}"}
    assert bare.post(f"/quarantine/{deed}", data=form, headers=header).status_code == 403
    assert [resolution for _, resolution in items(database)] == [None] * 5


def test_what_cannot_be_meant_is_a_clear_error(
    operator: httpx.Client, connection: Connection, database: Database
) -> None:
    fill(connection)
    form = read(operator.get("/quarantine/discard")).fields | {"because": "x"}
    for changes in (
        *({"because": "  "}, {"because": "x" * 501}, {"through": "-1"}, {"through": "9" * 40}),
        *({"id": "1; DROP"}, {"id": "\u0661"}, {"all": "1"}, {"reason": "\x00"}),
    ):
        response = operator.post("/quarantine/discard", data=form | changes)
        assert response.status_code == 422, changes
        assert "expected" in read(response).text
    assert [resolution for _, resolution in items(database)] == [None] * 5
