"""
The examination: every check in its turn, on what the ones before it opened.

A check that needs another is skipped where that one failed or was skipped itself; one that crashes
has failed, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import psycopg
from sqlalchemy.exc import DBAPIError

from inventory.doctor.checks import CHECKS
from inventory.doctor.judgement import Finding, Judgement, failed, skipped
from inventory.doctor.patient import Check, Patient
from inventory.errors import InventoryError
from inventory.redaction import redact
from inventory.ringcentral import RingCentralError
from inventory.settings import Settings


def examine(load: Callable[[], Settings]) -> list[Finding]:
    """
    What every check finds in the installation that the settings describe; raises nothing.

    Args:
        load: Loads the settings; may fail, which is a finding.
    """
    findings: dict[str, Finding] = {}
    with ExitStack() as opened:
        patient = Patient(load, opened)
        for check in CHECKS:
            judgement = _hindrance(check, findings) or _looked(check, patient)
            findings[check.name] = Finding(check.name, *judgement)
    return list(findings.values())


def _hindrance(check: Check, findings: Mapping[str, Finding]) -> Judgement | None:
    """Why the check cannot be made; null: it can."""
    for need in check.needs:
        earlier = findings[need]
        if earlier.verdict == "failed":
            return skipped(f"{need} failed")
        if earlier.verdict == "skipped":
            return skipped(earlier.found)
    return None


def _looked(check: Check, patient: Patient) -> Judgement:
    try:
        return check.look(patient)
    except RingCentralError as error:
        return failed(str(error), "see `login`, `scopes` and `permission`, and try again")
    except InventoryError as error:
        return failed(str(error), "do as it says")
    except Exception as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            return failed(_said(cause), "set INVENTORY_DATABASE_URL to a member of inventory_app")
        return failed(
            f"the check ended in {type(cause).__name__}: {_said(cause)}",
            "try again; if it stays, it is a fault of this program or of the connection",
        )


def _said(error: BaseException) -> str:
    return redact(str(error).strip().partition("\n")[0])
