"""Settings of failure messages: what is refused, and secrets that never show."""

import json
from pathlib import Path

import pytest

from segmentation_assets.cli.config_command import show_text
from segmentation_assets.config.loading import LoadedSettings, load_settings
from segmentation_assets.config.schema import holds_secret, is_text, settings_schema
from segmentation_assets.errors import SettingsError
from segmentation_assets.monitoring.run_records import RunRecord, add_to_run_record, write_run_record

SECRET = "t0p-s3cret"
URL = f"https://hooks.example.org/services/{SECRET}"
MAIL = "{host: smtp.example.org, sender: shop@example.org, recipients: [a@example.org, b@example.org]}"
WEBHOOK_MEANING = (
    "Hint: address to post to; a secret, best given in SEGMENTATION__NOTIFICATIONS__WEBHOOK__URL; "
    "absent means no webhook."
)
BOTH = {
    "SEGMENTATION__NOTIFICATIONS__WEBHOOK__URL": URL,
    "SEGMENTATION__NOTIFICATIONS__EMAIL__HOST": "smtp.example.org",
    "SEGMENTATION__NOTIFICATIONS__EMAIL__SENDER": "shop@example.org",
    "SEGMENTATION__NOTIFICATIONS__EMAIL__RECIPIENTS": "[a@example.org, b@example.org]",
    "SEGMENTATION__NOTIFICATIONS__EMAIL__USERNAME": "robot",
    "SEGMENTATION__NOTIFICATIONS__EMAIL__PASSWORD": f"12: {SECRET}",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str) -> LoadedSettings:
    Path("segmentation.yaml").write_text(text, encoding="utf-8")
    return load_settings()


def test_nothing_is_configured_by_default() -> None:
    notifications = load_settings().settings.notifications
    assert not notifications.is_configured
    assert (notifications.webhook.host, notifications.email.host, notifications.ui_url) == ("", None, None)


def test_environment_takes_secrets_as_they_are_written() -> None:
    notifications = load_settings(environment=BOTH).settings.notifications
    assert notifications.is_configured
    assert notifications.webhook.url.get_secret_value() == URL
    assert notifications.webhook.host == "hooks.example.org"
    assert notifications.email.password.get_secret_value() == f"12: {SECRET}"
    assert notifications.email.recipients == ("a@example.org", "b@example.org")


@pytest.mark.parametrize(("security", "port"), [("none", 25), ("starttls", 587), ("tls", 465)])
def test_port_follows_the_security_unless_it_is_set(security: str, port: int) -> None:
    mail = MAIL.replace("{", f"{{security: {security}, ")
    assert load(f"notifications: {{email: {mail}}}").settings.notifications.email.server_port == port
    mail = mail.replace("{", "{port: 2525, ")
    assert load(f"notifications: {{email: {mail}}}").settings.notifications.email.server_port == 2525


def test_password_may_wait_in_the_environment_for_settings_with_a_server() -> None:
    settings = load_settings(environment={"SEGMENTATION__NOTIFICATIONS__EMAIL__PASSWORD": SECRET}).settings
    assert not settings.notifications.is_configured


def test_link_address_loses_its_last_slash() -> None:
    loaded = load("notifications: {ui_url: 'http://localhost:3000/dagster/'}")
    assert loaded.settings.notifications.ui_url == "http://localhost:3000/dagster"


def test_secrets_show_nowhere(folder: Path) -> None:
    loaded = load_settings(environment=BOTH)
    record = RunRecord("run-1", ("segmentation",), started_at="2025-09-01T00:00:00")
    written = [
        write_run_record(record, loaded.settings, folder / "a").read_text(),
        show_text(loaded),
        repr(loaded),
        str(loaded.settings),
        json.dumps(loaded.settings.model_dump(mode="json")),
    ]
    add_to_run_record(record, loaded.settings, folder / "b")
    written += [path.read_text() for path in (folder / "b").rglob("*") if path.is_file() and path.suffix == ".json"]
    assert len(written) == 6
    assert [text for text in written if SECRET in text] == []
    assert [text for text in written if "hooks.example.org" in text] == []
    masked = "url: '**********'  # environment variable SEGMENTATION__NOTIFICATIONS__WEBHOOK__URL"
    assert masked in show_text(loaded)


def test_settings_survive_being_altered() -> None:
    settings = load_settings(environment=BOTH).settings
    assert settings.altered({"synthetic.seed": 3}).notifications == settings.notifications


