"""`inventory reconcile`: the inventory held against what RingCentral has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from psycopg import Connection

from inventory import projector, ringcentral
from inventory.cli import exits, output
from inventory.cli.parameters import INSTANT
from inventory.cli.session import Session, pass_session
from inventory.read_model import AccountNeeded
from inventory.reconciliation import (
    OURS,
    FileSource,
    Override,
    Plan,
    Planned,
    RingCentralSource,
    Scope,
    Source,
    UnreadableList,
    alone,
    draw_up,
)
from inventory.reconciliation import (
    reconcile as run,
)
from inventory.ringcentral import Denied

NAMES = (
    *("finding", "class", "account_id", "phone_number_id", "phone_number", "differences"),
    *("expected", "found", "suppressed", "detail"),
)
COLUMNS = ("finding", "phone_number", "phone_number_id", "what")
SCREENFUL = 200
"""Findings that are shown on a terminal: an initial load has as many as there are numbers."""
KINDS = ("added", "different", "departed", "deleted", "missing", "confirmed", "suppressed")


@click.command()
@click.option(
    "--source",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="ringcentral|FILE",
    help="Compare with this list, .csv or .ndjson. Default: RingCentral's.",
)
@click.option(
    "--map",
    "mapped",
    multiple=True,
    metavar="COLUMN=ATTRIBUTE",
    help="What a column of the file is here; may be repeated.",
)
@click.option(
    "--at", type=INSTANT, help="When the file was made; needed to apply it. Default: its own time."
)
@click.option("--apply", "apply_", is_flag=True, help="Record the run, and append what was seen.")
@click.option("--number", metavar="NUMBER", help="Compare this number only.")
@click.option("--provider", metavar="ID", help="Compare numbers of this provider only.")
@click.option("--account", metavar="ID", help="Fail unless it is this account.")
@click.option(
    "--confirm-absent",
    type=click.IntRange(min=0),
    metavar="COUNT",
    help="Let numbers go although a guard refuses: exactly so many.",
)
@click.option("--reason", metavar="TEXT", help="Why they may go; it is kept with the run.")
@output.format_option
@pass_session
def reconcile(
    session: Session,
    path: Path | None,
    mapped: tuple[str, ...],
    at: datetime | None,
    number: str | None,
    provider: str | None,
    account: str | None,
    confirm_absent: int | None,
    reason: str | None,
    format_: str | None,
    output_: Path | None,
    *,
    apply_: bool,
) -> int:
    """
    Compare the inventory with the Contact Center numbers that RingCentral lists, or a file.

    Says what differs, and writes nothing; with --apply the run is recorded, and what was seen is
    appended to the log. A number is absent only if the list was read completely, no guard objects,
    and RingCentral says so when asked for the number by its id. A file makes no number absent.

    Exits with 0 if nothing differs, 3 if something does, 4 if a guard refuses, 5 without the
    permission, 75 if the source could not be read, or not completely; with --apply, 0 when it is
    done.
    """
    if (confirm_absent is None) != (reason is None):
        raise click.UsageError("--confirm-absent and --reason go together")
    override = None
    if confirm_absent is not None and reason is not None:
        override = Override(confirm_absent, reason)
    scope = Scope(number, provider)
    if path is None or str(path) == RingCentralSource.name:
        if mapped or at:
            raise click.UsageError("--map and --at are of a --source")
        opened = _ringcentral(session, account, only_reading=not apply_)
    else:
        if apply_ and at is None:
            raise click.UsageError("--at: say when the file was made, as what happened since wins")
        opened = _file(session, account, path, _mapped(mapped), at, only_reading=not apply_)
    with opened as (connection, source):
        if apply_:
            with alone(connection, source.account_id):
                done = run(connection, source, mode="apply", scope=scope, override=override)
            with connection.transaction():
                projector.fold(connection, source.account_id)
            plan, appended = done.plan, done.done["appended"]
            left_alone = plan.left_alone + done.done["left_alone"]
            ending = f"run={done.id} appended={appended} left_alone={left_alone}"
        else:
            plan = draw_up(connection, source, source.read(), scope=scope, override=override)
            ending = "nothing was written; --apply appends what was seen"
    shown = plan.findings
    if format_ is None and output_ is None and sys.stdout.isatty():
        shown = shown[:SCREENFUL]
    rows = (_row(source.account_id, planned) for planned in shown)
    output.write(rows, list(NAMES), format_, output_, list(COLUMNS))
    if len(shown) < len(plan.findings):
        output.stderr.print(
            f"{len(plan.findings) - len(shown)} more; with --format or -o there is no end to them"
        )
    _talk(plan)
    output.stderr.print(ending)
    return _exit(plan, applied=apply_)


@contextmanager
def _ringcentral(
    session: Session, account: str | None, *, only_reading: bool
) -> Iterator[tuple[Connection, Source]]:
    """The inventory and RingCentral, neither to be written to if they are only to be read."""
    with (
        ringcentral.from_settings(session.settings, only_reading=only_reading) as client,
        _inventory(session, only_reading=only_reading) as connection,
    ):
        found = client.account_id()
        if account not in (None, found):
            raise Denied(f"access to account {account}", f"access to account {found}")
        yield connection, RingCentralSource(client, found)


@contextmanager
def _file(
    session: Session,
    account: str | None,
    path: Path,
    mapped: dict[str, str],
    at: datetime | None,
    *,
    only_reading: bool,
) -> Iterator[tuple[Connection, Source]]:
    """The inventory and a file."""
    now = datetime.now(UTC)
    if at is not None and at > now:
        raise click.UsageError("--at: expected a time that has come")
    try:
        made_at = at or min(now, datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except OSError as error:
        raise UnreadableList(f"expected a list in {path}: {error.strerror}") from None
    with _inventory(session, only_reading=only_reading) as connection:
        if account is None:
            account = session.settings.account_id or _only_account(connection)
        yield connection, FileSource(path, account, mapped=mapped, made_at=made_at)


@contextmanager
def _inventory(session: Session, *, only_reading: bool) -> Iterator[Connection]:
    with session.database() as database:
        opened = database.connect_reading() if only_reading else database.connect(autocommit=True)
        with opened as connection:
            yield connection


def _only_account(connection: Connection) -> str:
    query = "SELECT account_id FROM inventory.freshness ORDER BY account_id"
    accounts: list[str] = [account_id for (account_id,) in connection.execute(query)]
    if not accounts:
        raise click.UsageError("--account: say whose numbers the file lists")
    if len(accounts) > 1:
        raise AccountNeeded(accounts)
    return accounts[0]


def _mapped(given: tuple[str, ...]) -> dict[str, str]:
    mapped = {}
    for each in given:
        column, separator, attribute = each.rpartition("=")
        if not separator or attribute not in OURS:
            raise click.BadParameter(
                f"expected COLUMN=ATTRIBUTE, an attribute of {', '.join(OURS)}; got {each!r}"
            )
        mapped[column] = attribute
    return mapped


def _row(account_id: str, planned: Planned) -> dict[str, Any]:
    finding = planned.finding
    differences = {name: list(pair) for name, pair in finding.differences.items()}
    return {
        "finding": finding.kind,
        "class": planned.cause,
        "account_id": account_id,
        "phone_number_id": finding.phone_number_id,
        "phone_number": finding.phone_number,
        "differences": differences,
        "expected": finding.held and finding.held._asdict(),
        "found": finding.found and finding.found._asdict(),
        "suppressed": planned.suppression and planned.suppression.reason,
        "detail": finding.detail,
        "what": _in_words(planned),
    }


def _in_words(planned: Planned) -> str:
    """A finding's particulars, as a phrase."""
    said = [
        f"{name}: {_shown(held)} → {_shown(found)}"
        for name, (held, found) in planned.finding.differences.items()
    ]
    if planned.finding.detail:
        said.append(planned.finding.detail)
    if planned.suppression:
        until = planned.suppression.expires_at.strftime("%Y-%m-%d %H:%MZ")
        said.append(f"suppressed until {until}: {planned.suppression.reason}")
    return "; ".join(said)


def _shown(value: str | None) -> str:
    return "none" if value is None else value


def _talk(plan: Plan) -> None:
    """What was compared with what, and how far it can be trusted."""
    compared = (
        f"{plan.outcome}: {plan.reading.rows} rows from {plan.source.name}, "
        f"{len(plan.side.numbers)} numbers here, {plan.source.requests} requests"
    )
    said = [
        compared,
        *plan.reading.faults[:5],
        *plan.notes,
        *(f"guard {guard.name}: {guard.detail}" for guard in plan.guards),
    ]
    if plan.guards:
        said.append(
            f"nothing was marked absent; if the numbers are gone indeed: "
            f"--confirm-absent={plan.absent} --reason …"
        )
    if plan.override:
        said.append(f"{plan.override.absent} absences confirmed: {plan.override.reason}")
    said.append(" ".join(f"{kind}={plan.counts[kind]}" for kind in KINDS))
    for line in said:
        output.stderr.print(line, markup=False)


def _exit(plan: Plan, *, applied: bool) -> int:
    if plan.guards:
        return exits.REFUSED
    if plan.drift and not applied:
        return exits.DIFFERENCES
    return exits.TRY_AGAIN if plan.outcome == "incomplete" and not plan.source.by_file else 0
