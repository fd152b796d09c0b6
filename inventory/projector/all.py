"""Folding whatever waits, several accounts at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from psycopg import Connection

from inventory.projector.fold import Folded, fold, lagging


def fold_all(connect: Callable[[], Connection]) -> Iterator[Folded]:
    """
    Fold every account that lags, each in a transaction of its own, as many at once as there are
    processors; yields each when it is committed.

    An account that another projector has is left to it.
    """
    with connect() as connection:
        accounts = lagging(connection)
    lanes = min(len(accounts), os.cpu_count() or 1)
    if lanes <= 1:
        yield from _fold_in_turn(connect, accounts)
        return
    with ThreadPoolExecutor(lanes, "fold") as pool:
        shares = [accounts[lane::lanes] for lane in range(lanes)]
        # Each lane keeps its connection; a list each, since generators do not cross threads.
        done = pool.map(lambda share: list(_fold_in_turn(connect, share)), shares)
        yield from chain.from_iterable(done)


def _fold_in_turn(connect: Callable[[], Connection], accounts: list[str]) -> Iterator[Folded]:
    if not accounts:
        return
    with connect() as connection:
        for account_id in accounts:
            with connection.transaction():
                folded = fold(connection, account_id)
            if folded is not None and folded.events:
                yield folded
