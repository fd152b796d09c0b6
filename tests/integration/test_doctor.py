"""Every fault of a database, planted in a real PostgreSQL: doctor names it, and its mend mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from inventory import embedded, migration, quarantine, settings
from inventory.database import Database
from inventory.doctor import Finding, Judgement, clock, currency, examine
from inventory.doctor.append_only import judge_guards, log_tables, read_guards
from inventory.doctor.privileges import judge_app, judge_public, judge_reader, read_grants
from inventory.doctor.roles import (
    judge_limits,
    judge_roles,
    judge_user,
    read_limits,
    read_roles,
    read_user,
)
from inventory.quarantine import Quarantined
from tests import folds
from tests.histories import an_event


def examined(database: Database, **flags: object) -> dict[str, Finding]:
    findings = examine(lambda: settings.load(database_url=database.url, **flags))
    for finding in findings:
        assert finding.found
        assert (finding.mend is not None) or finding.verdict in {"ok", "skipped"}
        assert finding.mend is None or finding.verdict != "ok"
    return {finding.check: finding for finding in findings}


def not_well(findings: dict[str, Finding]) -> dict[str, str]:
    return {
        check: finding.verdict
        for check, finding in findings.items()
        if finding.verdict in {"warning", "failed"}
    }


# The tests' server is careless of crashes, and its user a superuser.
USUAL = {"durability": "failed", "user": "warning"}


@pytest.fixture
def planted(shared_database: Database) -> Iterator[Connection]:
    """A connection with what a test does to the schema and the roles, which is never committed."""
    with closing(shared_database.connect()) as connection:
        yield connection


def mend(connection: Connection, judgement: Judgement | Finding) -> None:
    """Do what it says, which is SQL."""
    assert judgement.mend is not None
    for statement in judgement.mend.split("; "):
        connection.execute(statement.encode())


# The server


def test_a_database_that_is_well_is_found_to_be(database: Database) -> None:
    findings = examined(database)
    assert not_well(findings) == USUAL
    assert findings["schema"].found == f"at revision {migration.head()}"


def test_the_embedded_database_is_well_in_every_way(
    public_directory: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INVENTORY_DATABASE_URL", raising=False)
    given = settings.load(home=public_directory())
    with Database.open(given) as database:
        database.upgrade()
        findings = {finding.check: finding for finding in examine(lambda: given)}
    assert {finding.verdict for finding in findings.values()} == {"ok", "skipped"}
    assert findings["durability"].verdict == "ok"
    assert "embedded" in findings["database"].found


def test_each_careless_setting_is_named_with_where_it_is_set(database: Database) -> None:
    durability = examined(database)["durability"]
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert f"{name} is off" in durability.found
        assert f"without `{name}=off` on its command line" in (durability.mend or "")
    administer(database, "ALTER DATABASE {} SET synchronous_commit = off")
    assert "take synchronous_commit from the database" in (
        examined(database)["durability"].mend or ""
    )
    administer(database, "ALTER DATABASE {} SET synchronous_commit = local")
    assert "synchronous_commit" not in examined(database)["durability"].found


def test_a_database_that_lets_nobody_write_has_failed(database: Database) -> None:
    administer(database, "ALTER DATABASE {} SET default_transaction_read_only = on")
    findings = examined(database)
    assert findings["database"].verdict == "failed"
    assert "default_transaction_read_only" in findings["database"].found
    assert findings["schema"][1:3] == ("skipped", "database failed")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://us:hush@127.0.0.1:1/x", "see that the server is up"),
        ("postgresql://us:hu/sh@127.0.0.1/x", "percent-encoding"),
        ("postgresql://us:hush@127.0.0.1/x?sslmode=nonsense", "see that the server is up"),
        ("mysql://us:hush@127.0.0.1/x", "see that the server is up"),
        ("postgresql://us@/x?hush=hush", "percent-encoding"),
    ],
)
def test_a_database_that_cannot_be_reached_has_failed_and_its_password_is_not_shown(
    url: str, words: str
) -> None:
    findings = examined(Database(url, None))
    assert findings["database"].verdict == "failed"
    assert words in (findings["database"].mend or "")
    assert findings["projection"][1:3] == ("skipped", "database failed")
    assert "hu" not in findings["database"].found.replace("authentication", "")


def test_a_user_that_the_server_does_not_let_in_is_told_apart(database: Database) -> None:
    stranger = Database(database.url.replace("//inventory@", "//stranger@"), None)
    found = examined(stranger)["database"]
    assert found.verdict == "failed"
    assert "user and password" in (found.mend or "")


def administer(database: Database, statement: str) -> None:
    """Change the database's own settings, which new connections begin with."""
    with database.connect(autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        ((name,),) = connection.execute("SELECT quote_ident(current_database())")
        connection.execute(statement.format(name).encode())


# The schema


def test_a_database_without_the_schema_is_told_to_be_upgraded(empty_database: Database) -> None:
    findings = examined(empty_database)
    assert findings["schema"].found.startswith("at revision none")
    assert findings["schema"].mend == "`inventory db upgrade`"
    assert findings["append_only"][1:3] == ("skipped", "schema failed")
    empty_database.upgrade()
    assert not_well(examined(empty_database)) == USUAL


def test_an_older_schema_is_told_to_be_upgraded(database: Database) -> None:
    with database.engine.begin() as connection:
        migration.downgrade(connection, "-1")
    findings = examined(database)
    assert findings["schema"].verdict == "failed"
    assert findings["schema"].mend == "`inventory db upgrade`"
    assert findings["projection"].verdict == "skipped"


def test_a_newer_schema_is_not(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("UPDATE inventory.alembic_version SET version_num = '9999'")
    assert examined(database)["schema"].mend == "upgrade this program"


# The triggers

EVENT_ROWS = "TRIGGER append_only_rows ON inventory.event"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (f"DROP {EVENT_ROWS}", "UPDATE of inventory.event is not refused"),
        (f"DROP {EVENT_ROWS}", "DELETE of inventory.event is not refused"),
        (
            "DROP TRIGGER append_only_table ON inventory.seal",
            "TRUNCATE of inventory.seal is not refused",
        ),
        (
            "ALTER TABLE inventory.seal DISABLE TRIGGER append_only_rows",
            "append_only_rows of inventory.seal is disabled",
        ),
        ("ALTER TABLE inventory.event DISABLE TRIGGER ALL", "append_only_table of inventory.event"),
        (
            "ALTER TABLE inventory.event ENABLE TRIGGER append_only_rows",
            "append_only_rows of inventory.event sleeps in replica sessions",
        ),
        (
            "ALTER TABLE inventory.event ENABLE REPLICA TRIGGER append_only_table",
            "append_only_table of inventory.event is awake in replica sessions only",
        ),
        (
            "CREATE OR REPLACE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON inventory.event"
            " FOR EACH ROW WHEN (OLD.position < 0) EXECUTE FUNCTION inventory.refuse_change()",
            "UPDATE of inventory.event is not refused",
        ),
        (
            "CREATE OR REPLACE TRIGGER append_only_rows BEFORE UPDATE OF position ON inventory.event"
            " FOR EACH ROW EXECUTE FUNCTION inventory.refuse_change()",
            "UPDATE of inventory.event is not refused",
        ),
        (
            "CREATE OR REPLACE TRIGGER append_only_rows AFTER UPDATE OR DELETE ON inventory.event"
            " FOR EACH ROW EXECUTE FUNCTION inventory.refuse_change()",
            "DELETE of inventory.event is not refused",
        ),
        (
            "CREATE OR REPLACE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON inventory.event"
            " FOR EACH STATEMENT EXECUTE FUNCTION inventory.refuse_change()",
            "UPDATE of inventory.event is not refused",
        ),
        (
            "CREATE OR REPLACE TRIGGER append_only_table BEFORE TRUNCATE ON inventory.event"
            " FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "TRUNCATE of inventory.event is not refused",
        ),
        (
            "CREATE TABLE inventory.event_2020 () INHERITS (inventory.event)",
            "TRUNCATE of inventory.event_2020 is not refused",
        ),
    ],
)
def test_a_trigger_that_does_not_guard_is_named_and_mended(
    planted: Connection, fault: str, words: str
) -> None:
    assert judge_guards(read_guards(planted)).verdict == "ok"
    planted.execute(fault.encode())
    judgement = judge_guards(read_guards(planted))
    assert judgement.verdict == "failed"
    assert words in judgement.found
    mend(planted, judgement)
    assert judge_guards(read_guards(planted)).verdict == "ok"


