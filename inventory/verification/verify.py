"""Holding every account's record against itself: its chain, its columns, its projection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import Connection

from inventory.errors import InventoryError
from inventory.verification import projection, snapshot
from inventory.verification.anchor import Anchor
from inventory.verification.chain import Chain
from inventory.verification.difference import Difference, shown


class AccountUnknown(InventoryError):
    """Nothing is recorded of such an account."""

    def __init__(self, account_id: str) -> None:
        super().__init__(f"expected an account that something is recorded of, got {account_id!r}")
        self.account_id = account_id


@dataclass(slots=True)
class Verified:
    """How much was looked at so far."""

    accounts: int = 0
    events: int = 0
    seals: int = 0


def verify(
    connection: Connection,
    verified: Verified,
    *,
    account: str | None = None,
    anchors: Sequence[Anchor] = (),
    archives: bool = False,
    read: snapshot.Read = lambda _: None,
) -> Iterator[Difference]:
    """
    All that differs in the record, or in that of one *account*, as it stands at one moment.

    Args:
        connection: No transaction is open on it.
        verified: Counts what was looked at.
        account: The one account to look at; null: all of them.
        anchors: Heads that accounts are known to have had.
        archives: Whether events that were detached lie ready in `pg_temp.archived`; else it fails
            where some were.
        read: Told of events as they are read, each twice: along the chain, and by number.

    Raises:
        AccountUnknown: There is no such account, nor an anchor for it.
    """
    with snapshot.snapshot(connection):
        known = {*snapshot.accounts(connection), *(anchor.account_id for anchor in anchors)}
        if account is not None and account not in known:
            raise AccountUnknown(account)
        if not archives:
            snapshot.require_whole_log(connection, account)
        for account_id in sorted(known) if account is None else [account]:
            of_account = [anchor for anchor in anchors if anchor.account_id == account_id]
            yield from _verify(
                connection, account_id, of_account, verified, read, archives=archives
            )


def _verify(
    connection: Connection,
    account_id: str,
    anchors: Sequence[Anchor],
    verified: Verified,
    read: snapshot.Read,
    *,
    archives: bool,
) -> Iterator[Difference]:
    row = snapshot.account_row(connection, account_id)
    chain = Chain(account_id, snapshot.seals(connection, account_id), anchors)
    for entry in snapshot.entries(connection, account_id, read, archives=archives):
        yield from chain.take(entry)
        verified.events += 1
    yield from chain.finish(row.head)
    verified.accounts += 1
    verified.seals += chain.seals
    if row.archived_until != row.archives_until:
        archived = shown(row.archives_until), shown(row.archived_until)
        yield Difference(account_id, None, None, "account.archived_until", *archived)
    if row.head is not None and row.folded > row.head.position:
        head, what = row.head.position, "projection_checkpoint.position"
        yield Difference(account_id, head, None, what, f"at most {head}, the head", str(row.folded))
    for number in snapshot.numbers(connection, account_id, row.folded, read, archives=archives):
        yield from projection.differences(account_id, *number)
