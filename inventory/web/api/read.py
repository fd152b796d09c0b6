"""A read: a question that can be asked, and the rows that answer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select

from inventory.read_model import Key
from inventory.web.api.parameters import Parameter

Find: TypeAlias = Callable[[Connection, Mapping[str, Any]], Select[Any]]


@dataclass(frozen=True)
class Read:
    """
    One route of the API.

    Every read is asked, paged, tagged, written and described the same way, from what is said here.
    """

    path: str
    name: str
    """Of the read, for programs that are generated from its description."""
    summary: str
    """What its rows are."""
    parameters: tuple[Parameter, ...]
    find: Find
    """The query for what is asked. Raises Problem where only the database shows what is wrong."""
    key: tuple[Key, ...]
    """The order of the rows, by columns that together tell them apart."""
    columns: Sequence[Any]
    """Of its rows, as SQLAlchemy knows them."""
    sometimes: frozenset[str] = frozenset()
    """Those that rows of another time lack."""
    one: bool = False
    """Whether it is about one thing, and answers with a row, not with pages of them."""
    from_log: bool = True
    """Whether log and projection alone decide its rows: then what stands for these tags them."""
    reader: str = "inventory_reader"
    """The role that may read it."""
