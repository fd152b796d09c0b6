"""The style sheet and the icon."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inventory.web import templating

_KEPT = {"cache-control": "public, max-age=31536000, immutable"}
_FILES = {
    "/static/style.css": (templating.STYLE, "text/css"),
    "/static/icon.svg": (templating.ICON, "image/svg+xml"),
}
PATHS = tuple(_FILES)


def routes() -> list[Route]:
    """One for each of them; their addresses in pages change with what they hold."""
    return [Route(path, _file) for path in PATHS]


async def _file(request: Request) -> Response:
    body, media_type = _FILES[request.url.path]
    return Response(body, media_type=media_type, headers=_KEPT)
