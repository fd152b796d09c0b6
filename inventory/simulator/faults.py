"""What the simulator does wrong on demand, as the real platform does unasked."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

_SHARE = Field(0.0, ge=0.0, le=1.0)


class Faults(BaseModel):
    """Shares are of deliveries, or of requests; 0 is never, 1 is always."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    drop: float = _SHARE
    """Deliveries that never go out."""
    duplicate: float = _SHARE
    """Deliveries that go out twice."""
    delay: float = _SHARE
    """Deliveries that wait, and so are overtaken by later ones."""
    delay_seconds: float = Field(2.0, ge=0.0)
    """How long they wait at most."""
    corrupt: float = _SHARE
    """Deliveries before which a copy goes out that is cut off in the middle."""
    refuse: float = _SHARE
    """Requests answered 503."""
    throttle: float = _SHARE
    """Requests answered 429 although the budget is not spent."""
    slow: float = _SHARE
    """Requests answered late."""
    slow_seconds: float = Field(1.0, ge=0.0)
    """How late."""
    forget_tokens: float = _SHARE
    """Requests whose access token is taken for expired."""
    partial_lists: bool = False
    """Lists of numbers lack their second half, yet are answered 200."""
    unprivileged: bool = False
    """The user is no administrator: lists are answered 200, without Contact Center numbers."""
