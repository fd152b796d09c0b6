"""
What RingCentral's responses say, whatever they look like.

Nothing in them is believed to be there, and no text of theirs gets into an error unbounded.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from inventory.ringcentral.errors import Denied, NotFound, Refused, RingCentralError, Unavailable

Answer = TypeVar("Answer", bound=BaseModel)


def judged(what: str, response: httpx.Response) -> httpx.Response:
    """
    The response, if it is of a status below 300.

    Raises:
        Unavailable: It may be tried later.
        Denied: It is not allowed.
        NotFound: There is no such thing.
        Refused: It never will be done.
    """
    status = response.status_code
    if status < httpx.codes.MULTIPLE_CHOICES:
        return response
    kind: type[RingCentralError] = Refused
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        kind = Unavailable
    elif status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        kind = Denied
    elif status == httpx.codes.NOT_FOUND:
        kind = NotFound
    raise kind(
        what,
        complaint(response)[0],
        code=code_of(response),
        parameter=_parameter(response),
        request_id=request_id_of(response),
    )


def complaint(response: httpx.Response) -> tuple[str]:
    """What an answer says is wrong: the status, the code, the message."""
    said = _members(response)
    message = said.get("message") or said.get("error_description") or response.reason_phrase
    code = code_of(response)
    return (" ".join(filter(None, [str(response.status_code), code, str(message)[:500]])),)


def code_of(response: httpx.Response) -> str | None:
    """RingCentral's code for what is wrong, which unlike its messages can be relied upon."""
    said = _members(response)
    code = _first_error(said).get("errorCode") or said.get("errorCode")
    return str(code or said["error"]) if code or said.get("error") else None


def oauth_error(response: httpx.Response) -> str | None:
    """RFC 6749's code, which says which of the credentials is wrong."""
    code = _members(response).get("error")
    return code if isinstance(code, str) else code_of(response)


def date_of(response: httpx.Response) -> datetime | None:
    """When the response was made, by the clock of whoever made it; null: it does not say."""
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def _parameter(response: httpx.Response) -> str | None:
    said = _members(response)
    name = _first_error(said).get("parameterName") or said.get("parameterName")
    return None if name is None else str(name)


def _first_error(said: dict[str, Any]) -> dict[str, Any]:
    errors = said.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) else {}


def request_id_of(response: httpx.Response) -> str | None:
    """RCRequestId, which RingCentral's support asks for."""
    found: str | None = response.headers.get("rcrequestid")
    return found


def _members(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def object_of(response: httpx.Response, what: str) -> dict[str, Any]:
    """
    The JSON object that the response is.

    Raises:
        Unavailable: It is none.
    """
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unavailable(
            what, "an answer that is not a JSON object", request_id=request_id_of(response)
        )
    return found


def read(model: type[Answer], response: httpx.Response, what: str) -> Answer:
    """
    The response, as *model* has it.

    Raises:
        Unavailable: It cannot be read so.
    """
    try:
        return model.model_validate(object_of(response, what))
    except ValidationError as error:
        # Their messages would quote what they found, which may be a token.
        places = sorted({".".join(map(str, fault["loc"])) for fault in error.errors()})
        raise Unavailable(
            what, f"an answer with unusable {', '.join(places)}", request_id=request_id_of(response)
        ) from None
