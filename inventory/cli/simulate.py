"""`inventory simulate`: a RingCentral to try things on, as there is no sandbox."""

from __future__ import annotations

import click
import uvicorn

from inventory.cli.listening import address_of, listening
from inventory.simulator import Churn, Faults, Platform, Simulator


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="0: any free one"
)
@click.option("--account-id", default="400000001", show_default=True, help="The account it has.")
@click.option(
    "--numbers",
    type=click.IntRange(min=0),
    default=40,
    show_default=True,
    help="Numbers in it to begin with; half of them are Contact Center's.",
)
@click.option(
    "--rate", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Changes a second."
)
@click.option(
    "--silent",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of the changes that nobody is told of.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME=VALUE",
    help="What is to go wrong, as in `--fault drop=0.1`; may be repeated.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is by chance.")
def simulate(
    port: int,
    account_id: str,
    numbers: int,
    rate: float,
    silent: float,
    faults: tuple[str, ...],
    seed: int,
) -> None:
    """
    Be a RingCentral with one account, on loopback, in which things happen.

    It speaks the REST API, webhooks and the WebSocket as far as inventory uses them, and does wrong
    what it is told to. PUT /simulator/faults changes that as it runs, POST
    /simulator/changes?count=5 lets changes happen, GET /simulator says what has been going on.
    """
    given = _faults(faults)
    with listening("127.0.0.1", port) as listener:
        url = address_of(listener)
        platform = Platform(account_id, seed=seed, faults=given, url=url)
        churn = Churn(platform, silent=silent)
        churn.populate(numbers)
        simulator = Simulator(platform, churn=churn, rate=rate)
        application = platform.application
        click.echo(
            f"listening on {url}\n"
            f"INVENTORY_RINGCENTRAL_URL={url}\n"
            f"INVENTORY_RINGCENTRAL_CLIENT_ID={application.client_id}\n"
            f"INVENTORY_RINGCENTRAL_CLIENT_SECRET={application.client_secret}\n"
            f"INVENTORY_RINGCENTRAL_JWT={application.jwt}",
            err=True,
        )
        config = uvicorn.Config(simulator.application(), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


def _faults(given: tuple[str, ...]) -> Faults:
    """Faults from their spelling on the command line."""
    named = dict(each.partition("=")[::2] for each in given)
    try:
        return Faults.model_validate(named)
    except ValueError as error:
        names = ", ".join(Faults.model_fields)
        raise click.BadParameter(f"{error}\nexpected NAME=VALUE of: {names}") from None
