"""Messages sent to servers on this machine: a webhook and a mail server."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import pytest

from segmentation_assets.config.notifications import NotificationSettings
from segmentation_assets.monitoring.failure_report import FailureReport, message_text
from segmentation_assets.monitoring.notifications import Delivery, deliver
from segmentation_assets_tests.assets.local_servers import HOST, MailServer, WebServer, mail_server, web_server

REPORT = FailureReport(
    job="monthly_snapshot_job",
    run_id="4f1c",
    assets=("gold/rfm_segments",),
    month="2025-08",
    error="gold/rfm_segments breaks its contract: recency_score <= 5: 1 row.",
    hint="the previous result was left as it is.",
    data_folder="demo",
    run_url="http://ui:3000/runs/4f1c",
)
PASSWORD = "hunter2-hunter2"

pytestmark = pytest.mark.usefixtures("no_proxy")


def to_web(server: WebServer, **more: object) -> NotificationSettings:
    return NotificationSettings.model_validate({"webhook": {"url": server.url, **more}})


def to_mail(server: MailServer, **more: object) -> NotificationSettings:
    plain = {"host": HOST, "port": server.port, "security": "none", "sender": "shop@example.org"}
    return NotificationSettings.model_validate({"email": {**plain, "recipients": ["a@example.org"], **more}})


def closed_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return free.getsockname()[1]


def test_webhook_gets_one_post_with_text_and_facts(web: WebServer) -> None:
    assert deliver(REPORT, to_web(web)) == Delivery(("webhook",), ())
    assert web.paths == ["/services/t0p-s3cret"]
    assert web.content_types == ["application/json; charset=utf-8"]
    (post,) = web.posts
    assert post.pop("text") == message_text(REPORT)
    assert post.pop("advice").startswith("Nothing of what failed was stored")
    assert post == {
        "event": "run_failed",
        "headline": "gold/rfm_segments failed for 2025-08",
        "job": "monthly_snapshot_job",
        "run_id": "4f1c",
        "assets": ["gold/rfm_segments"],
        "month": "2025-08",
        "error": "gold/rfm_segments breaks its contract: recency_score <= 5: 1 row.",
        "hint": "the previous result was left as it is.",
        "data_folder": "demo",
        "run_url": "http://ui:3000/runs/4f1c",
    }


def test_slack_gets_a_text_and_nothing_else(web: WebServer) -> None:
    deliver(replace(REPORT, error="<!channel> & all"), to_web(web, format="slack"))
    (post,) = web.posts
    assert list(post) == ["text"]
    assert "&lt;!channel&gt; &amp; all" in post["text"]


def test_mail_arrives_once_at_every_recipient(mail: MailServer) -> None:
    settings = to_mail(mail, recipients=["a@example.org", "b@example.org"])
    assert deliver(REPORT, settings) == Delivery(("email",), ())
    (received,) = mail.mails
    assert mail.recipients == ["a@example.org", "b@example.org"]
    assert received["Subject"] == "[segmentation] gold/rfm_segments failed for 2025-08 (demo)"
    assert (received["From"], received["To"]) == ("shop@example.org", "a@example.org, b@example.org")
    assert received["Message-ID"] == "<4f1c.segmentation@example.org>"
    assert received["Date"]
    assert received.get_content().replace("\r\n", "\n") == message_text(REPORT)


def test_text_beyond_ascii_and_a_line_break_in_a_name_arrive_whole(mail: MailServer) -> None:
    report = replace(REPORT, assets=("gold/x\r\nBcc: all@example.org",), error="Größe 5 € – nicht erlaubt")
    deliver(report, to_mail(mail))
    (received,) = mail.mails
    assert received["Bcc"] is None
    assert received["Subject"].startswith("[segmentation] gold/x Bcc: all@example.org failed")
    assert "Größe 5 € – nicht erlaubt" in received.get_content()
    assert mail.recipients == ["a@example.org"]


def test_channel_that_had_the_message_is_left_out(web: WebServer, mail: MailServer) -> None:
    both = NotificationSettings(webhook=to_web(web).webhook, email=to_mail(mail).email)
    assert deliver(REPORT, both, already={"webhook"}) == Delivery(("email",), ())
    assert (web.posts, len(mail.mails)) == ([], 1)


def test_nothing_configured_sends_nothing() -> None:
    assert deliver(REPORT, NotificationSettings()) == Delivery((), ())


def test_login_sends_user_and_password() -> None:
    with mail_server(extensions=("AUTH PLAIN",)) as server:
        settings = to_mail(server, username="robot", password=PASSWORD)
        assert deliver(REPORT, settings) == Delivery(("email",), ())
    assert server.logins == [f"robot\0{PASSWORD}"]


def test_one_channel_that_fails_does_not_stop_the_other(mail: MailServer) -> None:
    with web_server(status=404) as web:
        both = NotificationSettings(webhook=to_web(web).webhook, email=to_mail(mail).email)
        delivery = deliver(REPORT, both)
    assert delivery == Delivery(("email",), ("webhook through 127.0.0.1: the server answered 404",))


def test_webhook_is_not_redirected_elsewhere(web: WebServer) -> None:
    with web_server(status=302, headers={"Location": web.url}) as first:
        delivery = deliver(REPORT, to_web(first))
    assert delivery == Delivery((), ("webhook through 127.0.0.1: the server answered 302",))
    assert (len(first.posts), web.paths) == (1, [])


def test_server_that_is_not_there_is_named_and_the_secret_is_not() -> None:
    port = closed_port()
    settings = NotificationSettings.model_validate(
        {
            "webhook": {"url": f"http://{HOST}:{port}/t0p-s3cret"},
            "email": to_mail(MailServer(port=port)).email.model_dump(),
        }
    )
    assert deliver(REPORT, settings).problems == (
        "webhook through 127.0.0.1: Connection refused",
        "email through 127.0.0.1: Connection refused",
    )


def test_server_that_never_answers_costs_no_more_than_the_limit() -> None:
    with web_server(release=threading.Event()) as server:
        started = time.monotonic()
        delivery = deliver(REPORT, to_web(server, timeout_seconds=1))
        elapsed = time.monotonic() - started
    assert delivery.channels == ()
    assert delivery.problems[0] in (
        "webhook through 127.0.0.1: no answer within 1 seconds",
        "webhook through 127.0.0.1: timed out",
    )
    assert elapsed < 5


MAIL_PROBLEMS = {
    "STARTTLS is not offered": ((), {}, {}, "STARTTLS extension not supported by server"),
    "STARTTLS is refused": (
        ("STARTTLS",),
        {"STARTTLS": "454 TLS not available"},
        {},
        "the server answered 454 TLS not available",
    ),
    "login is refused": (
        ("AUTH PLAIN",),
        {"AUTH": f"535 bad password {PASSWORD}"},
        {"security": "none", "username": "robot", "password": PASSWORD},
        "the server refused the login (535)",
    ),
    "login is not offered": (
        (),
        {},
        {"security": "none", "username": "robot", "password": PASSWORD},
        "SMTP AUTH extension not supported by server",
    ),
    "sender is refused": (
        (),
        {"MAIL": "553 not\tyour domain"},
        {"security": "none"},
        "the server answered 553 not your domain",
    ),
    "recipients are refused": (
        (),
        {},
        {"security": "none", "recipients": ["unknown@example.org"]},
        "the server refused every recipient",
    ),
}


@pytest.mark.parametrize(("extensions", "answers", "more", "reason"), MAIL_PROBLEMS.values(), ids=MAIL_PROBLEMS)
def test_refusal_of_the_mail_server_is_told(
    extensions: tuple[str, ...], answers: dict[str, str], more: dict[str, object], reason: str
) -> None:
    with mail_server(extensions=extensions, answers=answers) as server:
        delivery = deliver(REPORT, to_mail(server, **{"security": "starttls", **more}))
    assert delivery == Delivery((), (f"email through 127.0.0.1: {reason}",))
    assert server.mails == []
    assert PASSWORD not in delivery.problems[0]


def test_refused_starttls_was_asked_for_and_nothing_was_sent_in_clear() -> None:
    with mail_server(extensions=("STARTTLS", "AUTH PLAIN"), answers={"STARTTLS": "454 no"}) as server:
        deliver(REPORT, to_mail(server, security="starttls", username="robot", password=PASSWORD))
    assert server.commands == ["EHLO", "STARTTLS", "QUIT"]


def test_tls_with_a_server_that_speaks_plainly_is_told(mail: MailServer) -> None:
    (problem,) = deliver(REPORT, to_mail(mail, security="tls", timeout_seconds=5)).problems
    assert problem.startswith("email through 127.0.0.1: ")
    assert mail.mails == []


def test_some_recipients_refused_is_a_remark_on_a_mail_that_was_taken(mail: MailServer) -> None:
    settings = to_mail(mail, recipients=["a@example.org", "unknown@example.org"])
    remark = "email through 127.0.0.1: the server refused 1 of the recipients"
    assert deliver(REPORT, settings) == Delivery(("email",), (remark,))
    assert len(mail.mails) == 1
