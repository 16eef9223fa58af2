"""The settings of failure messages: where they go and how. Addresses and passwords are secrets: masked when shown."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from segmentation_assets.config.section import Section

_LONGEST_WAIT = 25
"""Both channels together have to end within the 60 seconds that Dagster gives a sensor."""

_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def _web_problem(address: str) -> str:
    """Say what is wrong with an address, without repeating it; empty when nothing is."""
    try:
        parts = urlsplit(address)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or not address.isascii() or not address.isprintable() or " " in address:
        return "it is not a web address that starts with https:// or http://"
    if "@" in parts.netloc:
        return "a user name inside the address is not supported"
    return ""


def _check_secret_address(address: SecretStr) -> SecretStr:
    """Accept web addresses; the message does not repeat what came."""
    _check_not_mask(address)
    problem = _web_problem(address.get_secret_value())
    if problem:
        raise ValueError(problem)
    return address


def _check_ui_address(address: str) -> str:
    """Accept web addresses to which a path can be added."""
    problem = _web_problem(address)
    if problem or "?" in address or "#" in address:
        raise ValueError(problem or "it has more than a path; write it like http://localhost:3000")
    return address.rstrip("/")


def _check_not_mask(secret: SecretStr) -> SecretStr:
    """Refuse the asterisks that stand for a secret in printed settings."""
    text = secret.get_secret_value()
    if text and not text.strip("*"):
        raise ValueError("asterisks stand for a secret that is not shown; give the value itself, or leave the key out")
    return secret


def _check_host(name: str) -> str:
    """Accept names and addresses of machines."""
    if not _HOST.fullmatch(name):
        raise ValueError(f"'{name}' is not the name of a server; write for example smtp.example.org")
    return name


def _check_mail_address(address: str) -> str:
    """Accept plain addresses, without names or line breaks."""
    if not _MAIL_ADDRESS.fullmatch(address):
        raise ValueError(f"'{address}' is not a mail address; write for example data-team@example.org")
    return address


MailAddress = Annotated[str, AfterValidator(_check_mail_address)]


class WebhookSettings(Section):
    """A web address that failures are posted to, as JSON."""

    url: Annotated[SecretStr, AfterValidator(_check_secret_address)] | None = Field(
        None,
        description="address to post to; a secret, best given in SEGMENTATION__NOTIFICATIONS__WEBHOOK__URL; "
        "absent means no webhook",
    )
    format: Literal["json", "slack"] = Field(
        "json",
        description="json sends the text and every fact in a field of its own; slack sends a text field and nothing "
        "else, in Slack's writing, which Mattermost and Rocket.Chat read too",
    )
    timeout_seconds: int = Field(10, ge=1, le=_LONGEST_WAIT, description="seconds a post may take in all")

    @property
    def host(self) -> str:
        """Name of the server, which is no secret."""
        return urlsplit(self.url.get_secret_value()).hostname or "" if self.url else ""


class EmailSettings(Section):
    """A mail server, and who gets a mail about a failure."""

    host: Annotated[str, AfterValidator(_check_host)] | None = Field(
        None, description="mail server (SMTP); absent means no e-mail"
    )
    port: int | None = Field(
        None, ge=1, le=65_535, description="port of the server; by security 25 (none), 587 (starttls), 465 (tls)"
    )
    security: Literal["none", "starttls", "tls"] = Field(
        "starttls", description="starttls turns to encryption after the greeting, tls begins with it"
    )
    username: str | None = Field(None, min_length=1, description="account on the server; absent means no login")
    password: Annotated[SecretStr, AfterValidator(_check_not_mask)] | None = Field(
        None,
        description="its password; a secret, best given in SEGMENTATION__NOTIFICATIONS__EMAIL__PASSWORD",
    )
    sender: MailAddress | None = Field(None, description="address the mail comes from")
    recipients: tuple[MailAddress, ...] = Field((), max_length=50, description="addresses the mail goes to")
    timeout_seconds: int = Field(10, ge=1, le=_LONGEST_WAIT, description="seconds sending may take in all")

    @property
    def server_port(self) -> int:
        """Port in force."""
        return self.port or _PORTS[self.security]

    @model_validator(mode="after")
    def _check_complete(self) -> "EmailSettings":
        given = {"host": self.host, "sender": self.sender, "recipients": self.recipients}
        missing = [name for name, value in given.items() if not value]
        if missing and (len(missing) < len(given) or self.username is not None):
            raise ValueError(f"e-mail needs host, sender and recipients; missing: {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _check_login(self) -> "EmailSettings":
        if self.host is None:
            return self
        if (self.username is None) != (self.password is None):
            raise ValueError("a login needs username and password, and only one of them is set")
        if self.password is not None and self.security == "none" and self.host not in _THIS_MACHINE:
            raise ValueError("with security 'none' the password would be readable on its way; write starttls or tls")
        return self


class NotificationSettings(Section):
    """Messages about failures; nothing is sent unless a webhook or a mail server is named."""

    webhook: WebhookSettings = WebhookSettings()
    email: EmailSettings = EmailSettings()
    ui_url: Annotated[str, AfterValidator(_check_ui_address)] | None = Field(
        None, description="address of the Dagster UI, for the link to the run; for example http://localhost:3000"
    )

    @property
    def is_configured(self) -> bool:
        """Whether anyone is told of a failure."""
        return self.webhook.url is not None or self.email.host is not None
