"""What every way of sending shares: how long it waits, and how it says that an alert did not arrive."""

from __future__ import annotations

import ssl

TIMEOUT = 10
"""Seconds that a channel waits for a connection, and again for each answer."""


class NotSent(Exception):
    """An alert did not arrive; the message says why, with neither an address nor a secret in it.

    `may_pass`: it may work in a moment. `reached_some`: it reached others of the channel.
    """

    def __init__(self, why: str, may_pass: bool = False, reached_some: bool = False) -> None:
        self.may_pass = may_pass
        self.reached_some = reached_some
        super().__init__(why)


def no_connection(error: OSError) -> NotSent:
    """Why there is no connection, of an error whose own text may name the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotSent("its certificate can't be verified")
    if isinstance(error, ssl.SSLError):
        return NotSent("it does not speak TLS as declared")
    if isinstance(error, TimeoutError):
        return NotSent(f"no answer within {TIMEOUT} seconds", may_pass=True)
    return NotSent("it can't be reached", may_pass=True)
