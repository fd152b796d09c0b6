"""The disk that the cluster lives on: one that can be filled, and that can lose its power."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

SIZE = 6 << 30
"""Bytes; the file beneath it is sparse."""

SHUT_DOWN = 0x8004587D
"""ext4's ioctl to end a file system at once …"""
WITHOUT_A_FLUSH = 2
"""… with nothing more written: what was not synced is gone, as when the power fails."""


class Disk:
    """
    A file system of its own in a file, where that may be mounted; else a plain directory.

    Args:
        directory: Where to put it.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "disk"
        self.path.mkdir()
        self._image = directory / "disk.img"
        self.obstacle = self._make()
        """Why it is a plain directory; null: it is not."""
        self.path.chmod(0o711)

    def _make(self) -> str | None:
        if os.geteuid() != 0:
            return "only root may mount a disk of its own"
        for program in ("mkfs.ext4", "mount", "umount"):
            if shutil.which(program) is None:
                return f"there is no {program}"
        with self._image.open("wb") as image:
            image.truncate(SIZE)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", self._image], check=True)
        try:
            self._mount()
        except subprocess.CalledProcessError as error:
            self._image.unlink()
            return f"a disk of its own cannot be mounted here: {error.stderr.strip()}"
        return None

    def _mount(self) -> None:
        command: list[str | Path] = ["mount", "-o", "loop", self._image, self.path]
        subprocess.run(command, check=True, capture_output=True, text=True)

    def fill(self) -> None:
        """Leave not a byte to anybody."""
        ballast = os.open(self.path / "ballast", os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            piece, length = 1 << 30, 0
            while piece >= 4096:
                try:
                    os.posix_fallocate(ballast, length, piece)
                    length += piece
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece //= 4
        finally:
            os.close(ballast)

    def free(self) -> None:
        """Take back what `fill` took."""
        (self.path / "ballast").unlink(missing_ok=True)

    def fail(self) -> None:
        """Take nothing more, and forget what was not synced."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUT_DOWN, struct.pack("I", WITHOUT_A_FLUSH))
        finally:
            os.close(descriptor)

    def reconnect(self) -> None:
        """The disk as it comes back when the power does. Its users are gone with it."""
        self._unmount()
        self._mount()

    def remove(self) -> None:
        """End whoever uses it, and unmount it if it is mounted."""
        if self.obstacle is None:
            self._unmount()
        else:
            self.kill_users()

    def _unmount(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            self.kill_users()
            done = subprocess.run(
                ["umount", self.path], check=False, capture_output=True, text=True
            )
            if done.returncode == 0:
                return
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.1)

    def kill_users(self) -> int:
        """Kill every process that stands on the disk or holds a file on it, and say how many."""
        killed = 0
        for process in Path("/proc").glob("[0-9]*"):
            if int(process.name) != os.getpid() and self._uses(process):
                try:
                    os.kill(int(process.name), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed += 1
        return killed

    def _uses(self, process: Path) -> bool:
        try:
            links = [process / "cwd", *(process / "fd").iterdir()]
        except OSError:
            return False
        for link in links:
            try:
                if link.readlink().is_relative_to(self.path):
                    return True
            except OSError:
                continue
        return False
