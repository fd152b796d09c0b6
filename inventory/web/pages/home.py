"""`/`: the inventory at a glance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import starmap
from typing import Any

from inventory import read_model
from inventory.read_model import Holding
from inventory.web import chart, words
from inventory.web.chart import Bar
from inventory.web.pages import said
from inventory.web.pages.asked import Asked
from inventory.web.pages.said import Said
from inventory.web.pages.sheet import Sheet

PATH = "/"
PARAMETERS = ()
PROVIDERS = 12
STATUSES = 5
"""Told apart, the greatest ones; the rest is summed up."""
WINDOWS = (timedelta(days=1), timedelta(days=7))


def show(asked: Asked) -> Sheet:
    """How many numbers there are, what changed, how fresh it all is, and what wants a person."""
    connection = asked.connection
    holdings = read_model.holdings(connection)
    instants = [asked.now - window for window in WINDOWS]
    names = _names(holdings)
    subscriptions = connection.execute(read_model.subscriptions()).all()
    return Sheet(
        "home.html",
        SAID,
        {
            "total": sum(holding.numbers for holding in holdings),
            "names": names,
            **_by_provider(holdings, names),
            "since": [words.iso(instant) for instant in instants],
            "kinds": words.KINDS,
            "changes": read_model.changes_since(connection, instants, asked.now),
            "freshness": connection.execute(read_model.freshness()).all(),
            "quarantined": read_model.open_quarantine(connection),
            "discrepancies": read_model.open_discrepancies(connection),
            "doubtful": sum(holding.doubtful for holding in holdings),
            "subscriptions": subscriptions,
        },
    )


_STATEMENT = said.query(
    "contact_center_number",
    [],
    "numbers DESC, provider_id, status",
    columns="provider_id, status, count(*) AS numbers",
    group="provider_id, status",
)
SAID = Said(said.by_query(_STATEMENT), _STATEMENT, "/api/v1/providers")


def _names(holdings: Sequence[Holding]) -> dict[str, str]:
    """What each provider is called: as the number of it that changed last has it."""
    in_time = sorted(holdings, key=lambda holding: (holding.latest, holding.provider_name or ""))
    return {
        holding.provider_id: holding.provider_name
        for holding in in_time
        if holding.provider_id is not None and holding.provider_name is not None
    }


def _by_provider(holdings: Sequence[Holding], names: dict[str, str]) -> dict[str, Any]:
    """The table of providers and statuses, and the chart that says the same."""
    of_provider: Counter[str | None] = Counter()
    of_status: Counter[str | None] = Counter()
    cells: Counter[tuple[str | None, str | None]] = Counter()
    for holding in holdings:
        of_provider[holding.provider_id] += holding.numbers
        of_status[holding.status] += holding.numbers
        cells[holding.provider_id, holding.status] += holding.numbers
    statuses = [status for status, _ in of_status.most_common(STATUSES)]
    rest = len(of_status) > STATUSES

    def row(provider: str | None, numbers: int) -> dict[str, Any]:
        counts = [cells[provider, status] for status in statuses]
        return {
            "provider": provider,
            "numbers": numbers,
            "counts": counts,
            "rest": numbers - sum(counts) if rest else 0,
        }

    rows = list(starmap(row, of_provider.most_common(PROVIDERS)))
    series = [status or "no status" for status in statuses] + ["other"] * rest
    bars = [
        Bar(
            names.get(each["provider"] or "", each["provider"] or "none named"),
            each["counts"] + [each["rest"]] * rest,
        )
        for each in rows
    ]
    return {
        "rows": rows,
        "statuses": statuses,
        "rest": rest,
        "other_providers": len(of_provider) - len(rows),
        "other_numbers": sum(of_provider.values()) - sum(each["numbers"] for each in rows),
        "chart": chart.bars("Numbers by provider and status", series, bars),
        "legend": chart.legend(series),
    }
