"""Who is let in: every way to come without the right to, on every route."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import click
import psycopg
import pytest
from psycopg import Connection

from inventory import access, settings
from inventory.cli.parameters import DURATION
from inventory.database import Database
from inventory.settings import InvalidSettings
from inventory.web import documentation, guard
from inventory.web.api import READS
from tests.conftest import Command
from tests.waiting import until
from tests.web.conftest import Receiver
from tests.web.test_webhook import notification, number_of

READ = [read.path.replace("{id}", "1001") for read in READS]
GUARDED = [*READ, "/metrics", "/api", "/api/v1/nothing", "/api/v1/numbers/../numbers", "/nothing"]
WEBHOOK = "/webhooks/ringcentral"


def token(connection: Connection, scope: Any = "read", **limits: Any) -> str:
    secret, _ = access.create(connection, "test", scope, **limits)
    connection.commit()
    return secret


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def expired(connection: Connection) -> dict[str, str]:
    return bearer(token(connection, expires_in=timedelta(microseconds=1)))


def revoked(connection: Connection) -> dict[str, str]:
    secret, found = access.create(connection, "test", "read")
    access.revoke(connection, [found.id])
    connection.commit()
    return bearer(secret)


def in_another_scheme(connection: Connection) -> dict[str, str]:
    return {"Authorization": f"Basic {token(connection)}"}


def made_up(connection: Connection) -> dict[str, str]:
    secret = token(connection)
    return bearer(secret[:-1] + ("0" if secret[-1] != "0" else "1"))


BAD = [
    lambda _: {},
    lambda _: {"Authorization": ""},
    lambda _: {"Authorization": "Bearer"},
    lambda _: bearer("inventory_"),
    lambda _: bearer("' OR true --"),
    lambda _: bearer("\xff" * 40),
    lambda connection: bearer(access.digest(token(connection)).hex()),
    in_another_scheme,
    made_up,
    expired,
    revoked,
]


def test_without_a_valid_token_nothing_is_answered(
    receiver: Receiver, connection: Connection
) -> None:
    token(connection)
    client = receiver()
    for path, bad in product(GUARDED, BAD):
        given = bad(connection).items()
        headers = [(name.encode(), value.encode("latin-1")) for name, value in given]
        response = client.get(path, headers=headers)
        assert response.status_code == 401, (path, headers)
        assert response.headers["www-authenticate"].startswith("Bearer ")
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == 401


def test_a_token_of_another_scope_is_told_which_it_takes_and_two_tokens_are_none(
    receiver: Receiver, connection: Connection
) -> None:
    client = receiver()
    good = f"Bearer {token(connection)}"
    for path in GUARDED:
        response = client.get(path, headers=bearer(token(connection, "nothing")))
        assert response.status_code == 403
        assert 'scope="read"' in response.headers["www-authenticate"]
        twice = [("Authorization", good), ("Authorization", good)]
        assert client.get(path, headers=twice).status_code == 401


def test_whoever_may_operate_may_read(receiver: Receiver, connection: Connection) -> None:
    client = receiver()
    for scope in access.SCOPES:
        secret = token(connection, scope, expires_in=timedelta(days=1))
        assert client.get("/nothing", headers=bearer(secret)).status_code == 404
    assert client.get("/nothing", headers={"authorization": f"bEARER  {secret}"}).status_code == 404


def test_a_revoked_token_is_good_for_moments_only(
    receiver: Receiver, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "REMEMBERED", 0.1)
    client = receiver()
    secret, found = access.create(connection, "test", "read")
    connection.commit()
    assert client.get("/nothing", headers=bearer(secret)).status_code == 404
    access.revoke(connection, [found.id])
    connection.commit()
    until(lambda: client.get("/nothing", headers=bearer(secret)).status_code == 401)


def test_what_is_remembered_of_tokens_stays_small(
    receiver: Receiver, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MANY", 3)
    client = receiver()
    secret = token(connection)
    for serial in range(10):
        assert client.get("/nothing", headers=bearer(f"inventory_{serial}")).status_code == 401
        assert client.get("/nothing", headers=bearer(secret)).status_code == 404


def test_without_any_token_only_this_machine_is_answered_until_there_is_one(
    receiver: Receiver, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "REMEMBERED", 0.0)
    client = receiver()
    expired(connection)
    assert client.get("/nothing").status_code == 404
    for name in guard.FORWARDED:
        assert client.get("/nothing", headers=[(name, b"127.0.0.1")]).status_code == 401
    token(connection)
    assert client.get("/nothing").status_code == 401


def test_what_is_reached_from_outside_is_closed_until_there_is_a_token(
    receiver: Receiver, connection: Connection
) -> None:
    outside: list[dict[str, Any]] = [
        {"host": "0.0.0.0"},
        {"webhook_token": "s3cret"},
        {"webhook_url": "https://inventory.example/webhooks/ringcentral"},
        {"webhook_url": "not to be understood"},
    ]
    clients = [receiver(**flags) for flags in outside]
    for client in clients:
        response = client.get("/nothing")
        assert response.status_code == 401
        assert "inventory token create" in response.json()["detail"]
    good = bearer(token(connection))
    assert {client.get("/nothing", headers=good).status_code for client in clients} == {404}


def test_a_receiver_of_this_machine_leaves_it_open(receiver: Receiver) -> None:
    client = receiver(webhook_token="s3cret", webhook_url="http://127.0.0.1:8080/webhooks/x")
    assert client.get("/nothing").status_code == 404


def test_probes_need_no_token_and_tell_no_reasons(
    receiver: Receiver, connection: Connection
) -> None:
    token(connection)
    client = receiver(host="0.0.0.0")
    elsewhere = {"Host": "10.1.2.3:9"}
    assert client.get("/healthz", headers=elsewhere).json() == {"status": "ok"}
    until(lambda: client.get("/readyz", headers=elsewhere).status_code == 200)
    connection.execute("UPDATE inventory.alembic_version SET version_num = '0000'")
    connection.commit()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] == "failing"


def test_under_a_name_that_is_not_ours_nothing_is_answered(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()
    strange = ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "10.1.2.3")
    for path, host in product([*GUARDED, *documentation.PATHS, WEBHOOK], strange):
        response = client.get(path, headers={"Host": host})
        assert response.status_code == 421, host
        assert client.post(path, content=notification(1), headers={"Host": host}).is_client_error
    assert number_of(database, "event") == 0


def test_no_host_and_two_hosts_are_no_host_of_ours(receiver: Receiver) -> None:
    url = receiver().base_url
    for head in ("", "Host:\r\n", "Host: localhost\r\nHost: evil.example\r\n"):
        with socket.create_connection((url.host, url.port or 0)) as raw:
            raw.settimeout(30)
            raw.sendall(f"GET /api HTTP/1.1\r\n{head}\r\n".encode())
            assert raw.recv(4096).split()[1] == b"421", head


def test_loopback_has_many_names(receiver: Receiver) -> None:
    client = receiver()
    names = ("localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.1.2.3:80", "[::1]:8080")
    for host in names:
        assert client.get("/nothing", headers={"Host": host}).status_code == 404, host


def test_the_names_that_settings_give_are_ours(receiver: Receiver, connection: Connection) -> None:
    headers = bearer(token(connection))
    client = receiver(
        allowed_hosts="inventory.example Other.Example.",
        webhook_url="https://hooks.example:8443/webhooks/ringcentral?auth_token=x",
    )
    for host in ("inventory.example", "other.example:8080", "Hooks.example"):
        assert client.get("/nothing", headers=headers | {"Host": host}).status_code == 404, host
    assert client.get("/nothing", headers=headers | {"Host": "example"}).status_code == 421


def test_listening_on_every_address_all_addresses_are_ours_and_no_more_names(
    receiver: Receiver, connection: Connection
) -> None:
    headers = bearer(token(connection))
    client = receiver(host="0.0.0.0", webhook_token="s3cret")
    for host, status in (("10.1.2.3", 404), ("[2001:db8::1]:80", 404), ("evil.example", 421)):
        assert client.get("/nothing", headers=headers | {"Host": host}).status_code == status


def test_a_page_of_another_origin_is_answered_nothing(
    receiver: Receiver, database: Database
) -> None:
    client = receiver()
    origins = ("https://evil.example", "null", "http://127.0.0.1:1", "x")
    for path, origin in product([*GUARDED, *documentation.PATHS, WEBHOOK], origins):
        assert client.get(path, headers={"Origin": origin}).status_code == 403
        posted = client.post(path, content=notification(1), headers={"Origin": origin})
        assert posted.status_code == 403
    assert number_of(database, "event") == 0


def test_a_page_of_ours_may_ask(receiver: Receiver) -> None:
    client = receiver(allowed_hosts="inventory.example")
    ours = str(client.base_url)
    assert client.get("/nothing", headers={"Origin": ours}).status_code == 404
    # The proxy that the browser spoke to asks under a name of its own.
    behind = {"Origin": "https://inventory.example"}
    assert client.get("/nothing", headers=behind).status_code == 404


def test_a_notification_with_the_secret_is_taken_under_any_name(
    receiver: Receiver, database: Database
) -> None:
    client = receiver(webhook_token="s3cret")
    headers = {"Host": "forgotten.example", "Verification-Token": "s3cret"}
    assert client.post(WEBHOOK, content=notification(1), headers=headers).status_code == 200
    assert number_of(database, "event") == 1


def test_every_answer_but_the_webhooks_says_how_it_may_be_used(
    receiver: Receiver, connection: Connection
) -> None:
    client = receiver()
    for path in ("/healthz", "/readyz", *GUARDED):
        for request in ({}, {"Host": "evil.example"}, bearer("x"), bearer(token(connection))):
            response = client.get(path, headers=request)
            assert response.headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
            assert response.headers["cache-control"] in {"no-store", "private, no-cache"}
    assert "content-security-policy" not in client.post(WEBHOOK, content=b"{}").headers


class Plain(Database):
    """Met by a user who inherits nothing: they can do nothing, unless they act as the roles."""

    def _become(self, connection: Connection, role: str) -> None:
        connection.execute("SET SESSION AUTHORIZATION inventory_plain_user")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("SELECT FROM inventory.account")
        super()._become(connection, role)


@pytest.fixture
def plain(database: Database, connection: Connection) -> Iterator[Database]:
    connection.execute(
        "CREATE ROLE inventory_plain_user LOGIN NOINHERIT IN ROLE inventory_app, inventory_reader"
    )
    connection.commit()
    yield Plain(database.url, None)
    connection.execute("DROP ROLE inventory_plain_user")
    connection.commit()


def test_everything_is_done_with_the_rights_of_the_roles_and_no_more(
    receiver: Receiver, plain: Database, database: Database, connection: Connection
) -> None:
    client = receiver(database=plain)
    assert client.post(WEBHOOK, content=notification(1)).status_code == 200
    until(lambda: number_of(database, "contact_center_number") == 1)
    assert client.get("/readyz").status_code == 200
    for path in READ:
        for then in ({}, {"at": "2035-01-01"}, {"known_at": "2035-01-01"}):
            read = client.get(path, params=then)
            assert read.status_code == 200, read.text
    good = bearer(token(connection))
    assert {client.get(path, headers=good).status_code for path in READ} == {200}


def test_a_superuser_acts_as_the_role_and_whoever_may_not_stays_who_they_are(
    database: Database, empty_database: Database
) -> None:
    with database.acting_as("inventory_app").connect() as acting:
        assert acting.execute("SELECT current_user").fetchone() == ("inventory_app",)
        acting.rollback()
        assert acting.execute("SELECT current_user").fetchone() == ("inventory_app",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            acting.execute("DELETE FROM inventory.event")
    # A database to which the roles have no key, and one with no such role.
    for there, role in ((empty_database, "inventory_app"), (database, "inventory_nobody")):
        with there.acting_as(role).connect() as acting:
            assert acting.execute("SELECT current_user = session_user").fetchone() == (True,)


def test_of_a_token_only_the_hash_is_kept_and_it_is_shown_once(inventory: Command) -> None:
    made = inventory("token", "create", "the auditors", "--scope", "operate", "--expires", "90d")
    secret = made.stdout.strip()
    assert secret.startswith("inventory_")
    assert len(secret) == len("inventory_") + 64
    assert secret not in made.stderr
    listed = inventory("token", "list")
    (row,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (row["name"], row["scopes"], row["revoked_at"]) == ("the auditors", ["operate"], None)
    assert set(row) == {"id", "name", "scopes", "created_at", "expires_at", "revoked_at"}
    inventory("token", "revoke", str(row["id"]))
    (row,) = [json.loads(line) for line in inventory("token", "list").stdout.splitlines()]
    assert row["revoked_at"]
    assert "revoked" in inventory("token", "revoke", str(row["id"]), exits=1).stderr


@pytest.mark.parametrize("length", ["0d", "90", "-1d", "soon", "9" * 30 + "d"])
def test_a_token_is_valid_for_a_length_of_time(length: str) -> None:
    with pytest.raises(click.BadParameter, match="90d"):
        DURATION.convert(length, None, None)


def test_one_that_cannot_be_revoked_keeps_the_others_valid(connection: Connection) -> None:
    secret, found = access.create(connection, "test", "read")
    connection.commit()
    with pytest.raises(access.TokenUnknown):
        access.revoke(connection, [found.id, found.id + 1])
    connection.rollback()
    assert access.recognize(connection, secret) == found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_hosts", "https://inventory.example"),
        ("allowed_hosts", "*"),
        ("allowed_hosts", "inventory.example:8080"),
        ("trusted_proxies", "*"),
        ("trusted_proxies", "proxy.example"),
    ],
)
def test_a_name_or_address_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=f"INVENTORY_{name.upper()}: "):
        settings.load(**{name: value})
