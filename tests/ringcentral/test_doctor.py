"""Doctor before a RingCentral that is simulated and receivers that are real: each fault is named."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from inventory import settings, web
from inventory.cli.listening import address_of, listening, served
from inventory.database import Database
from inventory.doctor import Finding, examine, handshake
from inventory.doctor.handshake import NoAnswer, shake_hands
from inventory.ringcentral import Unavailable
from inventory.subscription import NUMBERS, REMINDER, Keeper
from tests.ringcentral.conftest import Simulated

PATH = "/webhooks/ringcentral?auth_token=hush"


class Installation:
    """One that subscribes a webhook at the simulated RingCentral."""

    def __init__(self, simulated: Simulated, database: Database, address: str) -> None:
        self.simulated = simulated
        self.database = database
        self.settings: dict[str, Any] = {
            "database_url": database.url,
            "webhook_url": address,
            "webhook_token": "hush",
            **simulated.settings(),
        }

    def subscribe(self) -> None:
        address = self.settings["webhook_url"]
        with (
            self.simulated.client() as client,
            self.database.connect(autocommit=True) as connection,
        ):
            Keeper(client, address=address, token="hush").ensure(connection)

    def examined(self, **flags: Any) -> dict[str, Finding]:
        findings = examine(lambda: settings.load(**{**self.settings, **flags}))
        assert "hush" not in str(findings)
        return {finding.check: finding for finding in findings}

    def found(self, check: str, **flags: Any) -> Finding:
        return self.examined(**flags)[check]


@pytest.fixture
def installation(simulated: Simulated, database: Database) -> Iterator[Installation]:
    """All is well: the receiver is up, and subscribed."""
    with served(web.application(database, settings.load(webhook_token="hush"))) as url:
        installation = Installation(simulated, database, url + PATH)
        installation.subscribe()
        yield installation


def kept(installation: Installation) -> list[object]:
    """What an examination must leave alone."""
    tables = ("event", "quarantine", "subscription", "reconciliation", "account", "seal")
    with installation.database.connect() as connection:
        rows = [
            connection.execute(f"SELECT * FROM inventory.{t}".encode()).fetchall() for t in tables
        ]
    there = installation.simulated.platform.subscriptions.values()
    return [rows, [(each.id, each.status, each.expires) for each in there]]


def test_an_installation_that_is_well_is_found_to_be_and_left_as_it_was(
    installation: Installation,
) -> None:
    before = kept(installation)
    findings = installation.examined()
    # On a busy machine the simulator may be late with the time it tells.
    assert findings.pop("ringcentral_clock").verdict in {"ok", "warning"}
    assert {c: f.verdict for c, f in findings.items() if f.verdict != "ok"} == {
        "durability": "failed",  # the tests' server is careless of crashes, and we its superuser
        "user": "warning",
    }
    assert kept(installation) == before
    assert installation.simulated.platform.logins == 2  # the keeper's, and its own


# Credentials


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("ringcentral_jwt", "INVENTORY_RINGCENTRAL_JWT"),
        ("ringcentral_client_secret", "INVENTORY_RINGCENTRAL_CLIENT_SECRET"),
        ("ringcentral_client_id", "INVENTORY_RINGCENTRAL_CLIENT_ID"),
    ],
)
def test_a_credential_that_is_wrong_is_named(
    installation: Installation, wrong: str, words: str
) -> None:
    findings = installation.examined(**{wrong: "something-else"})
    assert findings["login"].verdict == "failed"
    assert words in (findings["login"].mend or "")
    for check in ("scopes", "permission", "subscription", "ringcentral_clock"):
        assert findings[check][1:3] == ("skipped", "login failed")
    assert findings["filters"].verdict == "skipped"
    assert findings["handshake"].verdict == "ok"


def test_credentials_by_half_are_a_failure_and_none_is_not(installation: Installation) -> None:
    half = installation.examined(ringcentral_jwt=None)
    assert half["access"].verdict == "failed"
    assert half["access"].mend == "set INVENTORY_RINGCENTRAL_JWT too, or none of them"
    assert half["login"][1:3] == ("skipped", "access failed")
    none: dict[str, Any] = dict.fromkeys(installation.simulated.settings())
    findings = installation.examined(**none, webhook_url="https://127.0.0.2.example:1/")
    assert findings["access"].verdict == "skipped"
    assert "INVENTORY_RINGCENTRAL_JWT" in (findings["access"].mend or "")
    for check in ("login", "scopes", "permission", "subscription", "filters", "expiry"):
        assert findings[check].verdict == "skipped"
        assert findings[check].found == "no access to RingCentral is configured"


def test_credentials_in_the_clear_are_a_failure(installation: Installation) -> None:
    access = installation.found("access", ringcentral_url="http://ringcentral.example")
    assert access.verdict == "failed"
    assert "https" in access.found


def test_a_ringcentral_that_cannot_do_it_is_asked_once(installation: Installation) -> None:
    installation.simulated.platform.faults.refuse = 1.0
    login = installation.found("login")
    assert login.verdict == "failed"
    assert "503 CMN-211" in login.found
    assert "try again" in (login.mend or "")
    login = installation.found("login", ringcentral_url="http://127.0.0.1:9")
    assert "ConnectError" in login.found


@pytest.mark.parametrize("missing", ["ReadAccounts", "SubscriptionWebhook"])
def test_a_scope_the_app_lacks_is_named(installation: Installation, missing: str) -> None:
    platform = installation.simulated.platform
    platform.scope = platform.scope.replace(missing, "")
    scopes = installation.found("scopes")
    assert scopes.verdict == "failed"
    assert f"scope {missing} is missing" in scopes.found
    assert "developer console" in (scopes.mend or "")


def test_a_site_without_a_webhook_wants_a_websocket(installation: Installation) -> None:
    listening_ = {"webhook_url": None, "webhook_token": None}
    findings = installation.examined(**listening_)
    assert findings["scopes"].verdict == "ok"
    for check in ("webhook_url", "webhook_token", "subscription", "expiry", "handshake"):
        assert findings[check][1:3] == ("skipped", "INVENTORY_WEBHOOK_URL is not set")
    installation.simulated.platform.scope = "ReadAccounts SubscriptionWebhook"
    assert installation.found("scopes", **listening_).verdict == "warning"


def test_a_user_who_does_not_see_every_number_is_told(installation: Installation) -> None:
    installation.simulated.platform.faults.unprivileged = True
    permission = installation.found("permission")
    assert permission.verdict == "failed"
    assert "ReadCompanyPhoneNumbers" in permission.found


# The clock


@pytest.mark.parametrize(
    ("ahead", "verdict", "words"),
    [
        (20, "warning", "ahead of"),
        (-20, "warning", "behind"),
        (600, "failed", "timestamp_in_future"),
        (-600, "failed", "outdoes"),
    ],
)
def test_ringcentrals_clock_is_compared_with_ours(
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    ahead: int,
    verdict: str,
    words: str,
) -> None:
    def shifted(at: float, *, usegmt: bool) -> str:
        return formatdate(at + ahead, usegmt=usegmt)

    monkeypatch.setattr("uvicorn.server.formatdate", shifted)
    # Servers renew their Date once a second; this one begins with it.
    with served(installation.simulated.simulator.application()) as url:
        clock = installation.found("ringcentral_clock", ringcentral_url=url)
    assert clock.verdict == verdict
    assert words in clock.found


@pytest.mark.parametrize("date", [None, b"yesterday"])
def test_a_ringcentral_that_tells_no_time_is_not_blamed(
    installation: Installation, date: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WithoutDate(uvicorn.Config):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            headers = [] if date is None else [("date", date.decode())]
            super().__init__(*arguments, **{**options, "date_header": False, "headers": headers})

    monkeypatch.setattr(uvicorn, "Config", WithoutDate)
    with served(installation.simulated.simulator.application()) as url:
        findings = installation.examined(ringcentral_url=url)
    assert findings["login"].verdict == "ok"
    assert findings["ringcentral_clock"].verdict == "skipped"


# The subscription


def only_subscription(installation: Installation) -> Any:
    (there,) = installation.simulated.platform.subscriptions.values()
    return there


def test_a_subscription_that_is_gone_is_missed(installation: Installation) -> None:
    platform = installation.simulated.platform
    platform.subscriptions.clear()
    platform.subscribe(
        [NUMBERS],
        transport="WebHook",
        address=installation.settings["webhook_url"].replace("hush", "other-hush"),
        verification_token=None,
        expires_in=9000,
    )
    findings = installation.examined()
    assert findings["subscription"].verdict == "failed"
    assert "subscription ensure" in (findings["subscription"].mend or "")
    assert findings["filters"][1:3] == ("skipped", "subscription failed")
    installation.subscribe()
    assert installation.found("subscription").verdict == "ok"


def test_a_subscription_that_is_blacklisted_tells_why(installation: Installation) -> None:
    there = only_subscription(installation)
    installation.simulated.platform.blacklist(there, "Webhook responses with code: [502]")
    found = installation.found("subscription")
    assert found.verdict == "failed"
    assert f"{there.id} is Blacklisted since" in found.found
    assert "code: [502]" in found.found


def test_one_subscription_too_many_is_told(installation: Installation) -> None:
    there = only_subscription(installation)
    more = {"transport": "WebHook", "address": there.address, "verification_token": None}
    platform = installation.simulated.platform
    other = platform.subscribe([NUMBERS], expires_in=9000, **more)
    findings = installation.examined()
    assert findings["subscription"].verdict == "warning"
    assert findings["expiry"].verdict == "ok"  # of the one that `ensure` keeps
    platform.blacklist(other, "x")
    found = installation.found("subscription")
    assert found.verdict == "warning"
    assert f"{other.id} is Blacklisted" in found.found


@pytest.mark.parametrize(("filter_", "verdict"), [(NUMBERS, "failed"), (REMINDER, "warning")])
def test_a_filter_that_is_not_served_is_told(
    installation: Installation, filter_: str, verdict: str
) -> None:
    there = only_subscription(installation)
    there.disabled = [installation.simulated.platform._resolved(filter_)]
    found = installation.found("filters")
    assert found.verdict == verdict
    assert "CMN-408" in found.found
    assert f"subscription delete {there.id}" in (found.mend or "")


@pytest.mark.parametrize(("days", "verdict"), [(60, "ok"), (30, "warning"), (3, "failed")])
def test_a_subscription_that_nobody_renews_is_told(
    installation: Installation, days: int, verdict: str
) -> None:
    only_subscription(installation).expires = datetime.now(UTC) + timedelta(days=days)
    assert installation.found("expiry").verdict == verdict


def test_a_call_that_fails_does_not_end_the_examination(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(_: object) -> None:
        raise Unavailable("the subscriptions", "504")

    monkeypatch.setattr("inventory.ringcentral.RingCentral.subscriptions", unavailable)
    findings = installation.examined()
    assert findings["subscription"].verdict == "failed"
    assert "504" in findings["subscription"].found
    assert findings["handshake"].verdict == "ok"


# The handshake


@contextmanager
def receiving(answer: Callable[[Request], Response]) -> Iterator[str]:
    """The address of a receiver that answers so."""

    async def receive(request: Request) -> Response:
        return answer(request)

    app = Starlette(routes=[Route("/{path:path}", receive, methods=["GET", "POST"])])
    with served(app) as url:
        yield url + PATH


def echo(request: Request) -> dict[str, str]:
    return {"validation-token": request.headers["validation-token"]}


def to_elsewhere(_: Request) -> Response:
    return Response(status_code=308, headers={"location": "https://x.example/y?z=hush"})


def fat(request: Request) -> Response:
    return Response(
        b"{}", headers={**echo(request), "x": "y" * 1000, "content-type": "application/json"}
    )


def endless(request: Request) -> Response:
    spaces = (b" " * 100 for _ in count())
    return StreamingResponse(spaces, headers=echo(request), media_type="application/json")


def mute(_: Request) -> Response:
    return Response(b"{}", media_type="application/json")


def wrong_echo(_: Request) -> Response:
    return Response(b"{}", media_type="application/json", headers={"validation-token": "x"})


def web_page(request: Request) -> Response:
    return Response(b"<html>", media_type="text/html", headers=echo(request))


def plain(request: Request) -> Response:
    return Response(b"", headers=echo(request))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            to_elsewhere,
            "redirects to https://x.example/y, where RingCentral does not follow (CMN-101)",
        ),
        (fat, "more than 1024 bytes (SUB-525)"),
        (endless, "more than 1024 bytes (SUB-525)"),
        (mute, "does not return the Validation-Token (SUB-520)"),
        (wrong_echo, "does not return the Validation-Token (SUB-520)"),
        (web_page, "Content-Type is text/html"),
        (plain, "Content-Type is missing"),
        (lambda _: Response(status_code=401), "answers 401, not 200 (CMN-101)"),
        (lambda _: Response(status_code=404), "answers 404, not 200 (CMN-101)"),
        (lambda r: Response(status_code=204, headers=echo(r)), "answers 204, not 200 (CMN-101)"),
        (lambda _: Response(b"x" * 5000, status_code=502), "answers 502, not 200 (CMN-101)"),
    ],
)
def test_an_answer_that_ringcentral_would_not_bear_is_named_with_its_code(
    installation: Installation, answer: Callable[[Request], Response], words: str
) -> None:
    with receiving(answer) as address:
        found = installation.found("handshake", webhook_url=address)
    assert found.verdict == "failed"
    assert words in found.found


@pytest.mark.parametrize(("more", "verdict"), [(0, "ok"), (1, "failed")])
def test_the_whole_response_counts_to_the_byte(
    installation: Installation, more: int, verdict: str
) -> None:
    seen = []

    def answer(request: Request) -> Response:
        # What uvicorn sends besides: the status line, its date, and the length.
        head = len("HTTP/1.1 200 OK\r\n\r\n") + len(f"date: {formatdate(usegmt=True)}\r\n")
        own = {**echo(request), "content-type": "application/json", "content-length": "500"}
        head += sum(len(f"{name}: {value}\r\n") for name, value in own.items())
        padding = 1024 - head - 500 - len("x: \r\n") + more
        seen.append(request.headers)
        return Response(b"x" * 500, headers={**own, "x": "y" * padding})

    with receiving(answer) as address:
        assert installation.found("handshake", webhook_url=address).verdict == verdict
    (headers,) = seen
    assert headers["content-length"] == "0"
    assert "verification-token" not in headers  # the address may be a stranger's


def test_nobody_there_is_told(installation: Installation) -> None:
    found = installation.found("handshake", webhook_url=f"http://127.0.0.1:9{PATH}")
    assert found.verdict == "failed"
    assert "CMN-101" in found.found
    assert "inventory serve" in (found.mend or "")


def test_silence_is_given_up_in_time(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "ANSWER_WITHIN", 0.2)
    with listening("127.0.0.1", 0) as listener:  # the kernel lets us in, and nobody answers
        found = installation.found("handshake", webhook_url=address_of(listener) + PATH)
    assert found.verdict == "failed"
    assert "did not answer within 0.2 s (CMN-101)" in found.found


def test_an_answer_that_comes_byte_by_byte_is_given_up_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handshake, "ANSWER_WITHIN", 0.5)
    over = threading.Event()

    def drip(connected: socket.socket) -> None:
        connected.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while not over.wait(0.01):
            connected.sendall(b".")

    with connecting(drip) as url:
        assert shake_hands(url) == NoAnswer("late")
        over.set()


def self_signed() -> bytes:
    """A key, and a certificate that vouches for itself, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def test_a_certificate_that_nobody_vouches_for_is_told(tmp_path: Path) -> None:
    path = tmp_path / "self-signed.pem"
    path.write_bytes(self_signed())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    def offer(connected: socket.socket) -> None:
        context.wrap_socket(connected, server_side=True)

    with connecting(offer) as url:
        answer = shake_hands(url.replace("http", "https"))
    assert answer == NoAnswer("certificate", "self-signed certificate")


def test_an_address_that_speaks_no_tls_is_told(installation: Installation) -> None:
    address = installation.settings["webhook_url"].replace("http:", "https:")
    found = installation.found("handshake", webhook_url=address)
    assert found.verdict == "failed"
    assert "cannot be reached" in found.found


@contextmanager
def connecting(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of something that takes one connection, and does that with it."""
    with listening("127.0.0.1", 0) as listener:

        def accept() -> None:
            connected, _ = listener.accept()
            try:
                serve(connected)
            except OSError:
                pass  # the other side has had enough
            finally:
                connected.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield address_of(listener)
        thread.join()
