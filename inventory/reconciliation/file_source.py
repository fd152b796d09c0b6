"""
Another list to compare with: what a file says, and what may follow from it.

A file is a witness of what is written in it, as of when it was made, and of nothing else. A row
that does not say its `usage_type` is compared, and nothing is appended for it: whoever assigns
numbers to carriers does not know that they are Contact Center's. A row without RingCentral's id is
matched by its E.164 number. What a file lacks is missing from the file, and never absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from inventory.drift import Finding, Held, judged
from inventory.event import Attributes
from inventory.observation import Sighting
from inventory.reconciliation.listing import Row, Unusable, rows_of
from inventory.reconciliation.reading import Reading
from inventory.reconciliation.source import Settled


class FileSource:
    """
    A file that lists numbers.

    Args:
        path: CSV or NDJSON.
        account_id: Whose numbers.
        mapped: Our name for each of the file's.
        made_at: When the list was made: what happened here since then wins.
    """

    by_file = True
    requests = 0

    def __init__(
        self, path: Path, account_id: str, *, mapped: Mapping[str, str], made_at: datetime
    ) -> None:
        self.name = f"file:{path.name}"
        self.account_id = account_id
        self._path = path
        self._mapped = mapped
        self._made_at = made_at
        self._rows: list[Row] = []
        self._witnesses: set[str] = set()

    def read(self) -> Reading:
        """
        Its rows.

        Raises:
            UnreadableList: It holds none.
        """
        reading = Reading(self._made_at)
        for row in rows_of(self._path, self._mapped, self.account_id):
            reading.rows += 1
            if isinstance(row, Unusable):
                reading.faults.append(row.reason)
            else:
                self._rows.append(row)
        return reading

    def compared(self, reading: Reading, held: Mapping[str, Held]) -> Iterable[Finding]:
        """What its rows find; an unusable or ambiguous one finds nothing, and is a fault."""
        matched, listed = self._matched(reading, held)
        for row, phone_number_id in matched:
            number = held.get(phone_number_id or "")
            found = Attributes()._replace(**row.said)
            if number is not None:
                found = number.attributes._replace(**row.said)
            if phone_number_id is None:
                yield Finding("added", None, None, found, "the file names no id of RingCentral's")
                continue
            reading.sightings[phone_number_id] = Sighting(
                phone_number_id, self._made_at, found, row.as_it_came
            )
            if "usage_type" in row.said:
                self._witnesses.add(phone_number_id)
            finding = judged(phone_number_id, number, found)
            if finding is not None and (finding.kind != "confirmed" or self.bears_out(finding)):
                yield finding
        for phone_number_id, number in held.items():
            if phone_number_id not in listed:
                yield Finding("missing", phone_number_id, number.attributes, None)

    def settled(
        self,
        missing: list[Finding],
        held: Mapping[str, Held],  # noqa: ARG002 - a file cannot be asked
    ) -> Iterator[Settled]:
        """They are missing from the file, and that is all there is to say."""
        for finding in missing:
            yield Settled(finding._replace(detail="not in the file"), None)

    def bears_out(self, finding: Finding) -> bool:
        """What it says of a number itself, if it says what the number is used for."""
        return finding.kind != "missing" and finding.phone_number_id in self._witnesses

    def _matched(
        self, reading: Reading, held: Mapping[str, Held]
    ) -> tuple[list[tuple[Row, str | None]], set[str]]:
        """
        Each row with the id of its number, null where neither side has one; and every id listed.
        """
        by_e164: dict[str | None, list[str]] = {}
        for phone_number_id, number in held.items():
            by_e164.setdefault(number.attributes.phone_number, []).append(phone_number_id)
        listed: Counter[str] = Counter()
        found: list[tuple[Row, str | None]] = []
        for row in self._rows:
            if row.phone_number_id is not None:
                ids = [row.phone_number_id]
            else:
                ids = by_e164.get(row.said["phone_number"], [])
            listed.update(ids)
            if len(ids) > 1:
                reading.faults.append(
                    f"row {row.number}: expected one number {row.said['phone_number']}, found ids "
                    f"{', '.join(sorted(ids))}"
                )
            else:
                found.append((row, ids[0] if ids else None))
        once = []
        for row, id_ in found:
            if id_ is not None and listed[id_] > 1:
                reading.faults.append(
                    f"row {row.number}: expected number {id_} once, found it {listed[id_]} times"
                )
            else:
                once.append((row, id_))
        return once, set(listed)