def test_partitions_of_a_log_answer_for_themselves(planted: Connection) -> None:
    planted.execute(
        """
        ALTER TABLE inventory.seal RENAME TO before;
        CREATE TABLE inventory.seal (LIKE inventory.before) PARTITION BY LIST (account_id);
        CREATE TABLE inventory.seal_1 PARTITION OF inventory.seal FOR VALUES IN ('1');
        """
    )
    tables = ["inventory.event", "inventory.seal", "inventory.seal_1"]
    assert log_tables(planted) == tables
    judgement = judge_guards(read_guards(planted))
    assert "TRUNCATE of inventory.seal_1" in judgement.found
    mend(planted, judgement)
    assert judge_guards(read_guards(planted)).verdict == "ok"
    planted.execute("ALTER TABLE inventory.seal_1 DISABLE TRIGGER append_only_rows")
    assert "inventory.seal_1 is disabled" in judge_guards(read_guards(planted)).found


def test_a_trigger_that_is_gone_is_in_the_findings_and_its_mend_mends(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(f"DROP {EVENT_ROWS}")
    findings = examined(database)
    assert not_well(findings) == USUAL | {"append_only": "failed"}
    with database.connect() as connection:
        mend(connection, findings["append_only"])
    assert not_well(examined(database)) == USUAL


# Roles and their privileges


def app(connection: Connection) -> Judgement:
    return judge_app(read_roles(connection), read_grants(connection), log_tables(connection))


def reader(connection: Connection) -> Judgement:
    return judge_reader(read_roles(connection), read_grants(connection))


def public(connection: Connection) -> Judgement:
    return judge_public(read_grants(connection))


@pytest.mark.parametrize("judged", [app, reader, public])
@pytest.mark.parametrize(
    "harmless",
    [
        "SELECT 1",
        "GRANT DELETE ON inventory.contact_center_number TO inventory_app",
        "GRANT SELECT ON inventory.reconciliation TO inventory_reader",
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA inventory TO PUBLIC",
        "GRANT inventory_app TO inventory_owner",
    ],
)
def test_what_is_not_too_wide_is_left_alone(
    planted: Connection, judged: Callable[[Connection], Judgement], harmless: str
) -> None:
    planted.execute(harmless.encode())
    assert judged(planted).verdict == "ok"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("GRANT UPDATE ON inventory.event TO inventory_app", "UPDATE on inventory.event"),
        ("GRANT DELETE, TRUNCATE ON inventory.event TO inventory_app", "DELETE, TRUNCATE on"),
        ("GRANT TRUNCATE ON inventory.seal TO inventory_app", "TRUNCATE on inventory.seal"),
        ("GRANT UPDATE (location, status) ON inventory.event TO inventory_app", "event (location)"),
        ("GRANT DELETE ON inventory.seal TO PUBLIC", "PUBLIC has DELETE on inventory.seal"),
        ("GRANT CREATE ON SCHEMA inventory TO inventory_app", "CREATE on SCHEMA inventory"),
        ("GRANT inventory_owner TO inventory_app", "can turn into inventory_owner"),
        (
            "ALTER ROLE inventory_app NOINHERIT; GRANT inventory_owner TO inventory_app",
            "can turn into inventory_owner",
        ),
        (
            "CREATE ROLE between; GRANT inventory_owner TO between; GRANT between TO inventory_app",
            "can turn into between",
        ),
        ("GRANT pg_write_all_data TO inventory_app", "can turn into pg_write_all_data"),
        ("ALTER ROLE inventory_app SUPERUSER", "is a superuser"),
        ("GRANT inventory TO inventory_app", "can turn into inventory, a superuser"),
        ("ALTER TABLE inventory.seal OWNER TO inventory_app", "the owner of inventory.seal"),
        (
            "CREATE TABLE inventory.event_2020 () INHERITS (inventory.event);"
            " GRANT DELETE ON inventory.event_2020 TO inventory_app",
            "DELETE on inventory.event_2020",
        ),
    ],
)
def test_an_application_that_could_rewrite_the_log_is_named_and_mended(
    planted: Connection, fault: str, words: str
) -> None:
    named_and_mended(planted, fault, words, app)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("GRANT SELECT ON inventory.quarantine TO inventory_reader", "inventory.quarantine"),
        ("GRANT SELECT (token_sha256) ON inventory.api_token TO inventory_reader", "token_sha256"),
        ("GRANT SELECT ON inventory.api_token TO PUBLIC", "PUBLIC has SELECT"),
        ("GRANT INSERT ON inventory.event TO inventory_reader", "INSERT on inventory.event"),
        ("GRANT UPDATE (status) ON inventory.subscription TO inventory_reader", "(status)"),
        ("GRANT UPDATE ON inventory.contact_center_number_live TO inventory_reader", "UPDATE"),
        ("GRANT DELETE ON inventory.change TO inventory_reader", "DELETE on inventory.change"),
        ("GRANT USAGE ON SEQUENCE inventory.quarantine_id_seq TO inventory_reader", "USAGE"),
        ("GRANT CREATE ON SCHEMA inventory TO inventory_reader", "CREATE on SCHEMA inventory"),
        ("GRANT inventory_app TO inventory_reader", "can turn into inventory_app"),
        ("GRANT pg_read_all_data TO inventory_reader", "can turn into pg_read_all_data"),
        ("ALTER ROLE inventory_reader SUPERUSER", "is a superuser"),
        ("ALTER VIEW inventory.change OWNER TO inventory_reader", "the owner of inventory.change"),
    ],
)
def test_a_reader_that_could_write_or_see_secrets_is_named_and_mended(
    planted: Connection, fault: str, words: str
) -> None:
    named_and_mended(planted, fault, words, reader)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("GRANT USAGE ON SCHEMA inventory TO PUBLIC", "USAGE on SCHEMA inventory"),
        ("GRANT SELECT ON inventory.change TO PUBLIC", "SELECT on inventory.change"),
        ("GRANT SELECT (payload) ON inventory.event TO PUBLIC", "inventory.event (payload)"),
        ("GRANT ALL ON ALL TABLES IN SCHEMA inventory TO PUBLIC", "INSERT"),
    ],
)
def test_a_right_of_everybody_is_named_and_mended(
    planted: Connection, fault: str, words: str
) -> None:
    named_and_mended(planted, fault, words, public)


