"""Sends an alert by e-mail: plain text, by SMTP. Does not belong here: which alerts, and how often it is tried."""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from pipelines.alerts.alert import Alert
from pipelines.alerts.secret import secret
from pipelines.alerts.sending import TIMEOUT, NotSent, no_connection
from pipelines.settings import Email

PASSWORD = "KCC_SMTP_PASSWORD"  # noqa: S105 - where it is, not what it is


def send_mail(email: Email, alert: Alert) -> None:
    """Send it to all recipients at once. Raises NotSent, NoSecret."""
    password = secret(PASSWORD) if email.user is not None else ""
    try:
        with _connected(email) as server:
            if email.user is not None:
                server.login(email.user, password)
            refused = server.send_message(_message(email, alert))
    except smtplib.SMTPNotSupportedError:
        raise NotSent("it offers no STARTTLS or no login, as declared") from None
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent(f"it refuses the login ({error.smtp_code})", may_pass=error.smtp_code < 500) from None
    except smtplib.SMTPRecipientsRefused:
        raise NotSent("it refuses every recipient") from None
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"it answers {error.smtp_code}", may_pass=error.smtp_code < 500) from None
    except smtplib.SMTPException:
        raise NotSent("it gives no answer, or breaks the connection off", may_pass=True) from None
    except OSError as error:
        raise no_connection(error) from None
    if refused:
        raise NotSent(f"it refuses {len(refused)} of {len(email.recipients)} recipients", reached_some=True)


def _connected(email: Email) -> smtplib.SMTP:
    """A connection, encrypted as declared; the certificate is verified."""
    trusted = ssl.create_default_context()
    if email.security == "tls":
        return smtplib.SMTP_SSL(email.host, email.port, timeout=TIMEOUT, context=trusted)
    server = smtplib.SMTP(email.host, email.port, timeout=TIMEOUT)
    if email.security == "starttls":
        try:
            server.starttls(context=trusted)
        except BaseException:
            server.close()
            raise
    return server


def _message(email: Email, alert: Alert) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = alert.subject
    message["From"] = email.sender
    message["To"] = ", ".join(email.recipients)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=email.sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # no "out of office" comes back
    message.set_content(alert.text + "\n")
    return message
