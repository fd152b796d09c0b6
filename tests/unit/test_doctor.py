"""What doctor says of facts, and what becomes of a check that fails or crashes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory import settings
from inventory.doctor import examination, examine
from inventory.doctor.append_only import Guard, judge_guards
from inventory.doctor.checks import CHECKS
from inventory.doctor.clock import (
    NOTICEABLE,
    Reading,
    judge_database_clock,
    judge_ringcentral_clock,
)
from inventory.doctor.configuration import (
    CREDENTIALS,
    judge_access,
    judge_webhook_token,
    judge_webhook_url,
    variable,
)
from inventory.doctor.credentials import judge_login, judge_permission, judge_scopes
from inventory.doctor.currency import (
    Aside,
    Freshness,
    judge_notifications,
    judge_projection,
    judge_quarantine,
)
from inventory.doctor.handshake import Answer, NoAnswer, judge_handshake
from inventory.doctor.judgement import Judgement, ok, skipped, warning
from inventory.doctor.patient import Check, Patient
from inventory.doctor.roles import Limit, User, judge_limits, judge_roles, judge_user
from inventory.doctor.server import (
    CONSEQUENCES,
    Careless,
    Server,
    judge_durability,
    judge_schema,
    judge_server,
)
from inventory.doctor.subscribed import (
    judge_expiry,
    judge_filters,
    judge_subscription,
)
from inventory.errors import InventoryError
from inventory.migration import ROLES
from inventory.redaction import conceal
from inventory.ringcentral import DeliveryMode, Denied, DisabledFilter, Subscription, Unavailable
from inventory.ringcentral.model import BlacklistedData
from inventory.settings import InvalidSettings, Settings
from inventory.subscription import NUMBERS, REMINDER, RENEW_BELOW

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ADDRESS = "https://x.example/webhooks/ringcentral"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("INVENTORY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


# Settings


@pytest.mark.parametrize("given_", [*product([False, True], repeat=4)])
def test_access_is_complete_or_absent_and_what_is_missing_is_named(given_: tuple[bool]) -> None:
    names = ["ringcentral_url", *CREDENTIALS]
    flags = {name: "https://x.example" for name, yes in zip(names, given_, strict=True) if yes}
    missing = [name for name in CREDENTIALS if name not in flags]
    judgement = judge_access(settings.load(**flags))
    if not missing:
        assert judgement.verdict == "ok"
    elif not flags:
        assert judgement.verdict == "skipped"
    else:
        assert judgement.verdict == "failed"
        assert all(variable(name) in judgement.found for name in flags)
    for name in names:
        assert (variable(name) in (judgement.mend or "")) == (name in missing)


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        (None, "skipped"),
        ("https://x.example/webhooks/ringcentral?auth_token=hush", "ok"),
        ("https://x.example:8443/", "ok"),
        ("http://x.example/webhooks/ringcentral?auth_token=hush", "failed"),
        ("ftp://x.example/?hush", "failed"),
        ("x.example/webhooks/ringcentral?hush", "failed"),
        ("https://?hush", "failed"),
        ("https://[hush/", "failed"),
        ("https://x.example:hush/", "failed"),
        ("https://localhost/?hush", "failed"),
        ("http://127.0.0.1:8080/?hush", "failed"),
    ],
)
def test_the_receivers_address_is_one_that_ringcentral_can_deliver_to(
    address: str | None, verdict: str
) -> None:
    judgement = judge_webhook_url(settings.load(webhook_url=address))
    assert judgement.verdict == verdict
    assert "hush" not in str(judgement)


def test_a_simulated_ringcentral_delivers_to_loopback() -> None:
    simulated = {"ringcentral_url": "http://127.0.0.1:8090"}
    address = "http://127.0.0.1:8080/webhooks/ringcentral"
    assert judge_webhook_url(settings.load(webhook_url=address, **simulated)).verdict == "ok"
    address = "http://x.example/webhooks/ringcentral"
    assert judge_webhook_url(settings.load(webhook_url=address, **simulated)).verdict == "failed"


@pytest.mark.parametrize(
    ("token", "verdict"), [(None, "failed"), (" , ", "failed"), ("hush", "ok"), ("hush,too", "ok")]
)
def test_a_receiver_without_a_token_believes_anybody(token: str | None, verdict: str) -> None:
    judgement = judge_webhook_token(settings.load(webhook_url=ADDRESS, webhook_token=token))
    assert judgement.verdict == verdict
    assert "hush" not in str(judgement)
    near = settings.load(webhook_url="http://127.0.0.1:8080/", webhook_token=token)
    assert judge_webhook_token(near).verdict == "ok"


# The database


@pytest.mark.parametrize(
    ("major", "verdict"),
    [(13, "failed"), (14, "failed"), (15, "ok"), (18, "ok"), (19, "warning")],
)
def test_postgresql_15_to_18_will_do(major: int, verdict: str) -> None:
    server = Server(f"{major}.1", major, standby=False, read_only=False)
    assert judge_server(server, embedded=False).verdict == verdict


def test_a_server_that_only_lets_read_will_not_do() -> None:
    standby = Server("18.1", 18, standby=True, read_only=False)
    assert "primary" in (judge_server(standby, embedded=False).mend or "")
    read_only = Server("18.1", 18, standby=False, read_only=True)
    assert judge_server(read_only, embedded=True).verdict == "failed"


@pytest.mark.parametrize("name", CONSEQUENCES)
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("command line", "start the server"),
        ("configuration file", "ALTER SYSTEM SET"),
        ("database", "take {} from the database"),
        ("user", "take {} from the user"),
    ],
)
def test_what_is_acknowledged_and_not_durable_is_said_with_the_mend(
    name: str, source: str, words: str
) -> None:
    judgement = judge_durability([Careless(name, source)])
    assert judgement.verdict == "failed"
    assert judgement.found.startswith(f"{name} is off")
    assert words.format(name) in (judgement.mend or "")


def test_the_schema_is_ours_older_newer_or_none() -> None:
    assert judge_schema("0006", "0006", known=True).verdict == "ok"
    for found, known in (("0005", True), (None, False)):
        judgement = judge_schema(found, "0006", known=known)
        assert (judgement.verdict, judgement.mend) == ("failed", "`inventory db upgrade`")
    assert "this program" in (judge_schema("0007", "0006", known=False).mend or "")


def test_of_two_bad_triggers_on_one_table_both_are_named() -> None:
    judgement = judge_guards(
        [
            Guard("inventory.event", False, "UPDATE", None, None),
            Guard("inventory.event", False, "DELETE", "append_only_rows", "D"),
            Guard("inventory.event", False, "TRUNCATE", "append_only_table", "A"),
        ]
    )
    assert judgement.verdict == "failed"
    assert "UPDATE of inventory.event is not refused" in judgement.found
    assert "append_only_rows of inventory.event is disabled" in judgement.found
    assert "TRUNCATE" not in judgement.found


# Roles


@pytest.mark.parametrize("missing", ROLES)
def test_a_role_that_is_missing_is_named(missing: str) -> None:
    judgement = judge_roles({*ROLES} - {missing})
    assert judgement.verdict == "warning"
    assert f"no role {missing}:" in judgement.found
    assert judge_roles(ROLES).verdict == "ok"


@pytest.mark.parametrize("value", ["30s", "1", "500ms", "1min", "0.5s", "30000"])
def test_a_readers_statement_ends(value: str) -> None:
    assert judge_limits(ROLES, limits(statement_timeout=value)).verdict == "ok"


@pytest.mark.parametrize("value", ["0", "0s", "0 ms", ""])
def test_a_readers_statement_without_end_is_a_warning(value: str) -> None:
    judgement = judge_limits(ROLES, limits(statement_timeout=value))
    assert judgement.verdict == "warning"
    assert "statement_timeout" in judgement.found
    assert "read_only" not in judgement.found


@pytest.mark.parametrize(
    ("value", "verdict"), [("on", "ok"), ("true", "ok"), ("1", "ok"), ("off", "warning")]
)
def test_a_readers_transaction_is_read_only(value: str, verdict: str) -> None:
    assert judge_limits(ROLES, limits(default_transaction_read_only=value)).verdict == verdict


def test_readers_that_nothing_bounds_are_two_warnings_in_one() -> None:
    judgement = judge_limits(ROLES, {})
    assert "statement_timeout" in judgement.found
    assert "default_transaction_read_only" in judgement.found


def limits(**values: str) -> dict[str, Limit]:
    given_ = {"statement_timeout": "30s", "default_transaction_read_only": "on"} | values
    return {name: Limit(name, value, None) for name, value in given_.items()}


def test_a_user_appends_and_can_do_no_more() -> None:
    def verdict(*, superuser: bool, owner: bool, appends: bool, embedded: bool) -> str:
        user = User("us", superuser=superuser, owner=owner, appends=appends)
        return judge_user(user, embedded=embedded).verdict

    assert verdict(superuser=False, owner=False, appends=True, embedded=False) == "ok"
    assert verdict(superuser=True, owner=True, appends=True, embedded=False) == "warning"
    assert verdict(superuser=False, owner=True, appends=True, embedded=False) == "warning"
    assert verdict(superuser=True, owner=True, appends=True, embedded=True) == "ok"
    assert verdict(superuser=False, owner=False, appends=False, embedded=False) == "failed"


# Clocks

seconds = st.floats(0, 30).map(lambda number: timedelta(seconds=number))


@example(ahead=-SECOND, there=0 * SECOND, back=0 * SECOND, late=2 * SECOND, tolerance=0 * SECOND)
@example(ahead=SECOND, there=0 * SECOND, back=0 * SECOND, late=0 * SECOND, tolerance=0 * SECOND)
@given(
    ahead=st.floats(-900, 900).map(lambda number: timedelta(seconds=number)),
    there=seconds,
    back=seconds,
    late=st.floats(0, 2).map(lambda number: timedelta(seconds=number)),
    tolerance=st.sampled_from([timedelta(0), 5 * SECOND, timedelta(minutes=5)]),
)
def test_a_clock_is_blamed_only_for_what_the_way_there_cannot_explain(
    ahead: timedelta, there: timedelta, back: timedelta, late: timedelta, tolerance: timedelta
) -> None:
    """Whatever the delays were: a clock that is right is not blamed, one far off is."""
    grain = 2 * SECOND
    said = NOW + there + ahead - late
    reading = Reading(NOW, said, NOW + there + back, grain)
    blamed = judge_ringcentral_clock(reading, tolerance).verdict
    off = abs(ahead)
    if off <= NOTICEABLE:
        assert blamed == "ok"
    if off <= max(tolerance, NOTICEABLE):
        assert blamed != "failed"
    if off > max(tolerance, NOTICEABLE) + there + back + grain + SECOND / 1000:
        assert blamed == "failed"
    if off > NOTICEABLE + there + back + grain + SECOND / 1000:
        assert blamed in {"warning", "failed"}
    assert judge_database_clock(reading, tolerance).verdict == blamed


@pytest.mark.parametrize(
    ("ahead", "words"), [(600, "timestamp_in_future"), (-600, "what we observe outdoes")]
)
def test_what_a_wrong_clock_does_depends_on_which_is_ahead(ahead: int, words: str) -> None:
    reading = Reading(NOW, NOW + ahead * SECOND, NOW)
    assert words in judge_ringcentral_clock(reading, timedelta(minutes=5)).found


def test_an_answer_without_a_date_tells_nothing_of_the_clock() -> None:
    assert judge_ringcentral_clock(None, timedelta(minutes=5)).verdict == "skipped"


# How current


@pytest.mark.parametrize(
    ("events", "lag", "verdict"),
    [(0, 0, "ok"), (5, 0, "ok"), (5, 29, "ok"), (5, 31, "warning"), (1, 301, "failed")],
)
def test_events_that_wait_long_say_that_nobody_folds(events: int, lag: int, verdict: str) -> None:
    accounts = [
        Freshness("1", 0, timedelta(0), NOW),
        Freshness("2", events, lag * SECOND, None),
        Freshness("3", min(events, 1), timedelta(0), None),
    ]
    judgement = judge_projection(accounts)
    assert judgement.verdict == verdict
    if lag:
        assert f"of account 2, for {lag} s" in judgement.found
    if verdict == "failed":
        assert "inventory serve" in (judgement.mend or "")


def test_an_empty_log_is_folded_and_nothing_was_told() -> None:
    assert judge_projection([]).verdict == "ok"
    assert judge_notifications([]) == ok("none has come yet")
    assert judge_quarantine([]).verdict == "ok"


def test_the_latest_notification_is_told_and_is_no_fault() -> None:
    accounts = [
        Freshness("1", 0, timedelta(0), NOW - timedelta(days=30)),
        Freshness("2", 0, timedelta(0), None),
        Freshness("3", 0, timedelta(0), NOW - timedelta(days=20)),
    ]
    judgement = judge_notifications(accounts)
    assert judgement.verdict == "ok"
    assert "2026-02-09 12:00:00Z" in judgement.found


def test_what_is_in_quarantine_is_counted_by_reason() -> None:
    aside = [Aside("invalid_json", 3, NOW), Aside("account_unknown", 1, NOW - timedelta(days=1))]
    judgement = judge_quarantine(aside)
    assert judgement.verdict == "warning"
    assert judgement.found.startswith("4 open (3 invalid_json, 1 account_unknown)")
    assert "since 2026-02-28 12:00Z" in judgement.found


# RingCentral


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("invalid_client", "CLIENT_SECRET"),
        ("invalid_grant", "INVENTORY_RINGCENTRAL_JWT"),
        ("unauthorized_client", "JWT auth flow"),
        ("something_new", "compare"),
        (None, "compare"),
    ],
)
def test_a_denied_login_says_which_credential_to_mend(code: str | None, words: str) -> None:
    judgement = judge_login(Denied("a login", "400", code=code))
    assert judgement.verdict == "failed"
    assert words in (judgement.mend or "")


def test_a_login_that_could_not_be_tried_says_where_to_look() -> None:
    judgement = judge_login(Unavailable("a login", "ConnectError"))
    assert judgement.verdict == "failed"
    assert "INVENTORY_RINGCENTRAL_URL" in (judgement.mend or "")
    assert judge_login(None).verdict == "ok"


@pytest.mark.parametrize(
    ("scopes", "webhook", "verdict", "missing"),
    [
        ("ReadAccounts SubscriptionWebhook", True, "ok", ""),
        ("ReadAccounts SubscriptionWebhook", False, "warning", "WebSocketsSubscription"),
        ("ReadAccounts", True, "failed", "SubscriptionWebhook"),
        ("SubscriptionWebhook WebSocket", True, "failed", "ReadAccounts"),
        ("SubscriptionWebhook WebSocket", False, "failed", "ReadAccounts"),
        ("ReadAccounts WebSocket", False, "ok", ""),
        ("ReadAccounts WebSockets", False, "ok", ""),
        ("ReadAccounts WebSocketsSubscription", False, "ok", ""),
        ("", True, "failed", "SubscriptionWebhook"),
    ],
)
def test_a_scope_that_is_missing_is_named(
    scopes: str, webhook: bool, verdict: str, missing: str
) -> None:
    judgement = judge_scopes(scopes.split(), webhook=webhook)
    assert judgement.verdict == verdict
    if missing:
        assert f"scope {missing} is missing" in judgement.found
        assert missing in (judgement.mend or "")


def test_scopes_that_were_not_told_are_a_warning() -> None:
    assert judge_scopes(None, webhook=True).verdict == "warning"


def test_a_permission_that_is_missing_is_named() -> None:
    assert judge_permission(granted=True).verdict == "ok"
    judgement = judge_permission(granted=False)
    assert judgement.verdict == "failed"
    assert "ReadCompanyPhoneNumbers" in (judgement.mend or "")


# The subscription


def a_subscription(id: str = "a", status: str = "Active", **more: Any) -> Subscription:
    mode = DeliveryMode(transport_type="WebHook", address=ADDRESS)
    return Subscription(id=id, status=status, delivery_mode=mode, **more)


def test_one_subscription_that_is_active_is_right() -> None:
    assert judge_subscription([a_subscription()], 3, ADDRESS).verdict == "ok"


def test_none_of_ours_is_a_failure_however_many_there_are() -> None:
    judgement = judge_subscription([], 3, ADDRESS)
    assert judgement.verdict == "failed"
    assert "3 to other addresses" in judgement.found
    assert "subscription ensure" in (judgement.mend or "")


@pytest.mark.parametrize("status", ["Blacklisted", "Suspended", "Blocked", "SomethingNew"])
def test_one_that_is_not_active_fails_with_its_reason(status: str) -> None:
    data = BlacklistedData(reason="Webhook responses with code: [404]", blacklisted_at=NOW)
    judgement = judge_subscription([a_subscription("b", status, blacklisted_data=data)], 0, ADDRESS)
    assert judgement.verdict == "failed"
    assert judgement.found == (
        f"b is {status} since 2026-03-01 12:00Z: Webhook responses with code: [404]"
    )
    assert judge_subscription([a_subscription("b", status)], 0, ADDRESS).found == f"b is {status}"


def test_one_too_many_is_a_warning() -> None:
    two = [a_subscription("a"), a_subscription("b")]
    judgement = judge_subscription(two, 0, ADDRESS)
    assert judgement.verdict == "warning"
    assert "2 deliver" in judgement.found
    judgement = judge_subscription([two[0], a_subscription("c", "Blacklisted")], 0, ADDRESS)
    assert judgement.verdict == "warning"
    assert "c is Blacklisted" in judgement.found


@pytest.mark.parametrize(
    ("filter_", "verdict"),
    [(NUMBERS, "failed"), (NUMBERS.replace("~", "123"), "failed"), (REMINDER, "warning")],
)
def test_a_filter_that_is_not_served_is_told_with_the_reason(filter_: str, verdict: str) -> None:
    disabled = [DisabledFilter(filter=filter_, reason="CMN-408", message="permission")]
    judgement = judge_filters(a_subscription(disabled_filters=disabled))
    assert judgement.verdict == verdict
    assert "CMN-408 permission" in judgement.found
    assert judge_filters(a_subscription()).verdict == "ok"


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        (timedelta(days=90), "ok"),
        (RENEW_BELOW, "ok"),
        (RENEW_BELOW - timedelta(days=2), "warning"),
        (timedelta(days=6), "warning"),
        (timedelta(days=4), "failed"),
        (timedelta(days=-1), "failed"),
    ],
)
def test_a_subscription_that_nobody_renews_is_found_before_it_ends(
    left: timedelta, verdict: str
) -> None:
    judgement = judge_expiry(a_subscription("x", expiration_time=NOW + left), NOW)
    assert judgement.verdict == verdict
    if verdict != "ok":
        assert "subscription renew x" in (judgement.mend or "")


def test_a_subscription_that_does_not_say_when_it_ends_does_not_end() -> None:
    assert judge_expiry(a_subscription(), NOW).verdict == "ok"


# The handshake

GOOD = Answer(200, echoed=True, content_type="application/json", size=1024)


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        (GOOD, []),
        (GOOD._replace(content_type="application/json; charset=utf-8"), []),
        (GOOD._replace(size=1025), ["SUB-525"]),
        (GOOD._replace(echoed=False), ["SUB-520"]),
        (GOOD._replace(content_type=""), ["SUB-525"]),
        (GOOD._replace(content_type="text/html", echoed=False), ["SUB-520", "SUB-525"]),
        (GOOD._replace(status=204), ["CMN-101"]),
        (GOOD._replace(status=301, location="https://y.example/"), ["CMN-101"]),
        (GOOD._replace(status=404, size=9999), ["CMN-101"]),
        (GOOD._replace(status=401), ["CMN-101"]),
        (GOOD._replace(status=503), ["CMN-101"]),
        (NoAnswer("late"), ["CMN-101"]),
        (NoAnswer("unreachable", "no route"), ["CMN-101"]),
        (NoAnswer("certificate", "expired"), ["SUB-524"]),
    ],
)
def test_each_bad_answer_has_the_code_ringcentral_would_give(
    answer: Answer | NoAnswer, codes: list[str]
) -> None:
    judgement = judge_handshake(answer, ADDRESS)
    assert judgement.verdict == ("failed" if codes else "ok")
    for code in ("SUB-520", "SUB-524", "SUB-525", "CMN-101"):
        assert (f"({code})" in judgement.found) == (code in codes)


# The examination


def examined(*checks: Check, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    monkeypatch.setattr(examination, "CHECKS", checks)
    return {each.check: (each.verdict, each.found) for each in examine(settings.load)}


def raising(error: Exception) -> Any:
    def look(_: Patient) -> Judgement:
        raise error

    return look


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        RecursionError(),
        AttributeError("connection"),
        InventoryError("expected a, found b"),
        Unavailable("a login", "503"),
        psycopg.errors.InsufficientPrivilege("permission denied"),
        psycopg.OperationalError("the connection is closed"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
    ],
)
def test_a_check_that_crashes_has_failed_and_what_needs_it_is_skipped(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = examined(
        Check("bad", (), raising(error)),
        Check("needy", ("bad",), lambda _: ok("fine")),
        Check("needier", ("needy",), lambda _: ok("fine")),
        Check("other", (), lambda _: ok("fine")),
        monkeypatch=monkeypatch,
    )
    assert found["bad"][0] == "failed"
    assert found["bad"][1]
    assert found["needy"] == ("skipped", "bad failed")
    assert found["needier"] == ("skipped", "bad failed")
    assert found["other"] == ("ok", "fine")


def test_what_needs_a_warning_is_looked_at_and_what_needs_a_skipped_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = examined(
        Check("poor", (), lambda _: warning("so so", "mend it")),
        Check("absent", (), lambda _: skipped("nobody set it")),
        Check("first", ("poor",), lambda _: ok("fine")),
        Check("second", ("poor", "absent"), lambda _: ok("fine")),
        monkeypatch=monkeypatch,
    )
    assert found["first"] == ("ok", "fine")
    assert found["second"] == ("skipped", "nobody set it")


def test_no_secret_is_in_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    conceal("hush-hush-8271")
    found = examined(
        Check("bad", (), raising(ValueError("got hush-hush-8271"))), monkeypatch=monkeypatch
    )
    assert found["bad"] == ("failed", "the check ended in ValueError: got [secret]")


def test_every_check_needs_only_checks_before_it_and_has_a_name_of_its_own() -> None:
    seen: set[str] = set()
    for check in CHECKS:
        assert {*check.needs} <= seen
        assert check.name not in seen
        seen.add(check.name)


def test_settings_that_do_not_load_are_a_finding_and_everything_else_is_skipped() -> None:
    def load() -> Settings:
        raise InvalidSettings("INVENTORY_HOEM: unknown setting")

    first, *others = examine(load)
    assert first[:3] == ("settings", "failed", "INVENTORY_HOEM: unknown setting")
    assert {(each.verdict, each.found) for each in others} == {("skipped", "settings failed")}


def test_a_file_of_settings_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "inventory.toml").write_text('webhook_token = "hush')
    first, *_ = examine(settings.load)
    assert first.verdict == "failed"
    assert "inventory.toml" in (first.mend or "")
    assert "hush" not in str(first)


def test_where_there_is_no_database_none_is_made_and_nothing_has_failed(tmp_path: Path) -> None:
    findings = examine(lambda: settings.load(home=tmp_path / "home"))
    assert {each.verdict for each in findings} == {"ok", "skipped"}
    assert not (tmp_path / "home").exists()
