"""A short campaign, and campaigns against what deserves to be found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from psycopg import Connection

from inventory.database import Database
from tests.acceptance.test_serve import serving
from tests.torture.campaign import INGEST, PROGRESS, Campaign, blows
from tests.torture.checks import check
from tests.torture.faults import FAULTS
from tests.torture.ledger import Ledger
from tests.torture.machine import Machine, a_machine
from tests.torture.notifications import Notifications
from tests.waiting import until

SEED = 7
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with a_machine() as machine:
        yield machine


def test_a_short_campaign_finds_nothing(machine: Machine) -> None:
    campaign = Campaign(machine, SEED, kills=1, blows=6)
    campaign.run()
    assert campaign.findings == [], f"seed {SEED}"
    assert campaign.killed >= 2
    assert campaign.checked is not None
    assert campaign.checked.events > PROGRESS
    assert campaign.verified == campaign.checked.events


def test_commits_that_are_not_durable_are_found_when_the_database_is_killed(
    machine: Machine,
) -> None:
    with machine.connect() as connection:
        connection.execute("ALTER SYSTEM SET synchronous_commit = off")
        connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
        connection.execute("SELECT pg_reload_conf()")
    campaign = Campaign(machine, SEED + 1, kills=1)
    campaign.senders.start(2)
    findings: list[str] = []
    while not any(finding.startswith("acknowledged and lost") for finding in findings):
        # Now and then the WAL is written in time, for other reasons.
        seen = campaign.ledger.answers["200"]
        until(lambda: campaign.ledger.answers["200"] > seen + 100)  # noqa: B023
        machine.kill_cluster()
        campaign.senders.stop()
        machine.wait_until_ready()
        machine.wait_until_folded()
        with machine.connect() as connection:
            findings = check(connection, campaign.ledger).findings
        assert "not durable: synchronous_commit is off" in findings
        assert campaign.ledger.answers["200"] < 1_000, "nothing was ever lost"
        campaign.senders.start(2)
    campaign.senders.stop()


def test_commits_that_are_not_on_the_disk_are_found_when_the_power_is_cut(
    machine: Machine,
) -> None:
    if machine.disk.obstacle is not None:
        pytest.skip(machine.disk.obstacle)
    with machine.connect() as connection:
        connection.execute("ALTER SYSTEM RESET ALL")
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("CHECKPOINT")
        connection.execute("SELECT pg_reload_conf()")
    campaign = Campaign(machine, SEED + 2, kills=1)
    campaign.senders.start(2)
    until(lambda: campaign.ledger.answers["200"] > 100)
    machine.cut_power()
    campaign.senders.stop()
    machine.wait_until_ready()
    machine.wait_until_folded()
    with machine.connect() as connection:
        findings = check(connection, campaign.ledger).findings
    assert any(finding.startswith("acknowledged and lost") for finding in findings), findings
    assert "not durable: fsync is off" in findings


@pytest.mark.parametrize(("module", "found"), [("inventory", False), ("tests.torture.rash", True)])
def test_a_receiver_that_acknowledges_before_the_commit_is_found_when_it_is_killed(
    database: Database, connection: Connection, tmp_path: Path, module: str, found: bool
) -> None:
    connection.autocommit = True
    ledger, notifications = Ledger(), Notifications("rash")
    with serving(database, tmp_path, module=module, PYTHONPATH=str(REPOSITORY)) as it:
        with database.connect() as other:
            other.execute("LOCK TABLE inventory.account")
            for _ in range(3):
                item = notifications.next()
                ledger.sending(item)
                status = it.client.post("/webhooks/ringcentral", content=item.payload).status_code
                ledger.answered(item, str(status), acknowledged=status == 200)
            it.process.kill()
            it.process.wait()
    findings = check(connection, ledger).findings
    assert any(f.startswith("acknowledged and lost") for f in findings) == found, findings


def test_the_same_seed_chooses_the_same_faults() -> None:
    faults = (*FAULTS, INGEST)
    chosen = [blows(Random(seed), faults, 200) for seed in ("1", "1", "2")]
    assert chosen[0] == chosen[1] != chosen[2]
    assert {blow.fault for blow in chosen[0]} == set(faults)
