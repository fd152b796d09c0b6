"""
The WebSocket gateway.

Every text frame is a JSON array: what the message is, then, except for heartbeats, its body. A
session outlives its connection by some minutes, and can be taken up again on a new one.
"""

from __future__ import annotations

import json
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from inventory.simulator.platform import Platform
from inventory.simulator.rest.operation import Refusal
from inventory.simulator.rest.subscriptions import filters_of, require_room, shown
from inventory.simulator.subscription import WEBSOCKET_TERM, Subscription

NO_TOKEN = 4400
BUFFER = 100


@dataclass
class _Session:
    """What is kept of a connection after it has gone."""

    socket: WebSocket | None
    subscription: Subscription | None = None
    sequence: int = 0
    token: str = ""
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=BUFFER))


class Gateway:
    """
    The sessions of the account.

    Args:
        platform: Whose.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._sessions: list[_Session] = []
        self.recovers = True
        """Whether a session can be taken up again."""
        self.heartbeats = 0
        self.connections = 0

    def route(self) -> WebSocketRoute:
        """What Starlette wants."""
        return WebSocketRoute("/ws", self._connected)

    async def send(self, subscription: Subscription, payload: bytes) -> None:
        """Send a notification, or keep it for a connection to come."""
        for session in self._sessions:
            if session.subscription is subscription:
                body = json.loads(payload)
                meta = {"type": "ServerNotification", "messageId": body["uuid"], "status": 200}
                await self._say(session, meta, body)

    async def cut(self, code: int = 1001) -> None:
        """End every connection, as the platform does once a day."""
        for session in self._sessions:
            if session.socket is not None:
                socket, session.socket = session.socket, None
                await socket.close(code)

    async def _connected(self, socket: WebSocket) -> None:
        await socket.accept()
        if not self._platform.spend_websocket_token(socket.query_params.get("access_token", "")):
            await socket.close(NO_TOKEN)
            return
        self.connections += 1
        session = await self._welcome(socket)
        try:
            while True:
                await self._hear(session, json.loads(await socket.receive_text()))
        except (WebSocketDisconnect, RuntimeError):
            if session.socket is socket:
                session.socket = None

    async def _welcome(self, socket: WebSocket) -> _Session:
        details: dict[str, Any] = {
            "creationTime": self._platform.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "maxConnectionsPerSession": 50,
            "recoveryBufferSize": BUFFER,
            "recoveryTimeout": 180,
            "idleTimeout": 1800,
            "absoluteTimeout": 86400,
            "maxActiveRequests": 10,
        }
        meta = {"type": "ConnectionDetails", "messageId": str(uuid.uuid4()), "status": 200}
        asked = socket.query_params.get("wsc")
        if asked is None:
            session = _Session(socket)
            self._sessions.append(session)
            await self._say(session, meta, details)
            return session
        found = [s for s in self._sessions if asked.startswith(s.token.partition(".")[0] + ".")]
        if self.recovers and found:
            session = found[0]
            session.socket = socket
            seen = int(asked.partition(".")[2])
            missed = [text for sequence, text in session.sent if sequence > seen]
            await self._say(session, meta, {**details, "recoveryState": "Successful"}, keep=False)
            for text in missed:
                await socket.send_text(text)
            return session
        session = _Session(socket)
        self._sessions.append(session)
        failed = {"recoveryState": "Failed", "recoveryErrorCode": "WSG-101"}
        await self._say(session, meta, details | failed)
        return session

    async def _hear(self, session: _Session, message: list[Any]) -> None:
        meta = message[0]
        if meta["type"] == "Heartbeat":
            self.heartbeats += 1
            if session.socket is not None:
                await session.socket.send_text(json.dumps([meta]))
            return
        if meta["type"] != "ClientRequest" or meta["method"] != "POST":
            return
        answer = {"type": "ClientRequest", "messageId": meta["messageId"], "status": 200}
        try:
            session.subscription = self._subscribe(session, message[1])
        except Refusal as refusal:
            await self._say(session, {**answer, "status": refusal.status}, refusal.body())
        else:
            await self._say(session, answer, shown(self._platform, session.subscription))

    def _subscribe(self, session: _Session, asked: dict[str, Any]) -> Subscription:
        filters = filters_of(asked, WEBSOCKET_TERM)
        if session.subscription is not None:  # a second one takes the place of the first
            self._platform.subscriptions.pop(session.subscription.id, None)
        require_room(self._platform)
        return self._platform.subscribe(
            filters,
            transport="WebSocket",
            address=None,
            verification_token=None,
            expires_in=None,
        )

    async def _say(
        self, session: _Session, meta: dict[str, Any], body: object, *, keep: bool = True
    ) -> None:
        if not session.token:
            session.token = f"{uuid.uuid4().hex}.0"
        session.sequence += 1
        session.token = f"{session.token.partition('.')[0]}.{session.sequence}"
        meta = {
            **meta,
            "headers": {"RCRequestId": str(uuid.uuid4())},
            "wsc": {"token": session.token, "sequence": session.sequence},
        }
        text = json.dumps([meta, body])
        if keep:
            session.sent.append((session.sequence, text))
        if session.socket is not None:
            await session.socket.send_text(text)
