"""Sends a failure message to a webhook and by e-mail. A server that cannot be reached costs time, never a run.

When a failure is told is decided in ``orchestration/notifying.py``; the words stand in ``failure_report.py``.
"""

from __future__ import annotations

import http.client
import json
import smtplib
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from segmentation_assets.config.notifications import EmailSettings, NotificationSettings, WebhookSettings
from segmentation_assets.monitoring.failure_report import FailureReport, json_body, message_text, slack_body, subject

_LONGEST_ANSWER = 200

_BODIES: dict[str, Callable[[FailureReport], dict[str, Any]]] = {"json": json_body, "slack": slack_body}


@dataclass(frozen=True)
class Delivery:
    """Channels that took a message, and a sentence for everything that went wrong."""

    channels: tuple[str, ...]
    problems: tuple[str, ...]


class NotificationError(Exception):
    """A channel did not take the message; the text names the server and no secret."""


@dataclass(frozen=True)
class _Channel:
    """A way to people: the server it goes through (empty when not configured), its time limit, and how to send."""

    host: str
    timeout_seconds: int
    send: Callable[[FailureReport], list[str]]


def configured_channels(settings: NotificationSettings) -> tuple[str, ...]:
    """Return the names of the channels that messages go through: ``webhook``, ``email``."""
    return tuple(_channels(settings))


def deliver(report: FailureReport, settings: NotificationSettings, *, already: Collection[str] = ()) -> Delivery:
    """Send a message through every configured channel; what goes wrong is told in the result and not raised.

    Parameters
    ----------
    report : FailureReport
    settings : NotificationSettings
    already : collection of str
        Channels that took this message before; they are left out.

    Returns
    -------
    Delivery
        Comes within the sum of the channels' time limits.
    """
    taken, problems = [], []
    for name, channel in _channels(settings).items():
        if name in already:
            continue
        try:
            problems += _within(channel, report)
            taken.append(name)
        except NotificationError as problem:
            problems.append(f"{name} through {channel.host}: {problem}")
    return Delivery(tuple(taken), tuple(problems))


def make_mail(report: FailureReport, settings: EmailSettings) -> EmailMessage:
    """Make the mail; the same failure always has the same message id, so that a second copy can be told."""
    sender = settings.sender or ""
    mail = EmailMessage()
    mail["Subject"] = subject(report)
    mail["From"] = sender
    mail["To"] = ", ".join(settings.recipients)
    mail["Message-ID"] = f"<{report.run_id}.segmentation@{sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message_text(report))
    return mail


def _channels(settings: NotificationSettings) -> dict[str, _Channel]:
    """Return the configured channels."""
    webhook, email = settings.webhook, settings.email
    channels = {
        "webhook": _Channel(webhook.host, webhook.timeout_seconds, lambda report: _post(report, webhook)),
        "email": _Channel(email.host or "", email.timeout_seconds, lambda report: _mail(report, email)),
    }
    return {name: channel for name, channel in channels.items() if channel.host}


def _within(channel: _Channel, report: FailureReport) -> list[str]:
    """Send within the channel's time limit, names looked up and slow answers included; return remarks.

    The limit of a socket counts anew for every step, so the whole is done in a thread that is left behind when late.
    """
    remarks: list[str] = []
    problems: list[NotificationError] = []

    def send() -> None:
        try:
            remarks.extend(channel.send(report))
        except (OSError, http.client.HTTPException, smtplib.SMTPException, ValueError) as problem:
            problems.append(NotificationError(_reason(problem)))

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(channel.timeout_seconds)
    if thread.is_alive():
        raise NotificationError(f"no answer within {channel.timeout_seconds} seconds")
    if problems:
        raise problems[0]
    return remarks


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses to follow: a message is for the address that was configured."""

    def redirect_request(self, *_: Any) -> None:
        """Take the redirect as the answer."""


def _post(report: FailureReport, settings: WebhookSettings) -> list[str]:
    """Post the message as JSON; any answer of the 200s is success."""
    request = urllib.request.Request(  # noqa: S310 - the settings take http and https only
        settings.url.get_secret_value() if settings.url else "",
        data=json.dumps(_BODIES[settings.format](report), ensure_ascii=False).encode("utf-8"),
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "segmentation-assets"},
        method="POST",
    )
    try:
        urllib.request.build_opener(_NoRedirect).open(request, timeout=settings.timeout_seconds).close()
    except urllib.error.HTTPError as problem:
        problem.close()
        raise
    return []


def _mail(report: FailureReport, settings: EmailSettings) -> list[str]:
    """Send the mail; return a remark when the server refused some of the recipients."""
    mail = make_mail(report, settings)
    mail["Date"] = formatdate()
    with _connect(settings) as server:
        if settings.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.username is not None and settings.password is not None:
            server.login(settings.username, settings.password.get_secret_value())
        refused = server.send_message(mail)
    return [f"email through {settings.host}: the server refused {len(refused)} of the recipients"] if refused else []


def _connect(settings: EmailSettings) -> smtplib.SMTP:
    host, port, timeout = settings.host or "", settings.server_port, settings.timeout_seconds
    if settings.security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, timeout=timeout)


def _answer(problem: smtplib.SMTPResponseException) -> str:
    """Repeat what a mail server answered, shortened."""
    written = problem.smtp_error
    text = written.decode("utf-8", "replace") if isinstance(written, bytes) else str(written)
    return f"the server answered {problem.smtp_code} {' '.join(text.split())[:_LONGEST_ANSWER]}".rstrip()


_REASONS: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (urllib.error.HTTPError, lambda problem: f"the server answered {problem.code}"),
    (urllib.error.URLError, lambda problem: _reason(problem.reason)),
    (smtplib.SMTPAuthenticationError, lambda problem: f"the server refused the login ({problem.smtp_code})"),
    (smtplib.SMTPRecipientsRefused, lambda _: "the server refused every recipient"),
    (smtplib.SMTPResponseException, _answer),
    (smtplib.SMTPException, lambda problem: str(problem).rstrip(".")),
    (ssl.SSLCertVerificationError, lambda problem: f"its certificate is not trusted ({problem.verify_message})"),
    (TimeoutError, lambda _: "timed out"),
    (OSError, lambda problem: problem.strerror or type(problem).__name__),
)
"""What is said of a problem; the first that fits. None of them repeats an address or a password."""


def _reason(problem: object) -> str:
    """Say why a message was not taken, without the text of unknown problems, which may repeat a secret."""
    told = (say(problem) for kind, say in _REASONS if isinstance(problem, kind))
    return next(told, type(problem).__name__)
