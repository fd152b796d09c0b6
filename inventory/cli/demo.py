"""`inventory demo`: the whole path on sample history, then what to try next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from itertools import islice

import click
from rich.console import Console
from rich.rule import Rule
from sqlalchemy import Select

from inventory import embedded, explanation, lifecycle, projector, read_model, sample
from inventory.cli import live, output, reassignment
from inventory.cli import number as number_
from inventory.cli.session import Session, pass_session
from inventory.database import Database
from inventory.ingest import Intake, Outcome
from inventory.settings import Settings

AT_ONCE = 20
"""Notifications an append."""


@click.command()
@click.option(
    "--live", "lively", is_flag=True, help="Beside a simulated RingCentral that tells of changes."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="How long changes go on, with --live.",
)
@pass_session
def demo(session: Session, seconds: float, *, lively: bool) -> None:
    """
    The whole path on sample history: ingest, fold, ask; then what to try next.

    With --live, the whole product beside a simulated RingCentral, in which things happen and go
    wrong for a minute; in the end both must have the same numbers, or it exits 1 and says which
    differ.

    Uses an embedded PostgreSQL of its own, beside the real one. Running it again is harmless.
    """
    settings = session.settings
    home = settings.home / "demo"
    with embedded.running(home, bindir=settings.pg_bindir) as cluster:
        database = Database(cluster.url, cluster.binaries)
        database.upgrade()
        if lively:
            account = live.run(database, settings, seconds, Console(highlight=False))
            proposals = [line.format(account=account) for line in AFTER_LIVE]
        else:
            _on_sample_history(database, settings)
            proposals = list(AFTER_SAMPLE)
    _title("What to try next")
    program = shlex.quote(sys.argv[0])
    if program.endswith("__main__.py"):
        program = f"{shlex.quote(sys.executable)} -m inventory"
    click.echo(f"export INVENTORY_HOME={shlex.quote(str(home))}")
    for line in proposals:
        click.echo(f"{program} {line}")


def _on_sample_history(database: Database, settings: Settings) -> None:
    taken = Outcome()
    intake = Intake(
        "demo", account_id=sample.DOCUMENTED_ACCOUNT, future_tolerance=settings.future_tolerance
    )
    # A few at a time, as they come: what is late came after something younger was known.
    history = sample.demo_history()
    with database.connect() as connection:
        while some := list(islice(history, AT_ONCE)):
            taken += intake.write(connection, intake.read(some))
    folded = sum(account.events for account in projector.fold_all(database.connect))
    _title("Ingested")
    click.echo(
        f"{taken.total} notifications: {taken.appended} appended, "
        f"{taken.duplicates} duplicates, {taken.quarantined} quarantined; "
        f"{folded} events folded"
    )
    _title("The current inventory of one account")
    account = sample.DOCUMENTED_ACCOUNT
    _table(database, read_model.numbers(account=account), number_.NOW_COLUMNS)
    _title("Its latest reassignments")
    _table(database, read_model.reassignments(account=account, limit=12), reassignment.COLUMNS)
    _title(f"One number explained: {sample.DEMO_NUMBER}")
    with database.engine.connect() as reader:
        for key in read_model.identities(reader, sample.DEMO_NUMBER):
            steps = list(lifecycle.steps(read_model.log_of(reader, *key)))
            click.echo("\n".join(explanation.of_number(*key, steps)))


AFTER_SAMPLE = (
    "query 'SELECT * FROM provider ORDER BY numbers DESC'",
    "number history +12024999741",
    "number list --provider 7 --at 2026-04-01",
    "change list --since 2026-05-01 --kind reassigned_out",
    "quarantine list",
    "event show 1 --account 37439510 --payload",
    "projection status",
)
AFTER_LIVE = (
    "change list --account {account} --limit 10",
    "event list --account {account} --origin observation --limit 5",
    "quarantine list --reason invalid_json --limit 5",
)


def _title(text: str) -> None:
    Console(highlight=False).print(Rule(text, align="left"))


def _table(database: Database, query: Select[tuple[object, ...]], columns: Sequence[str]) -> None:
    output.write_query(database, query, "table", None, columns)
