"""
Evidence for those who need not trust us: gathered into a bundle, and examined without a database.

A bundle is one SQLite file: events as they arrived, what the law makes of them, and the hashes from
each payload to the head of the log. `evidence` makes one from the database, `examination` doubts
one, `page`, `picture` and `rendering` show what is in one.
"""

from __future__ import annotations

from inventory.audit.evidence import Gathered, Question, gather
from inventory.audit.examination import Examined, examine

__all__ = ["Examined", "Gathered", "Question", "examine", "gather"]
