"""Keeping secrets out of what people read."""

from __future__ import annotations

from inventory.redaction import conceal, redact


def test_a_secret_that_is_part_of_another_leaves_none_of_its_rest() -> None:
    for number in range(10):  # sets have no order to rely on
        conceal(f"part{number}")
        conceal(f"part{number}-and-the-rest")
    for number in range(10):
        assert redact(f"got part{number}-and-the-rest") == "got [secret]"
