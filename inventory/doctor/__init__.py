"""
What is wrong with an installation, and the mend.

Every check reads facts and judges them; the two are apart, so that each verdict can be had without
the fault. It looks only: nothing is created, renewed or deleted, and nothing is written.
"""

from __future__ import annotations

from inventory.doctor.examination import examine
from inventory.doctor.judgement import Finding, Judgement, Verdict

__all__ = ["Finding", "Judgement", "Verdict", "examine"]
