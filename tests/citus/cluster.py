"""
A Citus cluster to try things on: a coordinator and two workers, on sockets that only we can reach.

    python -m tests.citus.cluster start HOME     what is not there is made; prints its address
    python -m tests.citus.cluster stop HOME

Needs the programs of a PostgreSQL that `citus.so` is installed in: those of `--bindir`, or else the
system's newest. Root runs it as `postgres`.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import click
import psycopg
from psycopg.conninfo import conninfo_to_dict

SUPERUSER = "postgres"
NODES = ("coordinator", "worker_1", "worker_2")
COORDINATOR = "SELECT citus_set_coordinator_host(%s, %s)"
WORKER = "SELECT citus_add_node(%s, %s)"
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "shared_preload_libraries": "citus",
    "wal_level": "logical",  # shards are moved by replication
    "max_connections": "300",  # each node takes those of all the others
    "max_wal_size": "4GB",
    "timezone": "UTC",
    "jit": "off",
    "lock_timeout": "30s",
    "fsync": "off",  # it is thrown away
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "citus.node_conninfo": "'sslmode=prefer'",  # over a socket there is no TLS
    "citus.max_cached_conns_per_worker": "2",  # a test's connections are many
}


def start(home: Path, bindir: Path) -> str:
    """The coordinator's address, as psycopg takes it. Every node runs."""
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    for node in NODES:
        data = home / node
        if not data.exists():
            _make(data, bindir)
        if not _as_server(bindir / "pg_ctl", "-D", data, "status", check=False):
            _as_server(bindir / "pg_ctl", "-D", data, "-l", data / "log", "-w", "start")
    ours = {"user": SUPERUSER, "dbname": "postgres"}
    urls = [_url(ours, host=home / node) for node in NODES]
    join(urls)
    return urls[0]


def stop(home: Path, bindir: Path) -> None:
    """Stop every node that runs."""
    for node in NODES:
        _as_server(bindir / "pg_ctl", "-D", home / node, "-m", "fast", "-w", "stop", check=False)


def nodes(url: str) -> list[str]:
    """The addresses of a database on every node of its cluster, the coordinator's first."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT nodename, nodeport FROM pg_dist_node WHERE noderole = 'primary' ORDER BY groupid"
        ).fetchall()
    place = conninfo_to_dict(url)
    return [_url(place, host=host, port=port) for host, port in found]


def join(urls: Sequence[str]) -> None:
    """Make the same database of several servers one of Citus, the first the coordinator."""
    for url in urls:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS citus")
    with psycopg.connect(urls[0], autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_dist_node").fetchone() is None:
            for url, add in zip(urls, [COORDINATOR, *[WORKER] * (len(urls) - 1)], strict=True):
                place = conninfo_to_dict(url)
                connection.execute(add, [place["host"], place.get("port", 5432)])


def create_database(url: str, name: str) -> str:
    """The address of a new database on every node of the cluster that *url* leads to."""
    made = []
    for node in nodes(url):
        with psycopg.connect(node, autocommit=True) as connection:
            connection.execute("SET client_min_messages = 'warning'")
            connection.execute(f"CREATE DATABASE {name}")
        made.append(_url(conninfo_to_dict(node), dbname=name))
    join(made)
    return made[0]


def drop_database(url: str, name: str) -> None:
    """Drop it on every node of the cluster that *url* leads to."""
    for node in nodes(url):
        with psycopg.connect(node, autocommit=True) as connection:
            connection.execute("SET client_min_messages = 'warning'")
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _make(data: Path, bindir: Path) -> None:
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(data, user.pw_uid, user.pw_gid)
    options = ("-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    _as_server(bindir / "initdb", "-D", data, *options)
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        for name, value in (SETTINGS | {"unix_socket_directories": f"'{data}'"}).items():
            file.write(f"{name} = {value}\n")


def _as_server(*command: str | Path, check: bool = True) -> bool:
    """Whether *command* did well, run as the user that the servers run as."""
    root = os.geteuid() == 0
    done = subprocess.run(
        command,
        check=check,
        cwd="/",
        stdout=subprocess.DEVNULL,
        user="postgres" if root else None,
        group="postgres" if root else None,
        extra_groups=[] if root else None,
    )
    return done.returncode == 0


def _url(place: Mapping[str, object], **other: object) -> str:
    """An address as the product takes it, of a *place* as libpq has it, less what is *other*."""
    said = {name: quote(str(value), safe="") for name, value in ({**place} | other).items()}
    password = f":{said['password']}" if "password" in said else ""
    where = f"host={said['host']}&port={said.get('port', '5432')}"
    return f"postgresql://{said['user']}{password}@/{said['dbname']}?{where}"


def _with_citus() -> Path:
    """Where the programs of the system's newest PostgreSQL with Citus lie."""
    found = Path("/usr/lib/postgresql").glob("[0-9]*/lib/citus.so")
    newest = max(found, key=lambda library: float(library.parts[-3]), default=None)
    if newest is None:
        raise click.ClickException("expected a PostgreSQL with citus.so, found none; --bindir?")
    return newest.parents[1] / "bin"


@click.command()
@click.argument("what", type=click.Choice(["start", "stop"]))
@click.argument("home", type=click.Path(path_type=Path, resolve_path=True))
@click.option("--bindir", type=click.Path(path_type=Path), help="Where its programs lie.")
def main(what: str, home: Path, bindir: Path | None) -> None:
    """Start or stop a Citus cluster at HOME."""
    if what == "start":
        click.echo(start(home, bindir or _with_citus()))
    else:
        stop(home, bindir or _with_citus())


if __name__ == "__main__":
    main()
