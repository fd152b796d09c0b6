"""A dump restored elsewhere, and a standby promoted: the same record, and it goes on."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from inventory import verification
from inventory.database import Database
from inventory.embedded.binaries import find_binaries
from inventory.embedded.cluster import Cluster
from inventory.verification import Anchor, Verified
from tests import folds
from tests.conftest import Command, clean_environment
from tests.integration.test_upgrade import a_life, differences
from tests.waiting import until

ACCOUNT = "37439510"
CAREFUL = {"fsync": "off", "full_page_writes": "on", "lock_timeout": "30s"}
"""Nothing here outlives the machine, but what is acknowledged outlives its server."""
STATE = "SELECT sync_state FROM pg_stat_replication"


@contextmanager
def serving(cluster: Cluster) -> Iterator[subprocess.Popen[bytes]]:
    """A server on a cluster, that no keeper brings up again."""
    with cluster.log.open("ab") as log:
        process = cluster.start(CAREFUL, log)
        try:
            until(lambda: _answers(cluster))
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait()


def _answers(cluster: Cluster) -> bool:
    try:
        psycopg.connect(cluster.url_of("postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def cluster(public_directory: Callable[[], Path]) -> Callable[[], Cluster]:
    """Makes places for clusters; nothing is there yet."""
    bindir = os.environ.get("INVENTORY_TEST_PG_BINDIR")
    binaries = find_binaries(Path(bindir) if bindir else None)
    return lambda: Cluster.at(public_directory(), binaries)


def program(cluster: Cluster, name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs as whoever we are."""
    subprocess.run([cluster.binaries.bindir / name, *arguments], check=True, capture_output=True)


def a_database(cluster: Cluster) -> Database:
    with psycopg.connect(cluster.url_of("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE inventory")
    return Database(cluster.url, cluster.binaries.bindir)


def anchors_of(database: Database) -> list[Anchor]:
    """The heads as somebody would have printed them."""
    with database.engine.connect() as connection:
        heads = connection.execute(verification.heads()).all()
        return [Anchor(head.account_id, head.position, head.head_hash) for head in heads]


def test_a_dump_restored_on_another_server_verifies_and_goes_on(
    cluster: Callable[[], Cluster], tmp_path: Path
) -> None:
    dump = str(tmp_path / "inventory.dump")
    here, there = cluster(), cluster()
    here.make()
    there.make()
    with serving(here):
        database = a_database(here)
        database.upgrade()
        with database.connect() as connection:
            for serial in range(3):
                folds.append(connection, ACCOUNT, a_life(serial))
                folds.fold(connection, ACCOUNT)
        anchors = anchors_of(database)
        program(here, "pg_dump", "--format=custom", f"--file={dump}", here.url)
    with serving(there):
        restored = a_database(there)
        inventory = Command(
            clean_environment() | {"INVENTORY_DATABASE_URL": restored.url}, tmp_path
        )
        # The roles are the server's, and no part of a dump.
        inventory("db", "roles")
        program(there, "pg_restore", "--exit-on-error", f"--dbname={there.url}", dump)
        inventory("db", "roles")
        with restored.connect() as connection:
            assert list(verification.verify(connection, Verified(), anchors=anchors)) == []
            for statement in ("DELETE FROM inventory.event", "TRUNCATE inventory.seal"):
                with pytest.raises(psycopg.errors.RestrictViolation):
                    connection.execute(statement.encode())
                connection.rollback()
            connection.execute("SET ROLE inventory_app")
            connection.commit()
            folds.append(connection, ACCOUNT, a_life(3))
            folds.fold(connection, ACCOUNT)
            connection.execute("RESET ROLE")
            connection.commit()
            assert list(verification.verify(connection, Verified(), anchors=anchors)) == []
        assert '"what"' not in inventory("verify").stdout
        assert anchors_of(restored)[0].position == anchors[0].position + len(a_life(3))


def test_a_promoted_standby_has_all_that_was_acknowledged_and_goes_on(
    cluster: Callable[[], Cluster],
) -> None:
    primary, standby = cluster(), cluster()
    primary.make()
    if os.geteuid() == 0:
        # The standby's server, too, comes in over the socket, as the user it runs as.
        with (primary.data / "pg_ident.conf").open("a", encoding="utf-8") as map_:
            map_.write(f"inventory {pwd.getpwuid(primary.uid).pw_name} inventory\n")
    with (primary.data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
        rules.write("local replication all peer map=inventory\n")
    with ExitStack() as servers:
        first = servers.enter_context(serving(primary))
        database = a_database(primary)
        database.upgrade()
        with database.connect() as connection:
            folds.append(connection, ACCOUNT, a_life(0))
        program(
            *(primary, "pg_basebackup", "--write-recovery-conf", "--checkpoint=fast"),
            *(f"--dbname={primary.url}", f"--pgdata={standby.data}"),
        )
        standby.data.chmod(0o700)
        for path in (standby.data, *standby.data.rglob("*")):
            os.chown(path, standby.uid, standby.gid, follow_symlinks=False)
        servers.enter_context(serving(standby))
        with database.connect(autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            until(lambda: "sync" in str(connection.execute(STATE).fetchall()))
        with database.connect() as connection:
            for serial in (1, 2):
                folds.append(connection, ACCOUNT, a_life(serial))
                folds.fold(connection, ACCOUNT)
        anchors = anchors_of(database)

        # A standby is verified as it stands: reading is all that takes.
        copy = Database(standby.url, None)
        with copy.connect() as connection:
            until(lambda: anchors_of(copy) == anchors)
            assert differences(connection)[1] == []

        first.kill()
        first.wait()
        with copy.connect(autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_reload_conf()")
        with copy.connect() as connection:
            assert list(verification.verify(connection, Verified(), anchors=anchors)) == []
            folds.append(connection, ACCOUNT, a_life(3))
            folds.fold(connection, ACCOUNT)
            connection.commit()
            verified = Verified()
            assert list(verification.verify(connection, verified, anchors=anchors)) == []
            assert verified.events == anchors[0].position + len(a_life(3))
