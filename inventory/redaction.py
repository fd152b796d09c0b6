"""Keeping secrets out of what people read: log lines, tracebacks, messages of errors."""

from __future__ import annotations

import logging

_HIDDEN = "[secret]"
_secrets: set[str] = set()


def conceal(secret: str, *, instead_of: str | None = None) -> None:
    """From now on `redact` hides *secret*, and no more what it replaces."""
    _secrets.discard(instead_of or "")
    if secret:
        _secrets.add(secret)


def redact(text: str) -> str:
    """*text*, with what is known to be secret left out."""
    # The longest first: one may be a part of another, whose rest would show.
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats a record, its traceback included, and then leaves the secrets out."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
