"""Who receives alerts in tests: a real SMTP server and a real HTTP server, on this machine."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOGIN = ("kcc", "s3cret-of-the-mailbox")


@dataclass
class Mailbox:
    """A mail server: its port, the mails that it took, and the recipients that it refuses."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    refuses_subjects_with: str | None = None
    encrypted: list[bool] = field(default_factory=list)
    connections: int = 0

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        if self.refuses_subjects_with is not None and self.refuses_subjects_with in str(message["Subject"]):
            return "554 No, by its content"
        self.mails.append(message)
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]).partition(": ")[2] for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        return [mail.get_content() for mail in self.mails]


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def mail_server(
    starttls: ssl.SSLContext | None = None, has_logins: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[Mailbox]:
    """A mail server; with a certificate it wants STARTTLS or speaks TLS from the start, with logins that of `LOGIN`."""
    box = Mailbox(free_port())

    def authenticator(*words: Any) -> AuthResult:
        given = words[-1]
        assert isinstance(given, LoginPassword)
        is_known = (given.login.decode(), given.password.decode()) == LOGIN
        return AuthResult(success=is_known, handled=False)  # the server answers

    logins = {"authenticator": authenticator, "auth_required": True} if has_logins else {}
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        ready_timeout=60,
        **logins,
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
        controller.loop.close()


@dataclass
class Receiver:
    """An HTTP server: its address, what was posted to it, and with which status it answers."""

    address: str = ""
    status: int = 200
    posted: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    kinds: list[str | None] = field(default_factory=list)


@contextmanager
def http_receiver(certificate: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver of webhooks, under a path that is a secret; with a certificate by HTTPS."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posted.append(json.loads(body))
            receiver.paths.append(self.path)
            receiver.kinds.append(self.headers["Content-Type"])
            self.send_response(receiver.status)
            if receiver.status // 100 == 3:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            server.socket = certificate.wrap_socket(server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        receiver.address = f"{scheme}://127.0.0.1:{server.server_port}/hooks/of-nobody-else"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def certificate(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """A server's certificate by an authority that nobody knows, unless `trusted` says so."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


def trusted(authority: trustme.CA, folder: Path, set_variable: Callable[[str, str], None]) -> None:
    """Make this process trust an authority, as a city does its own."""
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        set_variable(variable, str(file))
