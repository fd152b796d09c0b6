"""`inventory event correct`: what a person knows better, entered with a reason."""

from __future__ import annotations

import os
import pwd
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import click
from psycopg import Connection as Writing
from sqlalchemy import Connection as Reading

from inventory import event_log, projector, read_model
from inventory.cli import exits, output
from inventory.cli.parameters import INSTANT
from inventory.cli.session import Session, pass_session
from inventory.correction import Contradiction, Correction, contradictions, correct
from inventory.errors import InventoryError
from inventory.event import Recorded
from inventory.notification import is_id
from inventory.rows import plain


class SeveralNumbers(InventoryError):
    """What was named are several numbers, and a correction is of one."""

    def __init__(self, number: str, keys: Sequence[tuple[str, str]]) -> None:
        found = ", ".join(f"{id_} of account {account}" for account, id_ in keys)
        super().__init__(f"expected one number, found that {number!r} names {found}")
        self.keys = tuple(keys)


class Moved(InventoryError):
    """Something was recorded of the number after its correction had been shown."""

    def __init__(self, phone_number_id: str) -> None:
        super().__init__(
            f"expected number {phone_number_id} as it was shown, found new events of it; "
            "nothing was written"
        )


class Line(click.ParamType[str]):
    """A line of text that can be printed; surrounding blanks mean nothing."""

    name = "text"

    def __init__(self, *, blank: bool = False) -> None:
        self._blank = blank

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.isprintable():
            self.fail(f"expected a line of printable text, got {value!r}", param, ctx)
        if not value.strip() and not self._blank:
            self.fail("expected some text, got none", param, ctx)
        return value.strip()


class E164(click.ParamType[str]):
    """A phone number as RingCentral writes it."""

    name = "E.164"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if re.fullmatch(r"\+[1-9][0-9]{1,14}", value, re.ASCII) is None:
            self.fail(f"expected a number like +12024999741, got {value!r}", param, ctx)
        return value


LINE, FIELD = Line(), Line(blank=True)


@click.command("correct")
@click.argument("wanted", metavar="NUMBER")
@click.option("--account", metavar="ID", help="Of this account.")
@click.option("--reason", required=True, type=LINE, metavar="TEXT", help="Why; it is kept with it.")
@click.option("--provider-id", type=FIELD, metavar="ID", help="It has this provider.")
@click.option("--provider-name", type=FIELD, metavar="NAME", help="… of this name.")
@click.option("--status", type=FIELD, metavar="STATUS", help="Its status: Normal, Pending, …")
@click.option("--usage-type", type=FIELD, metavar="USE", help="Another than Contact Center's: out.")
@click.option("--location", type=FIELD, metavar="TEXT", help="Where it is.")
@click.option("--phone-number", type=E164(), metavar="E164", help="Its E.164 number.")
@click.option("--payment-type", type=FIELD, metavar="TYPE", help="Local, TollFree, …")
@click.option("--number-type", type=FIELD, metavar="TYPE", help="Voice, Fax, VoiceFax, …")
@click.option("--deleted", is_flag=True, help="There is no such number.")
@click.option("--at", type=INSTANT, help="When it was so. Default: now.")
@click.option("--by", type=LINE, metavar="NAME", help="Who says so. Default: your login.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def correct_(
    session: Session,
    /,
    wanted: str,
    account: str | None,
    reason: str,
    at: datetime | None,
    by: str | None,
    *,
    deleted: bool,
    yes: bool,
    **fields: str | None,
) -> int:
    """
    Enter what you know better: one event of origin `operator`, with the reason.

    What is not named stays as it was at that time; '' leaves a field without a value. Shows what
    will change, and asks before it is written; where nobody can be asked, --yes is needed. A number
    that nobody heard of needs its id, --account and --phone-number.
    """
    named = {name: value or None for name, value in fields.items() if value is not None}
    if deleted == bool(named):
        raise click.UsageError("say what is so: some of its fields, or --deleted")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("--yes is needed where nobody can be asked")
    now = datetime.now(UTC)
    operator = by or _login()
    with (
        session.database() as database,
        database.engine.connect() as reading,
        database.connect(autocommit=True) as writing,
    ):
        key = _key(reading, wanted, account)
        log = read_model.log_of(reading, *key, since=at or now)
        reading.rollback()  # a rebuild waits for readers, and people take their time
        correction = correct(
            log,
            None if deleted else named,
            account_id=key[0],
            phone_number_id=key[1],
            at=at or now,
            latest=now + session.settings.future_tolerance,
            operator=operator,
            reason=reason,
            uuid=str(uuid4()),
        )
        _show(correction, new=not log)
        if not yes and not click.confirm("Append this?", err=True):
            output.stderr.print("nothing was written")
            return exits.FAILED
        appended = _append(writing, reading, correction, log, source=f"operator:{operator}")
        with writing.transaction():
            projector.fold(writing, key[0])
    output.stderr.print(f"appended=1 position={appended.position}")
    _show_contradictions(appended, contradictions([*log, appended], appended.position))
    return 0


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container that was given a user of no name
        return f"uid {os.getuid()}"


def _key(connection: Reading, wanted: str, account: str | None) -> tuple[str, str]:
    """The number meant, as account and id; one that nobody heard of, if it is named in full."""
    try:
        keys = read_model.identities(connection, wanted, account=account)
    except read_model.NumberUnknown:
        if account is None or not (is_id(account) and is_id(wanted)):
            raise
        return account, wanted
    # Else a number whose id reads like another's E.164 number could not be named at all.
    exactly = [key for key in keys if key[1] == wanted.strip()] or keys
    if len(exactly) > 1:
        raise SeveralNumbers(wanted, exactly)
    return exactly[0]


def _append(
    writing: Writing, reading: Reading, correction: Correction, log: Sequence[Recorded], source: str
) -> Recorded:
    """The correction in its place, if nothing came between."""
    event = correction.event
    with writing.transaction():
        head = event_log.lock(writing, event.account_id)
        # Nobody else appends until we have.
        found = read_model.log_of(
            reading, event.account_id, event.phone_number_id, since=event.occurred_at
        )
        if {entry.position for entry in found} != {entry.position for entry in log}:
            raise Moved(event.phone_number_id)
        appended = event_log.append(writing, event_log.prepare([event]), source=source)
        if appended.archived:
            raise appended.archived[0]
    return Recorded(head.position + 1, head.now, event, source)


def _show(correction: Correction, *, new: bool) -> None:
    event = correction.event
    _say(
        f"number {event.phone_number_id} of account {event.account_id}, from "
        f"{plain(event.occurred_at)} on{'; it is new' if new else ''}:"
    )
    for change in correction.changes:
        _say(f"  {change.field}: {_shown(change.before)} → {_shown(change.after)}")


def _show_contradictions(appended: Recorded, found: Sequence[Contradiction]) -> None:
    number = appended.event.phone_number_id
    for each in found:
        _say(
            f"later events of {number} say otherwise from {plain(each.since)} on: "
            f"{each.field} is {_shown(each.value)} by #{each.position}"
        )


def _say(line: str) -> None:
    output.stderr.print(line, markup=False, soft_wrap=True)


def _shown(value: str | None) -> str:
    return "none" if value is None else value
