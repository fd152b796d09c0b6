"""The `inventory` command, and `python -m inventory`."""

from __future__ import annotations

from inventory.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
