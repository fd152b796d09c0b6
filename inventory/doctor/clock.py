"""Clocks: ours against another's, as far as the way there lets one tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from psycopg import Connection

from inventory.doctor.judgement import Judgement, failed, ok, skipped, warning
from inventory.ringcentral import Told

NOTICEABLE = timedelta(seconds=1)
"""What two clocks may differ by, beyond what the measurement leaves open."""
DATE_GRAIN = timedelta(seconds=2)
"""How much later than a `Date` header it may be: it has whole seconds, renewed once a second."""
SYNCHRONIZE = "synchronize this machine's clock, as chrony or systemd-timesyncd do"

CLOCK = "SELECT clock_timestamp()"


class Reading(NamedTuple):
    """What another's clock showed, and ours when we asked and when we had the answer."""

    asked: datetime
    said: datetime
    answered: datetime
    grain: timedelta = timedelta(0)
    """How much later than *said* it may have been already."""

    @property
    def ahead(self) -> timedelta:
        """How far the other clock is ahead of ours, most likely."""
        return self.said + self.grain / 2 - self.asked - (self.answered - self.asked) / 2

    @property
    def error(self) -> timedelta:
        """How far that can be wrong, either way."""
        return (self.answered - self.asked + self.grain) / 2


def read_database_clock(connection: Connection) -> Reading:
    """PostgreSQL's clock, which says when something was recorded."""
    connection.execute(CLOCK)  # the first statement of a kind may take longer
    asked = datetime.now(UTC)
    ((said,),) = connection.execute(CLOCK)
    return Reading(asked, said, datetime.now(UTC))


def read_date(told: Told) -> Reading:
    """RingCentral's clock, as a response's `Date` showed it."""
    return Reading(told.asked, told.date, told.answered, DATE_GRAIN)


def judge_database_clock(reading: Reading, tolerance: timedelta) -> Judgement:
    """Whether times recorded can be compared with times that things occurred."""
    what = _compared("PostgreSQL's clock", reading)
    mend = f"{SYNCHRONIZE}, and the server's"
    if _beyond(reading, max(tolerance, NOTICEABLE)):
        return failed(f"{what}: what was known when cannot be told", mend)
    return warning(what, mend) if _beyond(reading, NOTICEABLE) else ok(what)


def judge_ringcentral_clock(reading: Reading | None, tolerance: timedelta) -> Judgement:
    """Whether notifications are taken for what they are, not for news from the future."""
    if reading is None:
        return skipped("RingCentral's answer has no Date")
    what = _compared("RingCentral's clock", reading)
    if _beyond(reading, max(tolerance, NOTICEABLE)):
        consequence = (
            "notifications are quarantined as timestamp_in_future"
            if reading.ahead > timedelta(0)
            else "what we observe outdoes notifications that come after it"
        )
        return failed(f"{what}: {consequence}", SYNCHRONIZE)
    return warning(what, SYNCHRONIZE) if _beyond(reading, NOTICEABLE) else ok(what)


def _beyond(reading: Reading, limit: timedelta) -> bool:
    """Whether the clocks certainly differ by more than *limit*."""
    return abs(reading.ahead) - reading.error > limit


def _compared(whose: str, reading: Reading) -> str:
    seconds, error = reading.ahead.total_seconds(), reading.error.total_seconds()
    side = "ahead of" if seconds >= 0 else "behind"
    return f"{whose} is {abs(seconds):.1f} s {side} ours, give or take {error:.1f} s"
