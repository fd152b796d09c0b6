"""HTTP in: the webhook receiver, and what says whether the process is well."""

from __future__ import annotations

from inventory.web.app import application
from inventory.web.protocol import ImpatientProtocol

__all__ = ["ImpatientProtocol", "application"]
