"""HTTP as it is received: whoever is too slow to say what they want is not waited for."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_WITHIN = 10.0
"""Seconds that a client may take to send a request's head."""
LONGEST_HEAD = 64 << 10
"""Bytes that a head may have."""
REST_WITHIN = 20.0
"""Seconds for the rest, read or not; longer than a receiver waits that can say so."""


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn's, which would wait for a request for ever, and take a head of any length."""

    _head_due: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _rest_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._have_head()
        self._have_rest()
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

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, but none behind the body: a proxy may have looked at the head alone."""
        if self._head_due is not None:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Have the head, and wait for the rest."""
        self._have_head()
        self._await_rest()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Have it all."""
        self._have_rest()
        super().on_message_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_due = self.loop.call_later(HEAD_WITHIN, self._hang_up)

    def _have_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _await_rest(self) -> None:
        self._rest_due = self.loop.call_later(REST_WITHIN, self._rest_is_late)

    def _have_rest(self) -> None:
        if self._rest_due is not None:
            self._rest_due.cancel()
            self._rest_due = None

    def _rest_is_late(self) -> None:
        if self.flow.read_paused:  # it is we who do not read on
            self._await_rest()
        else:
            self._hang_up()

    def _hang_up(self) -> None:
        self._have_head()
        self._have_rest()
        self.transport.close()
