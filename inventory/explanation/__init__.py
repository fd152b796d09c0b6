"""
The law's steps in words: what each event did to a number, and which event set each of its fields.

Pure: steps in, sentences for people or records for programs out.
"""

from __future__ import annotations

from inventory.explanation.number import (
    of_number,
    record_of_late,
    record_of_number,
    record_of_step,
)
from inventory.explanation.replay import of_replayed, record_of_replayed
from inventory.explanation.steps import Setter, deed, fields, revised, standing

__all__ = [
    "Setter",
    "deed",
    "fields",
    "of_number",
    "of_replayed",
    "record_of_late",
    "record_of_number",
    "record_of_replayed",
    "record_of_step",
    "revised",
    "standing",
]
