"""
The handshake, made by ourselves: what RingCentral would meet at the receiver's address.

Source: developer guide, *Creating Webhooks*: TLS with a certificate that holds, an answer within 3
seconds, exactly 200, the `Validation-Token` echoed, `Content-Type: application/json`, and no more
than 1,024 bytes, headers included. It is met from here, without a proxy; RingCentral comes from the
public Internet.
"""

from __future__ import annotations

import asyncio
import ssl
import uuid
from collections.abc import Iterator
from typing import Literal, NamedTuple

import httpx

from inventory.doctor.judgement import Judgement, failed, together
from inventory.subscription import shown_address

ANSWER_WITHIN = 3.0
LONGEST_RESPONSE = 1024
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "UTF-8",
    "content-type": "application/json; charset=UTF-8",
    "user-agent": "RingCentral-Webhook/8.3",
}
"""As RingCentral's deliveries have been recorded: a firewall may go by them."""


class Answer(NamedTuple):
    """How the address answered."""

    status: int
    echoed: bool
    content_type: str
    size: int
    """Bytes of status line, headers and body; reading ends once they are too many."""
    location: str | None = None
    """Where it sends us, as it may be shown."""


class NoAnswer(NamedTuple):
    """Why there was none."""

    why: Literal["late", "certificate", "unreachable"]
    detail: str = ""


def shake_hands(address: str) -> Answer | NoAnswer:
    """What becomes of a handshake with *address*."""
    return asyncio.run(_shake_hands(address))


async def _shake_hands(address: str) -> Answer | NoAnswer:
    challenge = str(uuid.uuid4())
    headers = {**HEADERS, "validation-token": challenge}
    try:
        # The limit is on all of it: a timeout of httpx's begins anew with every byte.
        async with (
            asyncio.timeout(ANSWER_WITHIN),
            httpx.AsyncClient(timeout=None, trust_env=False) as client,  # noqa: S113 - see above
            client.stream("POST", address, headers=headers, content=b"") as response,
        ):
            return await _answer(response, challenge)
    except TimeoutError:
        return NoAnswer("late")
    except httpx.HTTPError as error:
        refused = _certificate_error(error)
        if refused is not None:
            return NoAnswer("certificate", refused.verify_message)
        return NoAnswer("unreachable", str(error) or type(error).__name__)


async def _answer(response: httpx.Response, challenge: str) -> Answer:
    size = len(f"{response.http_version} {response.status_code} {response.reason_phrase}\r\n\r\n")
    size += sum(len(name) + len(value) + len(": \r\n") for name, value in response.headers.raw)
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > LONGEST_RESPONSE:
            break
    return Answer(
        response.status_code,
        response.headers.get("validation-token") == challenge,
        response.headers.get("content-type", ""),
        size,
        shown_address(response.headers.get("location")),
    )


def judge_handshake(answer: Answer | NoAnswer, address: str) -> Judgement:
    """
    Whether RingCentral would subscribe that address; else with the error it would answer.

    Args:
        answer: What became of the handshake.
        address: The address, as it may be shown.
    """
    if isinstance(answer, NoAnswer):
        return _unanswered(answer, address)
    return together(_flaws(answer), f"{address} answers as RingCentral wants it")


def _unanswered(answer: NoAnswer, address: str) -> Judgement:
    if answer.why == "late":
        return failed(
            f"{address} did not answer within {ANSWER_WITHIN:g} s (CMN-101)",
            "see what is slow between the address and `inventory serve`",
        )
    if answer.why == "certificate":
        return failed(
            f"the certificate of {address} does not hold: {answer.detail} (SUB-524)",
            "let the server send its own certificate and every intermediate one, for that name",
        )
    return failed(
        f"{address} cannot be reached: {answer.detail} (CMN-101)",
        "see that `inventory serve` is up, that a proxy in front of it takes that address, and "
        "that no firewall is between; from here it is another way than from RingCentral",
    )


def _flaws(answer: Answer) -> Iterator[Judgement]:
    if answer.location is not None and 300 <= answer.status < 400:
        yield failed(
            f"it redirects to {answer.location}, where RingCentral does not follow (CMN-101)",
            "set INVENTORY_WEBHOOK_URL to the address that answers, or let the proxy pass it on",
        )
        return
    if answer.status != httpx.codes.OK:
        yield failed(f"it answers {answer.status}, not 200 (CMN-101)", _mend_of(answer.status))
        return
    if answer.size > LONGEST_RESPONSE:
        yield failed(
            f"its answer has more than {LONGEST_RESPONSE} bytes (SUB-525)",
            "let the proxy add no headers and no pages of its own to this address",
        )
    if not answer.echoed:
        yield failed(
            "it does not return the Validation-Token (SUB-520)",
            "let the proxy pass on the header Validation-Token, both ways",
        )
    if not answer.content_type.startswith("application/json"):
        yield failed(
            f"its Content-Type is {answer.content_type or 'missing'}, not application/json "
            "(SUB-525)",
            "see that `inventory serve` is what answers there, and that the proxy leaves "
            "Content-Type alone",
        )


def _mend_of(status: int) -> str:
    if status in (401, 403):
        return "let the proxy ask for no credentials there: the verification token is asked for"
    if status in (404, 405):
        return "let the address lead to /webhooks/ringcentral of `inventory serve`"
    return "see what `inventory serve`, and the proxy in front of it, say in their logs"


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The refused certificate among the causes of *error*, if there is one."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause
