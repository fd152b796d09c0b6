"""The command line: one file a noun, and here the group they belong to and its error boundary."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import click
import psycopg
import sqlalchemy.exc

from inventory.cli import exits
from inventory.cli.session import Session
from inventory.database import DatabaseUnavailable
from inventory.errors import InventoryError
from inventory.settings import InvalidSettings

NOUNS = (
    *("archive", "audit", "change", "db", "demo", "doctor", "event", "listen", "number"),
    *("projection", "quarantine", "query", "reassignment", "reconcile", "reconciliation"),
    *("replay", "serve", "simulate", "subscription", "token", "verify"),
)


class Nouns(click.Group):
    """The commands, each imported when it is asked for: all of them take half a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the same for all
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in NOUNS:
            return None
        command = getattr(import_module(f"inventory.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - one file a noun
        return command


@click.group(
    cls=Nouns, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="inventory")
@click.option(
    "--database-url", metavar="URL", help="PostgreSQL to use instead of the embedded one."
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the embedded PostgreSQL lives.",
)
@click.option("--account-id", metavar="ID", help="Account of notifications that name none.")
@click.pass_context
def inventory(context: click.Context, /, **flags: Any) -> None:
    """
    A tracker of RingCentral Contact Center phone numbers that never forgets.

    Data goes to standard output, talk to standard error. Settings come from flags, INVENTORY_…
    variables and inventory.toml, in that order.
    """
    context.obj = Session(flags)


def main() -> None:
    """Run the command line; the one place where errors become exit codes."""
    # As if interrupted: what is in flight is finished, locks are let go.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        sys.exit(inventory.main(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(exits.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(exits.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read us has had enough, as `head` does. Nothing can be flushed any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except UnicodeEncodeError as error:
        if error.reason != _NOT_TEXT:
            raise
        click.echo("inventory: expected text in UTF-8, found other bytes in an argument", err=True)
        sys.exit(exits.USAGE)
    except InvalidSettings as error:
        _complain(error)
        sys.exit(exits.USAGE)
    except DatabaseUnavailable as error:
        _complain(error)
        sys.exit(exits.DENIED if error.denied else exits.TRY_AGAIN)
    except InventoryError as error:
        _complain(error)
        sys.exit(_exit_of(error))
    except (psycopg.Error, sqlalchemy.exc.DBAPIError) as error:
        cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
        _complain(cause or error)
        sys.exit(exits.DENIED if isinstance(cause, _DENIED) else exits.FAILED)


def _exit_of(error: InventoryError) -> int:
    """
    The exit code for *error*.

    Whoever never spoke to RingCentral did not import what it takes, and has no error of it.
    """
    from inventory.migration import NotTheOwner  # noqa: PLC0415
    from inventory.reconciliation import UnderWay  # noqa: PLC0415
    from inventory.ringcentral import Denied, Unavailable  # noqa: PLC0415

    if isinstance(error, Denied | NotTheOwner):
        return exits.DENIED
    return exits.TRY_AGAIN if isinstance(error, Unavailable | UnderWay) else exits.FAILED


# Bytes of an argument that are no UTF-8 come as half surrogate pairs, which nothing can hold.
_NOT_TEXT = "surrogates not allowed"
_DENIED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidAuthorizationSpecification)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(error: BaseException) -> None:
    click.echo(f"inventory: {str(error).strip()}", err=True)
