"""`make torture`: the whole campaign, and what came of it as a table for `docs/torture.md`."""

from __future__ import annotations

import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

import click

from inventory import embedded
from tests.torture.campaign import Campaign
from tests.torture.machine import Stuck, a_machine


@click.command()
@click.option("--seed", type=int, help="To have the same done again.")
@click.option("--kills", type=click.IntRange(min=1), default=200, show_default=True)
def main(seed: int | None, kills: int) -> None:
    """Kill everything, again and again, and hold what is left against what was acknowledged."""
    seed = SystemRandom().randrange(10**6) if seed is None else seed
    click.echo(f"seed {seed}")
    begun = time.monotonic()
    with a_machine() as machine:
        campaign = Campaign(machine, seed, kills, tell=click.echo)
        for fault, obstacle in campaign.obstacles.items():
            click.echo(f"left out: {fault}, {obstacle}")
        try:
            campaign.run()
        except Stuck as stuck:
            campaign.findings.append(str(stuck))
        table = counts(campaign, time.monotonic() - begun)
        if campaign.findings:
            keep = Path(".torture") / f"{seed}"
            keep.mkdir(parents=True, exist_ok=True)
            for log in machine.directory.glob("*.log"):
                (keep / log.name).write_bytes(log.read_bytes())
            click.echo(f"the logs are in {keep}")
    click.echo(table)
    for finding in campaign.findings:
        click.echo(f"FOUND: {finding}", err=True)
    sys.exit(1 if campaign.findings else 0)


def counts(campaign: Campaign, seconds: float) -> str:
    """What was done and what came of it, in Markdown."""
    checked, ledger = campaign.checked, campaign.ledger
    rows = [
        ("seed", f"{campaign.seed}"),
        ("rounds, each followed by all checks", f"{campaign.rounds}"),
        ("kills", f"{campaign.killed}"),
        *((f"… {name}", f"{times}") for name, times in _kills(campaign)),
        *((name, f"{times}") for name, times in _others(campaign)),
        *((f"{name}: left out, {why}", "0") for name, why in campaign.obstacles.items()),
        ("deliveries acknowledged", f"{ledger.answers['200']:,}"),
        ("deliveries refused, 503", f"{ledger.answers['503']:,}"),
        ("deliveries without an answer", f"{ledger.answers['no answer']:,}"),
        ("deliveries that broke off midway", f"{ledger.answers['torn']:,}"),
        ("deliveries whose sender had gone before the answer", f"{ledger.answers['deaf']:,}"),
        ("taken in from files that were ingested whole", f"{ledger.answers['ingested']:,}"),
        ("files ingested whole", f"{campaign.importer.ended['exit 0']:,}"),
    ]
    if checked is not None:
        rows += [
            ("different notifications sent", f"{len(ledger.sent):,}"),
            ("different notifications acknowledged, each found", f"{checked.acknowledged:,}"),
            ("events in the log at the end", f"{checked.events:,}"),
            ("in quarantine at the end", f"{checked.quarantined:,}"),
        ]
    rows += [
        ("events read by `inventory verify`, over all rounds", f"{campaign.verified:,}"),
        ("findings", f"{len(campaign.findings)}"),
        ("minutes", f"{seconds / 60:.0f}"),
    ]
    machine = (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} {platform.machine()} processors, "
        f"{platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, PostgreSQL {embedded.find_binaries().version}, "
        f"load average {os.getloadavg()[2]:.1f}"
    )
    table = "\n".join(f"| {what} | {count} |" for what, count in rows)
    return f"{machine}\n\n| what | count |\n|---|---:|\n{table}\n"


def _kills(campaign: Campaign) -> list[tuple[str, int]]:
    return [(f.name, campaign.struck[f.name]) for f in campaign.faults if f.kills]


def _others(campaign: Campaign) -> list[tuple[str, int]]:
    return [
        (f.name, campaign.struck[f.name])
        for f in campaign.faults
        if not f.kills and f.name not in campaign.obstacles
    ]


if __name__ == "__main__":
    main()
