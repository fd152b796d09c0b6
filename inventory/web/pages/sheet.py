"""What a page shows, on the frame that all of them have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from starlette.requests import Request
from starlette.responses import Response

from inventory.web import forms, session, templating
from inventory.web.pages.asked import AFTER, Asked
from inventory.web.pages.said import Said


@dataclass(frozen=True)
class Sheet:
    """A template and what is to be filled in."""

    template: str
    said: Said
    context: dict[str, Any]
    status: int = 200

    def response(self, request: Request, asked: Asked | None = None) -> Response:
        """The page itself; *asked* is null where a form was sent, not a page asked for."""
        here = asked.url(after=asked.text(AFTER)) if asked else request.url.path
        frame = {
            "bare": False,
            "url": asked and asked.url,
            "now": asked and asked.now,
            "after": asked and asked.text(AFTER),
            "bearer": request.state.bearer,
            "path": request.url.path,
            "said": self.said,
            "permalink": urljoin(str(request.base_url), here),
            "code": forms.code(session.cookie_of(request.scope) or ""),
        }
        return templating.page(self.template, frame | self.context, self.status, headers={})
