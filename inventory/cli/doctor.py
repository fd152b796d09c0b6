"""`inventory doctor`: what is wrong with this installation, and the mend."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from inventory.cli import exits, output
from inventory.cli.session import Session, pass_session
from inventory.doctor import Finding, examine


@click.command()
@output.format_option
@pass_session
def doctor(session: Session, format_: str | None, output_: Path | None) -> None:
    """
    Say what is wrong with this installation, and the mend.

    Looks at settings, database, roles, clocks, projection, RingCentral, the subscription and the
    receiver's address; changes nothing. Exits with 1 if something failed; warnings are no failure.
    """
    with output.stderr.status("examining"):
        findings = examine(lambda: session.settings)
    output.write([finding._asdict() for finding in findings], Finding._fields, format_, output_)
    counts = Counter(finding.verdict for finding in findings)
    output.stderr.print(
        f"ok={counts['ok']} warnings={counts['warning']} failed={counts['failed']} "
        f"skipped={counts['skipped']}"
    )
    if counts["failed"]:
        sys.exit(exits.FAILED)
