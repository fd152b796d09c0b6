"""What RingCentral answers when it does not do what it was asked for."""

from __future__ import annotations

from inventory.errors import InventoryError
from inventory.redaction import redact


class RingCentralError(InventoryError):
    """
    A request failed. No secret is in its text.

    Args:
        what: What was asked for, in words.
        found: What came instead.
        code: RingCentral's `errorCode`, which unlike its messages can be relied upon.
        parameter: The parameter of the request that it complains of.
        request_id: RCRequestId, which RingCentral's support asks for.
    """

    def __init__(
        self,
        what: str,
        found: str,
        *,
        code: str | None = None,
        parameter: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.code = code
        self.parameter = parameter
        self.request_id = request_id
        named = f" (RCRequestId {request_id})" if request_id else ""
        super().__init__(redact(f"expected {what} from RingCentral, got {found}{named}"))


class Unavailable(RingCentralError):
    """It could not be reached, or could not do it now; later it may."""

    retry_after: float | None = None
    """Seconds until it may be asked again; null: it did not say."""


class Denied(RingCentralError):
    """The credentials are wrong, or do not allow this."""


class Refused(RingCentralError):
    """It will never do what was asked."""


class NotFound(Refused):
    """There is no such thing, or none that we may see."""


class OnlyReading(RingCentralError):
    """A client that only reads was to write; nothing was sent."""

    def __init__(self, what: str) -> None:
        super().__init__("nothing but GET", f"{what}, by a client that only reads")