def named_and_mended(
    planted: Connection, fault: str, words: str, judged: Callable[[Connection], Judgement]
) -> None:
    planted.execute(fault.encode())
    judgement = judged(planted)
    assert judgement.verdict == "failed"
    assert words in judgement.found
    mend(planted, judgement)
    assert judged(planted).verdict == "ok"
    planted.execute("SET ROLE inventory_app")
    planted.execute(
        "INSERT INTO inventory.quarantine (source, reason, detail, payload) VALUES ('x', 'y', 'z', '')"
    )


@pytest.mark.parametrize("role", migration.ROLES)
def test_a_role_that_is_missing_is_named_and_what_it_may_do_skipped(
    planted: Connection, role: str
) -> None:
    planted.execute(f"ALTER ROLE {role} RENAME TO somebody_else".encode())
    judgement = judge_roles(read_roles(planted))
    assert judgement.verdict == "warning"
    assert f"no role {role}:" in judgement.found
    limits = judge_limits(read_roles(planted), read_limits(planted))
    assert (app(planted).verdict == "skipped") == (role == "inventory_app")
    assert (reader(planted).verdict == "skipped") == (role == "inventory_reader")
    assert (limits.verdict == "skipped") == (role == "inventory_reader")


@pytest.mark.parametrize(
    "fault",
    [
        "ALTER ROLE inventory_reader RESET ALL",
        "ALTER ROLE inventory_reader RESET statement_timeout",
        "ALTER ROLE inventory_reader SET statement_timeout = 0",
        "ALTER ROLE inventory_reader SET default_transaction_read_only = off",
        "ALTER ROLE inventory_reader IN DATABASE {} SET statement_timeout = 0",
        "ALTER ROLE inventory_reader IN DATABASE {} SET default_transaction_read_only = off",
    ],
)
def test_a_reader_that_nothing_bounds_is_a_warning_and_mended(
    planted: Connection, fault: str
) -> None:
    def judged() -> Judgement:
        return judge_limits(read_roles(planted), read_limits(planted))

    assert judged().verdict == "ok"
    ((name,),) = planted.execute("SELECT quote_ident(current_database())")
    planted.execute(fault.format(name).encode())
    judgement = judged()
    assert judgement.verdict == "warning"
    mend(planted, judgement)
    assert judged().verdict == "ok"


