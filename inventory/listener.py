"""
RingCentral's notifications over a WebSocket, for sites that RingCentral cannot reach.

Source: developer guide, *WebSockets*, and what the vendor's own clients had to learn: every frame
is a JSON array; pings do not count as traffic; after 24 hours the connection is closed; and for
some minutes afterwards a new one can take up where it ended, with the newest `wsc` token.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import msgspec
from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from inventory.errors import InventoryError
from inventory.redaction import conceal, redact
from inventory.ringcentral import RingCentral, Subscription, Unavailable
from inventory.subscription import NUMBERS, require_served

SILENCE = 60.0
"""Seconds without a message after which we say something; RingCentral hangs up after 30 minutes."""
ANSWER_WITHIN = 30.0
RECOVERY = 180.0
"""Seconds after which RingCentral no longer knows what we missed."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
AFTER_REFUSAL = 60.0
"""Seconds to leave RingCentral alone when it had too many requests: reconnecting spends them."""
LONGEST_FRAME = 4 << 20

_frame = msgspec.json.Decoder(list[msgspec.Raw]).decode
_json = msgspec.json.Decoder(dict[str, Any]).decode

log = logging.getLogger(__name__)


class Interrupted(InventoryError):
    """The connection ended, or what came over it made no sense."""


class Listener:
    """
    Hears what RingCentral sends, for as long as it runs.

    Args:
        ringcentral: Who gives the tokens that open a WebSocket.
        take: Makes a notification durable, before RingCentral may forget it.
        missed: Told, in words, that notifications may have been missed.
        stopped: Whether to end.
        wait: Waits so many seconds, or until it is to end.
    """

    def __init__(
        self,
        ringcentral: RingCentral,
        *,
        take: Callable[[bytes], None],
        missed: Callable[[str], None],
        stopped: Callable[[], bool],
        wait: Callable[[float], object],
    ) -> None:
        self._ringcentral = ringcentral
        self._take = take
        self._missed = missed
        self._stopped = stopped
        self._wait = wait
        self._wsc: str | None = None
        self._sequence = -1
        self._heard_at = 0.0
        self._whole = False
        self.subscribed = 0
        """Times that a subscription was made."""

    def run(self) -> None:
        """Listen, over one connection after the other, until it is to stop."""
        wait = FIRST_WAIT
        while not self._stopped():
            begun = time.monotonic()
            try:
                self._listen()
            except (InventoryError, OSError, WebSocketException) as error:
                if not self._stopped():
                    log.warning("%s", redact(f"{type(error).__name__}: {error}"))
                if time.monotonic() - begun > SILENCE:
                    wait = FIRST_WAIT  # it went well for a while
                refused = isinstance(error, Unavailable) and error.retry_after is not None
                self._wait(max(wait, AFTER_REFUSAL) if refused else wait)
                wait = min(2 * wait, LONGEST_WAIT)

    def _listen(self) -> None:
        token = self._ringcentral.websocket_token()
        query = {"access_token": token.ws_access_token}
        recovering = self._wsc is not None and time.monotonic() - self._heard_at < RECOVERY
        if recovering and self._wsc is not None:
            query["wsc"] = self._wsc
        joint = "&" if urlsplit(token.uri).query else "?"
        with connect(
            f"{token.uri}{joint}{urlencode(query)}",
            open_timeout=ANSWER_WITHIN,
            max_size=LONGEST_FRAME,
        ) as connection:
            meta, details = self._receive(connection, ANSWER_WITHIN)
            if meta.get("type") != "ConnectionDetails":
                raise Interrupted(f"expected ConnectionDetails, got {meta.get('type')}")
            self._learn(meta, anew=True)
            if recovering and _object(details).get("recoveryState") == "Successful":
                log.info("connected again, and nothing was missed")
            else:
                self._subscribe(connection)
                self._missed(
                    "the WebSocket could not take up where it had ended"
                    if self._whole
                    else "a WebSocket was opened"
                )
            self._whole = True
            self._hear(connection)

    def _hear(self, connection: ClientConnection) -> None:
        """Take what comes, until the connection ends."""
        waited_for: str | None = None
        while not self._stopped():
            try:
                meta, body = self._receive(connection, SILENCE)
            except TimeoutError:
                if waited_for is not None:
                    raise Interrupted("expected an answer to our heartbeat, got none") from None
                waited_for = str(uuid4())
                connection.send(json.dumps([{"type": "Heartbeat", "messageId": waited_for}]))
            else:
                waited_for = None
                self._handle(meta, body)

    def _subscribe(self, connection: ClientConnection) -> None:
        """Ask for the notifications; the answer is known by its `messageId` alone."""
        asked = str(uuid4())
        request = {
            "type": "ClientRequest",
            "messageId": asked,
            "method": "POST",
            "path": "/restapi/v1.0/subscription",
        }
        body = {"eventFilters": [NUMBERS], "deliveryMode": {"transportType": "WebSocket"}}
        connection.send(json.dumps([request, body]))
        deadline = time.monotonic() + ANSWER_WITHIN
        while True:
            meta, answer = self._receive(connection, max(0.0, deadline - time.monotonic()))
            if meta.get("messageId") == asked:
                break
            self._handle(meta, answer)
        status = meta.get("status")
        if status != 200 or answer is None:
            raise Interrupted(f"expected a subscription, got status {status}")
        try:
            subscription = Subscription.model_validate_json(answer)
        except ValidationError:
            raise Interrupted("expected a subscription, got something else") from None
        require_served(subscription)
        self._learn(meta)
        self.subscribed += 1
        log.info("subscribed as %s", subscription.id)

    def _receive(
        self, connection: ClientConnection, seconds: float
    ) -> tuple[dict[str, Any], bytes | None]:
        """
        The next message: what it is, and its body as it came.

        What is not in their form is kept like a notification that is not in its form: it may have
        been one.
        """
        while True:
            try:
                text = connection.recv(timeout=seconds, decode=False)
            except ConnectionClosed as error:
                raise Interrupted(f"the connection was closed: {error}") from None
            self._heard_at = time.monotonic()
            try:
                parts = _frame(text)
                meta = _json(parts[0])
            except (msgspec.DecodeError, IndexError, RecursionError):
                log.warning("a message of %d bytes is no message; it is kept", len(text))
                self._take(text)
                continue
            return meta, bytes(parts[1]) if len(parts) > 1 else None

    def _handle(self, meta: dict[str, Any], body: bytes | None) -> None:
        kind = meta.get("type")
        if kind == "ServerNotification" and body is not None:
            try:
                self._take(body)
            except Exception:
                self._missed("a notification could not be written")
                raise
        elif kind == "Error":
            log.warning("RingCentral: %s", redact((body or b"").decode(errors="replace"))[:500])
        # Only now: what is not durable yet must be sent again after a crash.
        self._learn(meta)

    def _learn(self, meta: dict[str, Any], *, anew: bool = False) -> None:
        """Keep the newest token to take up from; each message may bring one."""
        found = meta.get("wsc")
        if not isinstance(found, dict) or not isinstance(found.get("token"), str):
            return
        sequence = found.get("sequence")
        sequence = sequence if isinstance(sequence, int) else self._sequence + 1
        if anew or sequence > self._sequence:
            conceal(found["token"], instead_of=self._wsc)
            self._wsc, self._sequence = found["token"], sequence


def _object(body: bytes | None) -> dict[str, Any]:
    with suppress(msgspec.DecodeError):
        return _json(body or b"{}")
    return {}
