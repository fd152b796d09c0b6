"""
Rows as Parquet and back, by arro3: a tenth of what other libraries for it weigh.

Texts and bytes as they are, instants in microseconds, zstd over all of it. Whatever else reads
Parquet (DuckDB, Spark, pandas) reads these files, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from inventory.errors import InventoryError
from inventory.event import Attributes
from inventory.verification.chain import Seal
from inventory.verification.columns import SAID, Entry

Kind: TypeAlias = Literal["text", "bytes", "integer", "instant"]
Row: TypeAlias = tuple[Any, ...]
Columns: TypeAlias = tuple[tuple[str, Kind], ...]

INSTANTS = {"occurred_at", "recorded_at", "sealed_at"}
EVENTS: Columns = (
    ("position", "integer"),
    ("recorded_at", "instant"),
    ("origin", "text"),
    ("payload", "text"),
    ("payload_sha256", "bytes"),
    *((name, "instant" if name in INSTANTS else "text") for name in SAID),
)
SEALS: Columns = (
    ("first_position", "integer"),
    ("last_position", "integer"),
    ("sealed_at", "instant"),
    ("source", "text"),
    ("previous_hash", "bytes"),
    ("events_hash", "bytes"),
    ("hash", "bytes"),
)
assert set(Attributes._fields) < {name for name, _ in EVENTS}  # noqa: S101 - nothing is left out

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ParquetMissing(InventoryError):
    """The library that reads and writes Parquet is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "expected arro3, which reads and writes Parquet, found it not installed: "
            "`pip install 'inventory[archive]'`"
        )


class Unreadable(InventoryError):
    """A file is not the Parquet that was written."""


class _Arro3(NamedTuple):
    core: Any
    io: Any


def _arro3() -> _Arro3:
    try:
        from arro3 import core, io  # noqa: PLC0415 - an extra: not everybody archives
    except ImportError:
        raise ParquetMissing from None
    return _Arro3(core, io)


def require() -> None:
    """
    See that Parquet can be read and written here, before anything is begun.

    Raises:
        ParquetMissing: It cannot.
    """
    _arro3()


def of_entry(entry: Entry) -> Row:
    """*entry* as a row of `EVENTS`."""
    return (*entry[:3], entry.payload.decode(), entry.payload_sha256, *entry.said)


def entry_of(row: Row) -> Entry:
    """The entry that is a row of `EVENTS`."""
    return Entry(row[0], row[1], row[2], row[3].encode(), row[4], row[5:])


def seal_of(row: Row) -> Seal:
    """The seal that is a row of `SEALS`."""
    return Seal(*row)


def write(path: Path, columns: Columns, rows: Sequence[Row]) -> None:
    """Write *rows* to *path*; all of them are in memory, and once more as columns."""
    core, io = _arro3()
    types = _types(core)
    arrays = []
    for at, (_, kind) in enumerate(columns):
        values = [row[at] for row in rows]
        if kind == "instant":
            micros = [(value - _EPOCH) // _MICROSECOND for value in values]
            arrays.append(core.Array(micros, types["integer"]).cast(types[kind]))
        else:
            arrays.append(core.Array(values, types[kind]))
    schema = core.Schema([core.Field(name, types[kind]) for name, kind in columns])
    batch = core.RecordBatch.from_arrays(arrays, schema=schema)
    with path.open("wb") as file:
        io.write_parquet(
            batch,
            file,
            compression="zstd(3)",
            # Its values are all different: a dictionary of them would be them once more.
            column_dictionary_enabled={"payload": False, "payload_sha256": False},
        )


def read(path: Path, columns: Columns) -> Iterator[Row]:
    """
    The rows of *path*.

    Raises:
        Unreadable: It is not Parquet of these *columns*.
    """
    core, io = _arro3()
    types = _types(core)
    try:
        # The library raises bare exceptions for what is no Parquet.
        batches = io.read_parquet(path, batch_size=8192)
        found = [field.name for field in batches.schema]
        if found != [name for name, _ in columns]:
            raise Unreadable(f"expected columns {', '.join(n for n, _ in columns)}")  # noqa: TRY301
        while (batch := _next(batches)) is not None:
            lists = []
            for at, (_, kind) in enumerate(columns):
                stored = types["integer"] if kind == "instant" else types[kind]
                values = batch.column(at).cast(stored).to_pylist()
                if kind == "instant":
                    values = [_EPOCH + timedelta(0, 0, micros) for micros in values]
                lists.append(values)
            yield from zip(*lists, strict=True)
    except (InventoryError, GeneratorExit):
        raise
    except Exception as error:
        raise Unreadable(f"expected Parquet in {path}, found something else: {error}") from None


def _next(batches: Any) -> Any:
    try:
        return batches.read_next_batch()
    except StopIteration:
        return None


def _types(core: Any) -> dict[Kind, Any]:
    kinds = core.DataType
    return {
        "text": kinds.string(),
        "bytes": kinds.binary(),
        "integer": kinds.int64(),
        "instant": kinds.timestamp("us", tz="UTC"),
    }