def test_what_is_set_for_another_database_bounds_nobody_here(planted: Connection) -> None:
    planted.execute("ALTER ROLE inventory_reader RESET statement_timeout")
    planted.execute("ALTER ROLE inventory_reader IN DATABASE postgres SET statement_timeout = '1s'")
    judgement = judge_limits(read_roles(planted), read_limits(planted))
    assert judgement.verdict == "warning"


@pytest.mark.parametrize(
    ("become", "verdict"),
    [
        ("SELECT 1", "warning"),
        ("SET ROLE inventory_owner", "warning"),
        ("SET ROLE inventory_app", "ok"),
        ("CREATE ROLE serving IN ROLE inventory_app; SET ROLE serving", "ok"),
        (
            "CREATE ROLE all_of_it IN ROLE inventory_app, inventory_owner; SET ROLE all_of_it",
            "warning",
        ),
        ("CREATE ROLE boss IN ROLE inventory_app, inventory; SET ROLE boss", "warning"),
    ],
)
def test_whom_we_are_connected_as(planted: Connection, become: str, verdict: str) -> None:
    planted.execute(become.encode())
    assert judge_user(read_user(planted), embedded=False).verdict == verdict


def test_a_user_that_may_not_append_is_let_to(planted: Connection) -> None:
    planted.execute('CREATE ROLE "No-body"; GRANT USAGE ON SCHEMA inventory TO "No-body"')
    planted.execute('SET ROLE "No-body"')
    judgement = judge_user(read_user(planted), embedded=False)
    assert judgement.verdict == "failed"
    planted.execute("RESET ROLE")
    mend(planted, judgement)
    planted.execute('SET ROLE "No-body"')
    assert judge_user(read_user(planted), embedded=False).verdict == "ok"