def test_schema_marks_secrets() -> None:
    fields = settings_schema()["$defs"]["WebhookSettings"]["properties"]["url"]["anyOf"][0]
    assert (fields["format"], fields["writeOnly"]) == ("password", True)
    assert holds_secret(("notifications",))
    assert holds_secret(("notifications", "email", "password"))
    assert not holds_secret(("notifications", "email", "host"))
    assert not holds_secret(("notifications", "nothing"))
    assert is_text(("notifications", "webhook", "url"))


PROBLEMS = {
    "unknown key": (
        "webhook: {ulr: https://example.org/t0p-s3cret}",
        "notifications.webhook.ulr is not a setting.\nHint: did you mean 'url'?",
    ),
    "not a web address": (
        "webhook: {url: 'file:///t0p-s3cret'}",
        "notifications.webhook.url: it is not a web address that starts with https:// or http://.\n" + WEBHOOK_MEANING,
    ),
    "no server in the address": (
        "webhook: {url: 'https:///t0p-s3cret'}",
        "notifications.webhook.url: it is not a web address that starts with https:// or http://.\n" + WEBHOOK_MEANING,
    ),
    "port out of range": (
        "webhook: {url: 'https://example.org:99999/t0p-s3cret'}",
        "notifications.webhook.url: it is not a web address that starts with https:// or http://.\n" + WEBHOOK_MEANING,
    ),
    "line break in the address": (
        'webhook: {url: "https://example.org/t0p-s3cret\\nX: y"}',
        "notifications.webhook.url: it is not a web address that starts with https:// or http://.\n" + WEBHOOK_MEANING,
    ),
    "user name in the address": (
        "webhook: {url: 'https://robot:t0p-s3cret@example.org/x'}",
        "notifications.webhook.url: a user name inside the address is not supported.\n" + WEBHOOK_MEANING,
    ),
    "mask for a secret": (
        "webhook: {url: '**********'}",
        "notifications.webhook.url: asterisks stand for a secret that is not shown; give the value itself, or leave "
        "the key out.\n" + WEBHOOK_MEANING,
    ),
    "number for an address": (
        "webhook: {url: 5550123}",
        "notifications.webhook.url must be text, got a value that is not shown.\nHint: put it in quotes.",
    ),
    "number for a password": (
        "email: {password: 5550123}",
        "notifications.email.password must be text, got a value that is not shown.\nHint: put it in quotes.",
    ),
    "address for a section": (
        "webhook: https://example.org/t0p-s3cret",
        "notifications.webhook must be a section with keys of its own, got a value that is not shown.\n"
        "Hint: keys are url, format, timeout_seconds.",
    ),
    "unknown format": (
        "webhook: {format: teams}",
        "notifications.webhook.format must be 'json' or 'slack', got 'teams'.\nHint: known names are json, slack.",
    ),
    "limit too long": (
        "webhook: {timeout_seconds: 26}",
        "notifications.webhook.timeout_seconds must be 1 to 25, got the number 26.\n"
        "Hint: seconds a post may take in all.",
    ),
    "host that is an address": (
        "email: {host: 'smtp://example.org'}",
        "notifications.email.host: 'smtp://example.org' is not the name of a server; write for example "
        "smtp.example.org.\nHint: mail server (SMTP); absent means no e-mail.",
    ),
    "server without recipients": (
        "email: {host: smtp.example.org}",
        "notifications.email: e-mail needs host, sender and recipients; missing: sender, recipients.",
    ),
    "user without server": (
        "email: {username: robot}",
        "notifications.email: e-mail needs host, sender and recipients; missing: host, sender, recipients.",
    ),
    "recipient with a line break": (
        'email: {recipients: ["a@example.org\\nBcc: b@example.org"]}',
        "is not a mail address; write for example data-team@example.org.\nHint: addresses the mail goes to.",
    ),
    "user without password": (
        f"email: {MAIL.replace('{', '{username: robot, ')}",
        "notifications.email: a login needs username and password, and only one of them is set.",
    ),
    "password in clear": (
        f"email: {MAIL.replace('{', '{security: none, username: robot, password: t0p-s3cret, ')}",
        "notifications.email: with security 'none' the password would be readable on its way; write starttls or tls.",
    ),
    "link address with a query": (
        "ui_url: http://localhost:3000/?x=1",
        "notifications.ui_url: it has more than a path; write it like http://localhost:3000.\n"
        "Hint: address of the Dagster UI, for the link to the run; for example http://localhost:3000.",
    ),
}


@pytest.mark.parametrize(("text", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_problem_is_told_without_the_secret(text: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=r"segmentation.yaml:") as caught:
        load(f"notifications:\n  {text}\n")
    message = str(caught.value)
    assert message.endswith(expected)
    assert SECRET not in message
    assert "5550123" not in message
