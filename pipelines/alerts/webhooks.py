"""Sends an alert to an incoming webhook, in the shape that its product takes.

Teams takes an Adaptive Card in a message (what the template "Send webhook alerts to a channel" of its Workflows
expects), Slack a text in its markup, Zulip the same from what it calls Slack-compatible, without its escapes.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import requests

from pipelines.alerts.alert import Alert
from pipelines.alerts.secret import NoSecret, secret
from pipelines.alerts.sending import TIMEOUT, NotSent, no_connection
from pipelines.settings import Webhook

ADDRESS = re.compile(r"https://[^/\s]+/\S*|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/\S*")
"""Encrypted, for the address is a secret; or a relay on this machine."""
TOPIC = "kcc-marts"

logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its warnings tell addresses


def send_to_webhook(webhook: Webhook, alert: Alert) -> None:
    """Post it. Raises NotSent, NoSecret."""
    address = secret(webhook.address_in)
    if not ADDRESS.fullmatch(address):
        raise NoSecret(f"{webhook.address_in} holds no address that begins with https://")
    try:
        with requests.Session() as session:
            session.trust_env = address.startswith("https://")  # a proxy would read what is not encrypted
            body = SHAPES[webhook.shape](alert)
            answer = session.post(address, json=body, timeout=TIMEOUT, allow_redirects=False, stream=True)
            status = answer.status_code
    except requests.exceptions.SSLError:
        raise NotSent("its certificate can't be verified, or it does not speak TLS") from None
    except requests.exceptions.Timeout:
        raise no_connection(TimeoutError()) from None
    except requests.exceptions.ConnectionError:
        raise no_connection(ConnectionError()) from None
    except (requests.exceptions.RequestException, ValueError) as error:
        raise NotSent(f"its address or its answer can't be understood ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise NotSent(f"it answers HTTP {status}", may_pass=status == 429 or status >= 500)


def teams(alert: Alert) -> dict[str, Any]:
    """A message with one Adaptive Card."""
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [
            {"type": "TextBlock", "text": alert.subject, "weight": "Bolder", "size": "Medium", "wrap": True},
            {"type": "TextBlock", "text": alert.sentence, "wrap": True},
            {"type": "FactSet", "facts": [{"title": name, "value": value} for name, value in alert.facts]},
            *({"type": "TextBlock", "text": said, "wrap": True} for said in alert.what_now),
        ],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def slack(alert: Alert) -> dict[str, Any]:
    """A text in Slack's markup, whose three characters of control are escaped."""
    text = f"*{alert.subject}*\n{alert.text}"
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def zulip(alert: Alert) -> dict[str, Any]:
    """The same for Zulip, which shows escapes as they are; the topic, where the address names none."""
    return {"text": f"*{alert.subject}*\n{alert.text}", "channel": TOPIC}


SHAPES = {"teams": teams, "slack": slack, "zulip": zulip}
