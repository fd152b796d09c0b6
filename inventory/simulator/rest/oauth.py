"""Tokens: for requests, and for opening a WebSocket."""

from __future__ import annotations

import base64
import hmac
import uuid
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inventory.simulator.platform import Platform
from inventory.simulator.rest.operation import Operation

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class OAuth:
    """
    Logging in, by the JWT grant alone.

    Args:
        platform: Whose sessions.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def operations(self) -> list[Operation]:
        """What it offers."""
        return [
            Operation("POST", "/restapi/oauth/token", "auth", self._log_in, needs_token=False),
            Operation("POST", "/restapi/oauth/wstoken", "auth", self._websocket_token),
        ]

    async def _log_in(self, request: Request) -> Response:
        app = self._platform.application
        expected = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
        if not hmac.compare_digest(
            request.headers.get("authorization", "").encode(), f"Basic {expected}".encode()
        ):
            return _refused(401, "invalid_client", "OAU-153", "Invalid client credentials")
        form = parse_qs((await request.body()).decode(errors="replace"))
        if form.get("grant_type") != [JWT_GRANT]:
            return _refused(400, "unsupported_grant_type", "OAU-250", "Grant type is not supported")
        if form.get("assertion") != [app.jwt]:
            return _refused(400, "invalid_grant", "OAU-251", "Invalid assertion")
        return JSONResponse(
            {
                "access_token": self._platform.log_in(),
                "token_type": "bearer",
                "expires_in": int(self._platform.token_life),
                "scope": self._platform.scope,
                "owner_id": app.extension_id,
                "endpoint_id": "simulated",
                "session_id": uuid.uuid4().hex,
            }
        )

    async def _websocket_token(self, request: Request) -> Response:
        address = request.url.replace(
            scheme="wss" if request.url.scheme == "https" else "ws", path="/ws", query=""
        )
        token = self._platform.open_websocket()
        return JSONResponse({"uri": str(address), "ws_access_token": token, "expires_in": 30})


def _refused(status: int, error: str, code: str, message: str) -> Response:
    """In both forms at once: RFC 6749's, and the platform's own."""
    return JSONResponse(
        {
            "error": error,
            "error_description": message,
            "errors": [{"errorCode": code, "message": message}],
        },
        status,
    )
