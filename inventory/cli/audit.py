"""`inventory audit`: evidence for others, and its examination without us."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from inventory import verification
from inventory.audit import Examined, Question, bundle, examine, gather, signature
from inventory.audit.bundle import Bundle
from inventory.audit.page import page
from inventory.audit.rendering import as_json
from inventory.audit.timeline import COLUMNS, timeline
from inventory.cli import exits, output
from inventory.cli.parameters import INSTANT
from inventory.cli.session import Session, pass_session
from inventory.verification import Difference


@click.group()
def audit() -> None:
    """Evidence of what happened to a number, or in a period, for those who need not trust us."""


@audit.command()
@click.argument("number", required=False)
@click.option("--since", type=INSTANT, help="Instead of a number: what occurred from then on.")
@click.option("--until", type=INSTANT, help="Instead of a number: what occurred before then.")
@click.option("--account", metavar="ID", help="Of this account only.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("html", "json", "csv", "sqlite")),
    required=True,
    help="sqlite: the bundle that `audit verify` verifies; the others show what is in it.",
)
@click.option(
    "-o",
    "output_",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="Where to.",
)
@click.option("--key", type=click.File("rb"), help="Sign the bundle with this Ed25519 key, PEM.")
@pass_session
def report(
    session: Session,
    number: str | None,
    since: datetime | None,
    until: datetime | None,
    account: str | None,
    format_: str,
    output_: Path,
    key: Any,
) -> None:
    """
    Evidence for one NUMBER, or for a period.

    All that was recorded of the number under every id that ever had it, or all that occurred in
    [since, until): the events with their payloads, what each did, versions, changes, and the hashes
    that prove that the events were in the log.
    """
    if (number is None) == (since is None and until is None):
        raise click.UsageError("expected either a NUMBER or --since and --until")
    if format_ != "sqlite" and key:
        raise click.UsageError("expected --key with --format sqlite only: nothing else is signed")
    if format_ == "sqlite" and str(output_) == "-":
        raise click.UsageError("expected a file with -o: SQLite cannot write to standard output")
    private = signature.private_key(key.read()) if key else None
    question = Question(number, since, until, account)
    with tempfile.TemporaryDirectory(prefix="inventory-audit-") as scratch:
        path = output_ if format_ == "sqlite" else Path(scratch) / "bundle"
        with (
            session.database() as database,
            database.engine.connect() as connection,
            bundle.created(path) as made,
        ):
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            gathered = gather(connection, question, made, private)
        if format_ != "sqlite":
            with bundle.opened(path) as made:
                _render(made, format_, output_)
    if gathered.unfolded:
        click.echo(
            f"{gathered.unfolded} events are not folded yet: an id that got this number by one of "
            "them is not in it; `inventory projection run` first",
            err=True,
        )
    click.echo(
        f"{question}: events={gathered.events} numbers={gathered.numbers} seals={gathered.seals}",
        err=True,
    )


@audit.command()
@click.argument("file", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option(
    "--public-key",
    type=click.File("rb"),
    help="Demand that the owner of this Ed25519 key signed it, PEM.",
)
@click.option(
    "--head",
    "heads",
    type=click.File("rb"),
    help="Demand that heads noted by `inventory event head` are on its chain.",
)
@output.format_option
def verify(
    file: Path, public_key: Any, heads: Any, format_: str | None, output_: Path | None
) -> int:
    """
    Whether a BUNDLE is as it was made, was in the log, and follows from its events.

    Needs no database, no network and no settings. Ends with 3 if anything differs.
    """
    anchors = verification.read_anchors(heads.read()) if heads else []
    key = signature.public_key(public_key.read()) if public_key else None
    examined, count = Examined(), 0

    def counted(differences: Iterable[Difference]) -> Iterator[dict[str, Any]]:
        nonlocal count
        for difference in differences:
            count += 1
            yield difference._asdict()

    with bundle.opened(file) as given:
        differences = examine(given, examined, public_key=key, anchors=anchors)
        output.write(counted(differences), Difference._fields, format_, output_)
    for note in examined.notes:
        click.echo(note, err=True)
    click.echo(
        f"verified events={examined.events} numbers={examined.numbers} seals={examined.seals} "
        f"differences={count}",
        err=True,
    )
    return exits.DIFFERENCES if count else 0


def _render(made: Bundle, format_: str, output_: Path) -> None:
    if format_ == "csv":
        output.write(timeline(made), COLUMNS, "csv", output_)
        return
    with output.opened(output_) as (stream, _):
        for piece in page(made) if format_ == "html" else as_json(made):
            stream.write(piece)