def test_the_application_may_look_at_everything_that_is_looked_at(database: Database) -> None:
    administer(database, "ALTER DATABASE {} SET role = 'inventory_app'")
    findings = examined(database)
    assert not_well(findings) == {"durability": "failed"}
    assert findings["user"].found.startswith("inventory_app")


def test_one_who_may_not_look_is_told_so_without_a_traceback(database: Database) -> None:
    administer(database, "ALTER DATABASE {} SET role = 'pg_signal_backend'")
    schema = examined(database)["schema"]
    assert schema.verdict == "failed"
    assert "permission denied" in schema.found
    assert "inventory_app" in (schema.mend or "")


# Clocks, the projection, the quarantine


@pytest.mark.parametrize(
    ("ahead", "verdict"), [(0, "ok"), (20, "warning"), (-20, "warning"), (600, "failed")]
)
def test_the_databases_clock_is_compared_with_ours(
    database: Database, monkeypatch: pytest.MonkeyPatch, ahead: int, verdict: str
) -> None:
    class Shifted(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Shifted:
            assert tz is UTC
            return cls.fromtimestamp(super().now(UTC).timestamp() - ahead, UTC)

    monkeypatch.setattr(clock, "datetime", Shifted)
    found = examined(database)["database_clock"]
    assert found.verdict == verdict
    if verdict != "ok":
        assert ("ahead of" in found.found) == (ahead > 0)
    if verdict == "failed":
        assert examined(database, future_tolerance="1h")["database_clock"].verdict == "warning"


def test_events_that_nobody_folds_are_found(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.connect() as connection:
        folds.append(connection, "1", [an_event("7", "Created", 0), an_event("7", "Updated", 1)])
        folds.append(connection, "2", [an_event("8", "Created", 0)])
        folds.fold(connection, "2")
    projection = examined(database)["projection"]
    assert projection.verdict == "ok"
    assert projection.found.startswith("2 events wait")
    monkeypatch.setattr(currency, "LATE", timedelta(0))
    assert examined(database)["projection"].verdict == "warning"
    monkeypatch.setattr(currency, "ABANDONED", timedelta(0))
    projection = examined(database)["projection"]
    assert projection.verdict == "failed"
    assert "of account 1," in projection.found
    assert "inventory projection run" in (projection.mend or "")
    with database.connect() as connection:
        folds.fold(connection, "1")
    findings = examined(database)
    assert findings["projection"].found == "all is folded, of 2 accounts"
    assert findings["notifications"].found.startswith(f"the latest came at {datetime.now(UTC):%Y}")


def test_what_is_in_quarantine_is_found_until_it_is_resolved(database: Database) -> None:
    with database.connect() as connection:
        quarantine.put(
            connection,
            [
                Quarantined("test", "invalid_json", "junk", b"{"),
                Quarantined("test", "invalid_json", "junk", b"}"),
                Quarantined("test", "timestamp_in_future", "early", b"{}"),
            ],
        )
    found = examined(database)["quarantine"]
    assert found.verdict == "warning"
    assert "3 open (2 invalid_json, 1 timestamp_in_future)" in found.found
    with database.connect() as connection:
        quarantine.discard(connection, quarantine.open_ids(connection), "seen")
    assert examined(database)["quarantine"].verdict == "ok"


def test_a_table_that_is_locked_does_not_hold_it_up_for_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inventory.doctor.checks.ANSWER_WITHIN", "SET statement_timeout = '100ms'")
    with database.connect() as connection:
        connection.execute("LOCK inventory.quarantine")
        findings = examined(database)
    assert findings["quarantine"].verdict == "failed"
    assert "timeout" in findings["quarantine"].found
    assert findings["append_only"].verdict == "ok"


def test_a_server_that_goes_away_fails_what_was_not_looked_at_yet(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(connection: Connection) -> dict[str, str | None]:
        with database.connect(autocommit=True) as other:
            pid = connection.info.backend_pid
            other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        return {}

    monkeypatch.setattr("inventory.doctor.roles.read_roles", end)
    findings = examined(database)
    assert findings["append_only"].verdict == "ok"
    assert findings["database_clock"].verdict == "failed"
    assert "Traceback" not in findings["database_clock"].found


def test_its_session_cannot_write(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(connection: Connection) -> dict[str, str | None]:
        connection.execute("CREATE TABLE inventory.ours ()")
        return {}

    monkeypatch.setattr("inventory.doctor.roles.read_roles", write)
    assert "read-only transaction" in examined(database)["roles"].found


def test_the_tests_server_is_one_of_those_that_will_do(
    database: Database, server: embedded.Running
) -> None:
    found = examined(database)["database"]
    assert found.verdict == "ok"
    assert f"PostgreSQL {server.version}" in found.found
    with psycopg.connect(database.url) as connection:
        assert connection.info.server_version // 10000 == server.version
