"""`inventory` as it must not be: its server acknowledges what is not durable yet."""

from __future__ import annotations

import asyncio

from inventory.cli import main
from inventory.ingest import GroupCommit

_pending: set[asyncio.Task[None]] = set()
_take = GroupCommit.take


async def _acknowledge_at_once(self: GroupCommit, payload: bytes) -> None:
    _pending.add(asyncio.create_task(_take(self, payload)))


if __name__ == "__main__":
    setattr(GroupCommit, "take", _acknowledge_at_once)  # noqa: B010 - a method is not assigned to
    main()
