"""Every check, in the order in which they are made: what it needs, reads, and is judged by."""

from __future__ import annotations

from datetime import UTC, datetime

from inventory import embedded, migration, ringcentral
from inventory.confirmation import PERMISSION
from inventory.database import AddressUnreadable, Database, DatabaseUnavailable
from inventory.doctor import (
    append_only,
    clock,
    configuration,
    credentials,
    currency,
    handshake,
    privileges,
    roles,
    server,
    subscribed,
)
from inventory.doctor.judgement import Judgement, failed, ok, skipped
from inventory.doctor.patient import Check, Patient
from inventory.redaction import redact
from inventory.ringcentral import RingCentralError
from inventory.settings import InvalidSettings, conceal_secrets
from inventory.subscription import end_of, is_ours

CONNECT_WITHIN = 10
"""Seconds that a server may take to let us in."""
LOOK_ONLY = "SET default_transaction_read_only = on"
ANSWER_WITHIN = "SET statement_timeout = '10s'"


# What is opened


def _load(patient: Patient) -> Judgement:
    try:
        patient.settings = patient.load()
    except (InvalidSettings, OSError, ValueError) as error:  # TOML's is a ValueError
        return failed(
            redact(str(error)), "correct it in the environment, in inventory.toml or the flags"
        )
    conceal_secrets(patient.settings)
    return ok("they load")


def _access(patient: Patient) -> Judgement:
    judgement = configuration.judge_access(patient.settings)
    if judgement.verdict == "ok":
        try:
            client = ringcentral.from_settings(patient.settings)
        except InvalidSettings as error:
            return failed(str(error), "correct that setting")
        patient.ringcentral = patient.opened.enter_context(client)
    return judgement


def _connect(patient: Patient) -> Judgement:
    settings = patient.settings
    if patient.embedded and not embedded.has_data(settings.home):
        # Whoever uses the embedded database first makes it; to look at it is no use of it.
        return skipped(f"no database under {settings.home} yet", "`inventory db upgrade` makes it")
    try:
        patient.database = patient.opened.enter_context(Database.open(settings))
        patient.connection = patient.database.connect(
            autocommit=True, connect_timeout=CONNECT_WITHIN
        )
    except DatabaseUnavailable as error:
        return failed(
            str(error),
            "set INVENTORY_DATABASE_URL to a user and password that it lets in"
            if error.denied
            else "see that the server is up, and that this machine reaches it",
        )
    except AddressUnreadable:
        return failed(
            "INVENTORY_DATABASE_URL is no address that libpq can read",
            "write it as postgresql://user:password@host:port/database, with percent-encoding",
        )
    patient.opened.callback(patient.connection.close)
    patient.connection.execute(LOOK_ONLY)
    patient.connection.execute(ANSWER_WITHIN)
    return server.judge_server(server.read_server(patient.connection), embedded=patient.embedded)


def _schema(patient: Patient) -> Judgement:
    with patient.database.engine.connect() as connection:
        found = migration.revision(connection)
    return server.judge_schema(found, migration.head(), known=migration.is_known(found))


def _login(patient: Patient) -> Judgement:
    try:
        patient.ringcentral.scopes()
    except RingCentralError as error:
        return credentials.judge_login(error)
    return credentials.judge_login(None)


def _subscription(patient: Patient) -> Judgement:
    found = patient.ringcentral.subscriptions()
    ours = [each for each in found if is_ours(each, patient.address)]
    ours.sort(key=lambda each: (each.status == "Active", end_of(each)), reverse=True)
    if ours:
        patient.subscription = ours[0]
    return subscribed.judge_subscription(ours, len(found) - len(ours), patient.shown_address)


# What is read and judged


def _app_role(patient: Patient) -> Judgement:
    connection = patient.connection
    return privileges.judge_app(
        roles.read_roles(connection),
        privileges.read_grants(connection),
        append_only.log_tables(connection),
    )


def _reader_role(patient: Patient) -> Judgement:
    connection = patient.connection
    return privileges.judge_reader(roles.read_roles(connection), privileges.read_grants(connection))


def _reader_limits(patient: Patient) -> Judgement:
    connection = patient.connection
    return roles.judge_limits(roles.read_roles(connection), roles.read_limits(connection))


def _database_clock(patient: Patient) -> Judgement:
    return clock.judge_database_clock(
        clock.read_database_clock(patient.connection), patient.settings.future_tolerance
    )


def _ringcentral_clock(patient: Patient) -> Judgement:
    told = patient.ringcentral.told
    return clock.judge_ringcentral_clock(
        None if told is None else clock.read_date(told), patient.settings.future_tolerance
    )


def _scopes(patient: Patient) -> Judgement:
    return credentials.judge_scopes(
        patient.ringcentral.scopes(), webhook=patient.settings.webhook_url is not None
    )


CHECKS = (
    Check("settings", (), _load),
    Check("access", ("settings",), _access),
    Check("webhook_url", ("settings",), lambda it: configuration.judge_webhook_url(it.settings)),
    Check(
        "webhook_token",
        ("webhook_url",),
        lambda it: configuration.judge_webhook_token(it.settings),
    ),
    Check("database", ("settings",), _connect),
    Check(
        "durability",
        ("database",),
        lambda it: server.judge_durability(server.read_careless(it.connection)),
    ),
    Check("schema", ("database",), _schema),
    Check(
        "append_only",
        ("schema",),
        lambda it: append_only.judge_guards(append_only.read_guards(it.connection)),
    ),
    Check("roles", ("database",), lambda it: roles.judge_roles(roles.read_roles(it.connection))),
    Check("app_role", ("roles", "schema"), _app_role),
    Check("reader_role", ("roles", "schema"), _reader_role),
    Check("reader_limits", ("roles",), _reader_limits),
    Check(
        "public",
        ("schema",),
        lambda it: privileges.judge_public(privileges.read_grants(it.connection)),
    ),
    Check(
        "user",
        ("schema",),
        lambda it: roles.judge_user(roles.read_user(it.connection), embedded=it.embedded),
    ),
    Check("database_clock", ("database",), _database_clock),
    Check(
        "projection",
        ("schema",),
        lambda it: currency.judge_projection(currency.read_freshness(it.connection)),
    ),
    Check(
        "quarantine",
        ("schema",),
        lambda it: currency.judge_quarantine(currency.read_quarantine(it.connection)),
    ),
    Check(
        "notifications",
        ("schema",),
        lambda it: currency.judge_notifications(currency.read_freshness(it.connection)),
    ),
    Check("login", ("access",), _login),
    Check("ringcentral_clock", ("login",), _ringcentral_clock),
    Check("scopes", ("login",), _scopes),
    Check(
        "permission",
        ("login",),
        lambda it: credentials.judge_permission(granted=it.ringcentral.may(PERMISSION)),
    ),
    Check("subscription", ("webhook_url", "login"), _subscription),
    Check("filters", ("subscription",), lambda it: subscribed.judge_filters(it.subscription)),
    Check(
        "expiry",
        ("subscription",),
        lambda it: subscribed.judge_expiry(it.subscription, datetime.now(UTC)),
    ),
    Check(
        "handshake",
        ("webhook_url",),
        lambda it: handshake.judge_handshake(handshake.shake_hands(it.address), it.shown_address),
    ),
)
