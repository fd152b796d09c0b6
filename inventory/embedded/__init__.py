"""
A private, real PostgreSQL under a home directory, up for as long as some process uses it.

Nobody administers it: it listens on no network, knows no password, and is started and stopped by
its users' coming and going. `cluster` says where it lives and how it is made, `keeper` is the
process that holds it up, `running` is how it is used.
"""

from __future__ import annotations

from inventory.embedded.binaries import Binaries, NoPostgreSQL, find_binaries
from inventory.embedded.cluster import HomeUnreachable, OtherMajorVersion, ServerFailed
from inventory.embedded.running import Running, has_data, running

__all__ = [
    "Binaries",
    "HomeUnreachable",
    "NoPostgreSQL",
    "OtherMajorVersion",
    "Running",
    "ServerFailed",
    "find_binaries",
    "has_data",
    "running",
]
