"""A bundle as one HTML page that asks nobody for anything: to be read, printed, sent, kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from inventory.audit.bundle import Bundle
from inventory.audit.picture import picture
from inventory.audit.timeline import timeline
from inventory.printable import printable

CHANGES = "SELECT * FROM change ORDER BY changed_at, account_id, position"
VERSIONS = "SELECT * FROM version ORDER BY account_id, phone_number_id, valid_from, opened_by"
NUMBERS = "SELECT * FROM number ORDER BY account_id, phone_number_id"
HEADS = "SELECT account_id, position, hex(head_hash) AS head_hash FROM head ORDER BY account_id"
PAYLOADS = """
SELECT account_id, position, occurred_at, hex(payload_sha256) AS payload_sha256, payload
FROM event
ORDER BY account_id, position
"""
REASSIGNMENTS = frozenset({"reassigned_in", "provider_changed", "reassigned_out"})


def page(bundle: Bundle) -> Iterator[str]:
    """The page, in pieces."""
    environment = Environment(
        loader=PackageLoader("inventory.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    drawn = picture(bundle)
    return environment.get_template("report.html").generate(
        manifest=bundle.manifest(),
        picture=None if drawn is None else Markup(drawn),  # noqa: S704 - ElementTree escaped it
        numbers=bundle.named(NUMBERS),
        timeline=timeline(bundle),
        changes=bundle.named(CHANGES),
        reassignments=REASSIGNMENTS,
        versions=bundle.named(VERSIONS),
        heads=bundle.named(HEADS),
        payloads=bundle.named(PAYLOADS),
    )


def _shown(value: Any) -> Any:
    """*value* as the page shows it: nothing for null, and nothing that breaks what is around it."""
    if value is None:
        return ""
    return value if isinstance(value, Markup) else printable(str(value))
