"""
What the API is, for programs, and for people to try: `/openapi.json` and Swagger UI at `/docs`.

Every file comes from this server, and the page may run nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from swagger_ui_bundle import swagger_ui_path  # type: ignore[import-untyped]

from inventory.web.api import READS
from inventory.web.api.description import REFUSALS, description, refused

PATHS = (
    "/openapi.json",
    "/docs",
    "/docs/start.js",
    "/docs/swagger-ui-bundle.js",
    "/docs/swagger-ui.css",
)

# Swagger UI has its images in itself.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>inventory: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
})
"""

_PLAIN = {"content": {"application/json": {"schema": {"type": "object"}}}}
OTHERS: dict[str, Any] = {
    "/healthz": {
        "get": {
            "operationId": "healthz",
            "summary": "Whether the process can answer",
            "security": [],
            "responses": {"200": {"description": "It can.", **_PLAIN}},
        }
    },
    "/readyz": {
        "get": {
            "operationId": "readyz",
            "summary": "Whether the database is there, its schema ours, and the projector folds",
            "security": [],
            "responses": {
                "200": {"description": "They are.", **_PLAIN},
                "503": {"description": "One is not, and says `failing`.", **_PLAIN},
            },
        }
    },
    "/metrics": {
        "get": {
            "operationId": "metrics",
            "summary": "How it goes, for Prometheus",
            "responses": {
                "200": {
                    "description": "In the text format, version 0.0.4, or as OpenMetrics.",
                    "content": {
                        "text/plain": {"schema": {"type": "string"}},
                        "application/openmetrics-text": {"schema": {"type": "string"}},
                    },
                },
                **{
                    str(status): refused(status, REFUSALS[status])
                    for status in (401, 403, 421, 503)
                },
            },
        }
    },
    "/openapi.json": {
        "get": {
            "operationId": "openapi",
            "summary": "This description",
            "security": [],
            "responses": {
                "200": {"description": "In OpenAPI 3.1.", **_PLAIN},
                "403": refused(403, "A page of another origin."),
                "421": refused(421, "A `Host` that is not ours."),
            },
        }
    },
    "/webhooks/ringcentral": {
        "post": {
            "operationId": "receive",
            "summary": "Where RingCentral delivers",
            "description": "Durable before it is acknowledged; what cannot be an event is "
            "acknowledged too, and in quarantine. A `Validation-Token` is echoed.",
            "security": [{"verification": []}, {}],
            "requestBody": {"content": {"application/json": {}}},
            "responses": {
                "200": {"description": "It is durable.", **_PLAIN},
                "401": {"description": "Without a valid verification token.", **_PLAIN},
                "403": {"description": "From a page, or by a name not ours.", **_PLAIN},
                "413": {"description": "Longer than 1 MiB.", **_PLAIN},
                "503": {"description": "Nothing is promised: send it again.", **_PLAIN},
            },
        }
    },
}
"""What there is besides the reads."""


def routes() -> list[Route]:
    """The description, and the page that shows it."""
    described = description(READS, OTHERS)

    async def openapi(_: Request) -> JSONResponse:
        """The API, in OpenAPI 3.1."""
        return JSONResponse(described, headers=_KEPT)

    async def page(_: Request) -> Response:
        """The API, for people to try."""
        return _allowed(Response(PAGE, media_type="text/html"))

    async def start(_: Request) -> Response:
        """What the page runs."""
        return Response(START, media_type="text/javascript", headers=_KEPT)

    return [
        Route("/openapi.json", openapi),
        Route("/docs", page),
        Route("/docs/start.js", start),
        Route("/docs/swagger-ui-bundle.js", _file("swagger-ui-bundle.js")),
        Route("/docs/swagger-ui.css", _file("swagger-ui.css")),
    ]


_KEPT = {"cache-control": "no-cache"}


def _allowed(response: Response) -> Response:
    response.headers.update({"content-security-policy": POLICY, **_KEPT})
    return response


def _file(name: str) -> Any:
    """An endpoint that serves a file of Swagger UI's."""

    async def file(_: Request) -> FileResponse:
        return FileResponse(Path(str(swagger_ui_path)) / name, headers=_KEPT)

    return file
