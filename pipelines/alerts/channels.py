"""Sends alerts by every declared channel, each by itself: one that fails keeps none of the others.

Does not belong here: what the channels say to each other (`mail`, `webhooks`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pipelines.alerts.alert import Alert
from pipelines.alerts.secret import NoSecret
from pipelines.alerts.sending import NotSent
from pipelines.settings import Email, Webhook

TRIES = 2
PAUSE = 1
"""Seconds between two tries."""


@dataclass(frozen=True)
class Sent:
    """What became of alerts on one channel: the keys of those that arrived, and a sentence for each that did not."""

    channel: str
    arrived: set[str] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)


def send(channels: Sequence[Email | Webhook], alerts: Sequence[Alert]) -> list[Sent]:
    """Send alerts by every channel, by all at the same time, for each may have to be waited for."""
    with ThreadPoolExecutor(len(channels)) as threads:
        return list(threads.map(lambda channel: _by(channel, alerts), channels))


def name_of(channel: Email | Webhook) -> str:
    """How a channel is called in a sentence."""
    return f"e-mail by {channel.host}" if isinstance(channel, Email) else f"webhook '{channel.name}'"


def _by(channel: Email | Webhook, alerts: Sequence[Alert]) -> Sent:
    sent = Sent(name_of(channel))
    for alert in alerts:
        try:
            _tried(channel, alert)
            sent.arrived.add(alert.key)
        except (NotSent, NoSecret) as error:
            sent.trouble.append(f"{sent.channel}: {error}")
            if isinstance(error, NoSecret) or error.may_pass:
                break  # nor would the next arrive now; one that is refused for good may be refused for what it says
            if error.reached_some:
                sent.arrived.add(alert.key)
        except Exception as error:  # no alert is worth a night
            sent.trouble.append(f"{sent.channel}: {type(error).__name__}")
    sent.trouble[:] = dict.fromkeys(sent.trouble)
    return sent


def _tried(channel: Email | Webhook, alert: Alert) -> None:
    for another in reversed(range(TRIES)):
        try:
            _send(channel, alert)
            return
        except NotSent as error:
            if not (another and error.may_pass):
                raise
        time.sleep(PAUSE)


def _send(channel: Email | Webhook, alert: Alert) -> None:
    if isinstance(channel, Email):
        from pipelines.alerts.mail import send_mail

        send_mail(channel, alert)
    else:
        from pipelines.alerts.webhooks import send_to_webhook

        send_to_webhook(channel, alert)
