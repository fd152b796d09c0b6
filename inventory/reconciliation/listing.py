"""
A list in a file, row by row: a carrier's, a provider's, or our own of another day.

CSV with a header, or NDJSON. What a row calls its members is mapped to ours; our own names and
RingCentral's need no map. An empty cell says nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import phonenumbers

from inventory.errors import InventoryError
from inventory.event import Attributes
from inventory.notification import ACCOUNT_IN_URI, is_id, too_deep

OURS = ("account_id", "phone_number_id", *Attributes._fields)
"""What a column can be mapped to."""
RINGCENTRALS = {
    "id": "phone_number_id",
    "phoneNumber": "phone_number",
    "paymentType": "payment_type",
    "type": "number_type",
    "usageType": "usage_type",
    "contactCenterProvider.id": "provider_id",
    "contactCenterProvider.name": "provider_name",
}
"""RingCentral's names of the same, the members of a member after a dot."""
DELIMITERS = ",;\t"


class UnreadableList(InventoryError):
    """A file holds no list that can be compared."""


class Row(NamedTuple):
    """One number, as a file has it."""

    number: int
    """Of the row, the first is 1."""
    phone_number_id: str | None
    said: dict[str, str]
    """Attributes, by our names; the number in E.164."""
    as_it_came: str
    """JSON."""


class Unusable(NamedTuple):
    """A row that cannot be compared, and why."""

    reason: str


def rows_of(path: Path, mapped: Mapping[str, str], account_id: str) -> Iterator[Row | Unusable]:
    """
    The rows of a file that are of *account_id*, or that do not say of which they are.

    Args:
        path: Ends with `.csv`, or with `.ndjson` or `.jsonl`.
        mapped: Ours for each of the file's names.
        account_id: Digits.

    Raises:
        UnreadableList: It is no such file, or lacks a column that is mapped.
    """
    given = {name: name for name in OURS} | RINGCENTRALS | dict(mapped)
    try:
        for number, found in enumerate(_records(path, mapped), 1):
            if not isinstance(found, dict):
                yield Unusable(f"row {number}: expected an object, found none")
                continue
            row = _row(number, found, given, account_id)
            if row is not None:
                yield row
    except (OSError, UnicodeError, csv.Error) as error:
        raise UnreadableList(f"expected a list in {path}: {error}") from None


def _records(path: Path, mapped: Mapping[str, str]) -> Iterator[Any]:
    """The file's rows, as far as they are JSON or CSV; null for one that is not."""
    kind = path.suffix.lower()
    if kind == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as stream:
            head = stream.readline()
            stream.seek(0)
            delimiter = max(DELIMITERS, key=head.count)
            reader = csv.DictReader(stream, delimiter=delimiter, restkey="")
            lacking = sorted(mapped.keys() - set(reader.fieldnames or ()))
            if lacking:
                raise UnreadableList(f"expected a column {lacking[0]!r} in {path}, found none")
            for row in reader:
                # A row that is longer than the header has slipped; what it says is anybody's guess.
                yield None if "" in row else row
    elif kind in {".ndjson", ".jsonl"}:
        with path.open(encoding="utf-8-sig") as stream:
            for line in stream:
                if line.strip():
                    yield _parsed(line)
    else:
        raise UnreadableList(f"expected a file that ends with .csv or .ndjson, found {path}")


def _parsed(line: str) -> Any:
    if too_deep(line.encode(), around=1):
        return None
    # Not Python's reader: it takes NaN, numbers beyond all, and half a surrogate pair.
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None


def _row(
    number: int, found: Mapping[str, Any], given: Mapping[str, str], account_id: str
) -> Row | Unusable | None:
    """A row; null if it is another account's."""
    said = {ours: text for name, ours in given.items() if (text := _member(found, name))}
    if said.pop("account_id", account_id) != account_id:
        return None
    in_uri = ACCOUNT_IN_URI.search(said.get("uri", ""))
    if in_uri is not None and in_uri[1] != account_id:
        return None
    phone_number_id = said.pop("phone_number_id", None)
    if phone_number_id is not None and not is_id(phone_number_id):
        return Unusable(f"row {number}: expected an id, found {phone_number_id[:40]!r}")
    if "phone_number" in said:
        e164 = _e164(said["phone_number"])
        if e164 is None:
            return Unusable(
                f"row {number}: expected a phone number, found {said['phone_number'][:40]!r}"
            )
        said["phone_number"] = e164
    elif phone_number_id is None:
        return Unusable(f"row {number}: expected an id or a phone number, found neither")
    return Row(number, phone_number_id, said, json.dumps(found))


def _member(found: Mapping[str, Any], name: str) -> str | None:
    """The text of a member; null if it says nothing, or is no text or number."""
    value: Any = found.get(name)
    if value is None and "." in name:
        outer, _, inner = name.partition(".")
        nested = found.get(outer)
        value = nested.get(inner) if isinstance(nested, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return None if "\0" in text else text or None


def _e164(text: str) -> str | None:
    """
    A number in E.164; national ones are those of RingCentral's home.

    Spreadsheets make 1.65026E+10 of a number, which is none any more.

    >>> _e164("(650) 253-0000"), _e164("16502530000"), _e164("1.65026E+10")
    ('+16502530000', '+16502530000', None)
    """
    if any(character.isalpha() for character in text):
        return None
    digits = "".join(character for character in text if character.isdecimal())
    for spelling, region in ((text, None), (text, "US"), (f"+{digits}", None)):
        try:
            parsed = phonenumbers.parse(spelling, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return None
