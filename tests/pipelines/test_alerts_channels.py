"""How alerts are sent: against a real mail server and a real receiver of webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme

from pipelines.alerts import channels
from pipelines.alerts.alert import Alert
from pipelines.alerts.channels import Sent, send
from pipelines.settings import Email, Webhook
from tests.receivers import LOGIN, certificate, free_port, http_receiver, mail_server, trusted

ALERT = Alert(
    event="norm_newly_missed",
    key="norm_newly_missed:1",
    subject="Stad Köln & <Ekeren>: norm newly missed",
    sentence="Complete figures that miss their norm since this publication: 1.",
    facts=[("version", "kcc_1"), ("telephone_wait 2025-12", "46.10 seconds, norm <= 45")],
    next_step="look at marts.indicators.",
)
TEXT = (
    "Complete figures that miss their norm since this publication: 1.\n\n"
    "version: kcc_1\ntelephone_wait 2025-12: 46.10 seconds, norm <= 45\n\n"
    "Next: look at marts.indicators."
)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "PAUSE", 0)


def by_mail(port: int, **more: Any) -> Email:
    people = {"sender": "kcc@stad.example", "recipients": ["wacht@stad.example", "data@stad.example"]}
    return Email.model_validate({"host": "127.0.0.1", "port": port, "security": "none", **people, **more})


def webhook(shape: str, name: str = "ops") -> Webhook:
    return Webhook.model_validate({"name": name, "shape": shape, "address_in": "KCC_HOOK"})


def trouble(sent: list[Sent]) -> list[str]:
    return [sentence for one in sent for sentence in one.trouble]


# ── E-mail ────────────────────────────────────────────────────────────────────────────────────────


def test_a_mail_is_plain_text_to_all_recipients_and_asks_for_no_automatic_answer() -> None:
    with mail_server() as box:
        assert send([by_mail(box.port)], [ALERT]) == [Sent("e-mail by 127.0.0.1", {ALERT.key}, [])]
    (mail,) = box.mails
    assert mail["Subject"] == ALERT.subject
    assert (mail["From"], mail["To"]) == ("kcc@stad.example", "wacht@stad.example, data@stad.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@stad.example>")  # not the name of this machine
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == TEXT + "\n"
    assert box.envelopes[0].rcpt_tos == ["wacht@stad.example", "data@stad.example"]


def test_starttls_with_a_certificate_of_nobody_is_refused_and_nothing_is_sent() -> None:
    with mail_server(certificate(trustme.CA())) as box:
        sent = send([by_mail(box.port, security="starttls")], [ALERT])
    assert trouble(sent) == ["e-mail by 127.0.0.1: its certificate can't be verified"]
    assert box.mails == []


def test_a_certificate_of_another_server_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    trusted(authority, tmp_path, monkeypatch.setenv)
    with mail_server(certificate(authority, "mail.elsewhere.example")) as box:
        sent = send([by_mail(box.port, security="starttls")], [ALERT])
    assert trouble(sent) == ["e-mail by 127.0.0.1: its certificate can't be verified"]


def test_starttls_and_a_login_with_the_password_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    trusted(authority, tmp_path, monkeypatch.setenv)
    monkeypatch.setenv("KCC_SMTP_PASSWORD", LOGIN[1])
    with mail_server(certificate(authority), has_logins=True) as box:
        assert trouble(send([by_mail(box.port, security="starttls", user=LOGIN[0])], [ALERT])) == []
        assert box.encrypted == [True]
        monkeypatch.setenv("KCC_SMTP_PASSWORD", "another")
        refused = trouble(send([by_mail(box.port, security="starttls", user=LOGIN[0])], [ALERT]))
        assert refused == ["e-mail by 127.0.0.1: it refuses the login (535)"]
        monkeypatch.delenv("KCC_SMTP_PASSWORD")
        missing = trouble(send([by_mail(box.port, security="starttls", user=LOGIN[0])], [ALERT]))
        assert missing == ["e-mail by 127.0.0.1: KCC_SMTP_PASSWORD is not set, nor is KCC_SMTP_PASSWORD_FILE"]
    assert len(box.mails) == 1


def test_tls_from_the_first_byte_with_a_certificate_that_is_trusted_and_none_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    with mail_server(tls=certificate(authority)) as box:
        sent = send([by_mail(box.port, security="tls")], [ALERT])
        assert trouble(sent) == ["e-mail by 127.0.0.1: its certificate can't be verified"]
        trusted(authority, tmp_path, monkeypatch.setenv)
        assert trouble(send([by_mail(box.port, security="tls")], [ALERT])) == []
    assert len(box.mails) == 1


def test_a_server_without_starttls_gets_no_mail_in_the_clear() -> None:
    with mail_server() as box:
        sent = send([by_mail(box.port, security="starttls")], [ALERT])
    assert trouble(sent) == ["e-mail by 127.0.0.1: it offers no STARTTLS or no login, as declared"]
    assert box.mails == []


def test_one_recipient_that_is_refused_is_told_and_the_others_have_their_mail() -> None:
    with mail_server() as box:
        box.refuses = {"data@stad.example"}
        (sent,) = send([by_mail(box.port)], [ALERT])
        assert sent.trouble == ["e-mail by 127.0.0.1: it refuses 1 of 2 recipients"]
        assert sent.arrived == {ALERT.key}
        box.refuses |= {"wacht@stad.example"}
        (sent,) = send([by_mail(box.port)], [ALERT])
    assert sent == Sent("e-mail by 127.0.0.1", set(), ["e-mail by 127.0.0.1: it refuses every recipient"])


def test_a_mail_that_is_refused_for_what_it_says_holds_up_none_of_the_others() -> None:
    other = ALERT.model_copy(update={"key": "run_failed:2", "subject": "Testdorp: run failed"})
    with mail_server() as box:
        box.refuses_subjects_with = "norm"
        (sent,) = send([by_mail(box.port)], [ALERT, ALERT, other])
    assert (sent.arrived, sent.trouble) == ({other.key}, ["e-mail by 127.0.0.1: it answers 554"])
    assert box.subjects == ["run failed"]


def test_no_mail_server_is_one_sentence() -> None:
    assert trouble(send([by_mail(free_port())], [ALERT])) == ["e-mail by 127.0.0.1: it can't be reached"]


# ── Webhooks ──────────────────────────────────────────────────────────────────────────────────────

SHAPES: dict[str, Any] = {
    "teams": {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.2",
                    "body": [
                        {
                            "type": "TextBlock",
                            "text": "Stad Köln & <Ekeren>: norm newly missed",
                            "weight": "Bolder",
                            "size": "Medium",
                            "wrap": True,
                        },
                        {"type": "TextBlock", "text": ALERT.sentence, "wrap": True},
                        {
                            "type": "FactSet",
                            "facts": [
                                {"title": "version", "value": "kcc_1"},
                                {"title": "telephone_wait 2025-12", "value": "46.10 seconds, norm <= 45"},
                            ],
                        },
                        {"type": "TextBlock", "text": "Next: look at marts.indicators.", "wrap": True},
                    ],
                },
            }
        ],
    },
    "slack": {
        "text": f"*Stad Köln &amp; &lt;Ekeren&gt;: norm newly missed*\n{TEXT}".replace("<=", "&lt;="),
    },
    "zulip": {"text": f"*Stad Köln & <Ekeren>: norm newly missed*\n{TEXT}", "channel": "kcc-marts"},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_webhook_gets_json_in_the_shape_of_its_product(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_receiver() as receiver:
        monkeypatch.setenv("KCC_HOOK", receiver.address)
        assert send([webhook(shape)], [ALERT]) == [Sent("webhook 'ops'", {ALERT.key}, [])]
    assert receiver.posted == [SHAPES[shape]]
    assert receiver.paths == ["/hooks/of-nobody-else"]
    assert receiver.kinds == ["application/json"]


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (404, 1), (302, 1), (429, 2), (500, 2), (503, 2)])
def test_what_may_pass_is_tried_once_more_and_a_redirect_is_not_followed(
    status: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_receiver() as receiver:
        receiver.status = status
        monkeypatch.setenv("KCC_HOOK", receiver.address)
        sent = send([webhook("slack")], [ALERT])
    assert trouble(sent) == [f"webhook 'ops': it answers HTTP {status}"]
    assert receiver.paths == ["/hooks/of-nobody-else"] * tries


def test_a_webhook_with_a_certificate_of_nobody_gets_nothing_and_a_trusted_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    with http_receiver(certificate(authority)) as receiver:
        monkeypatch.setenv("KCC_HOOK", receiver.address)
        sent = send([webhook("slack")], [ALERT])
        assert trouble(sent) == ["webhook 'ops': its certificate can't be verified, or it does not speak TLS"]
        assert receiver.posted == []
        trusted(authority, tmp_path, monkeypatch.setenv)
        assert trouble(send([webhook("slack")], [ALERT])) == []
    assert len(receiver.posted) == 1


def test_a_channel_that_fails_keeps_none_of_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = f"http://127.0.0.1:{free_port()}/hooks/of-nobody-else"
    monkeypatch.setenv("KCC_HOOK", secret)
    with mail_server() as box:
        sent = send([webhook("teams"), by_mail(box.port), webhook("zulip", "others")], [ALERT])
    assert [one.arrived for one in sent] == [set(), {ALERT.key}, set()]
    assert trouble(sent) == ["webhook 'ops': it can't be reached", "webhook 'others': it can't be reached"]
    assert len(box.mails) == 1
    assert "of-nobody-else" not in caplog.text + "".join(capfd.readouterr())


def test_no_proxy_reads_what_goes_to_a_relay_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_receiver() as proxy, http_receiver() as relay:
        monkeypatch.setenv("KCC_HOOK", relay.address)
        for variable in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(variable, proxy.address)
        for variable in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(variable, raising=False)
        assert trouble(send([webhook("slack")], [ALERT])) == []
    assert (len(proxy.posted), len(relay.posted)) == (0, 1)


@pytest.mark.parametrize(
    "address", ["http://hooks.example/secret", "hooks.example/secret", "https://", "file:///etc/passwd", "https://[/x"]
)
def test_an_address_that_is_none_or_is_not_encrypted_is_refused_without_being_told(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KCC_HOOK", address)
    (sentence,) = trouble(send([webhook("slack")], [ALERT]))
    assert sentence in (
        "webhook 'ops': KCC_HOOK holds no address that begins with https://",
        "webhook 'ops': its address or its answer can't be understood (InvalidURL)",
    )


# ── Secrets ───────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_may_lie_in_a_file_that_only_its_owner_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "hook"
    monkeypatch.setenv("KCC_HOOK_FILE", str(file))
    with http_receiver() as receiver:
        file.write_text(receiver.address + "\n")
        for mode in (0o644, 0o640, 0o604):
            file.chmod(mode)
            assert trouble(send([webhook("slack")], [ALERT])) == [
                "webhook 'ops': the file that KCC_HOOK_FILE names may be read by others than its owner: chmod 600"
            ]
        assert receiver.posted == []
        for mode in (0o600, 0o400):
            file.chmod(mode)
            assert trouble(send([webhook("slack")], [ALERT])) == []
    assert len(receiver.posted) == 2


def test_a_secret_that_is_missing_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trouble(send([webhook("slack")], [ALERT])) == ["webhook 'ops': KCC_HOOK is not set, nor is KCC_HOOK_FILE"]
    empty = tmp_path / "empty"
    empty.touch(0o600)
    for file, why in {
        empty: "is empty",
        tmp_path / "none": "can't be read (FileNotFoundError)",
        tmp_path: "can't be read (IsADirectoryError)",
    }.items():
        monkeypatch.setenv("KCC_HOOK_FILE", str(file))
        assert trouble(send([webhook("slack")], [ALERT])) == [f"webhook 'ops': the file that KCC_HOOK_FILE names {why}"]
