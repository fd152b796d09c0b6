"""HTTP as it is received: whoever is too slow to say what they want is not waited for."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_WITHIN = 10.0
"""Seconds that a client may take to send a request's head."""
LONGEST_HEAD = 64 << 10
"""Bytes that a head may have."""


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn's, which would wait for a head for ever, and take one of any length."""

    _head_due: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._have_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take *data*; hang up if it leaves a head unfinished that is too long already."""
        super().data_received(data)
        if self._head_due is not None:
            self._head_bytes += len(data)
            if self._head_bytes > LONGEST_HEAD:
                self._hang_up()

    def on_message_begin(self) -> None:
        """Wait for the rest of another head, on a connection that was kept."""
        super().on_message_begin()
        if self._head_due is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Have the head; from here on the application watches."""
        self._have_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_due = self.loop.call_later(HEAD_WITHIN, self._hang_up)

    def _have_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _hang_up(self) -> None:
        self._have_head()
        self.transport.close()
