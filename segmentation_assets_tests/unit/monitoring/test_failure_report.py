"""The words of a failure message."""

from dataclasses import replace

from segmentation_assets.monitoring.failure_report import (
    FailureReport,
    headline,
    json_body,
    message_text,
    slack_body,
    subject,
)

REPORT = FailureReport(
    job="monthly_snapshot_job",
    run_id="4f1c",
    assets=("gold/champion",),
    month="2025-08",
    error="gold/champion of 2025-08 needs 2025-07.",
    hint="run 'segmentation run --month 2025-07' first.",
    data_folder="demo",
    run_url="http://ui:3000/runs/4f1c",
)


def test_text_says_what_failed_why_what_to_do_and_where_to_look() -> None:
    assert message_text(REPORT) == (
        "gold/champion failed for 2025-08\n"
        "\n"
        "gold/champion of 2025-08 needs 2025-07.\n"
        "Hint: run 'segmentation run --month 2025-07' first.\n"
        "\n"
        "Nothing of what failed was stored; earlier results are in place. Put the cause right and run it again: "
        "only what is missing or out of date is computed.\n"
        "\n"
        "Job: monthly_snapshot_job\n"
        "Run: 4f1c\n"
        "Page of the run: http://ui:3000/runs/4f1c\n"
        "Data folder: demo\n"
    )


def test_what_is_not_known_is_left_out() -> None:
    report = replace(REPORT, assets=(), month="", hint="", run_url="")
    text = message_text(report)
    assert text.startswith("a run (monthly_snapshot_job) failed\n\ngold/champion of 2025-08 needs 2025-07.\n\n")
    assert "Hint" not in text
    assert "Page of the run" not in text
    body = json_body(report)
    assert (body["month"], body["hint"], body["run_url"], body["assets"]) == (None, None, None, [])


def test_many_assets_are_counted_in_the_headline_and_listed_for_programs() -> None:
    report = replace(REPORT, assets=tuple(f"gold/a{number}" for number in range(1, 8)))
    assert headline(report) == "gold/a1, gold/a2, gold/a3, gold/a4, gold/a5 and 2 more failed for 2025-08"
    assert len(json_body(report)["assets"]) == 7


def test_long_texts_are_cut() -> None:
    report = replace(REPORT, error="x" * 100_000, hint="y" * 100_000, assets=("z" * 1_000,), data_folder="d" * 1_000)
    body = json_body(report)
    assert (len(body["error"]), len(body["hint"])) == (2_000, 500)
    assert body["error"].endswith("x …")
    assert len(subject(report)) == 150
    assert len(message_text(report)) < 4_000


def test_line_breaks_and_control_signs_do_not_reach_a_header() -> None:
    report = replace(REPORT, assets=("a\r\nBcc: x@y.org",), data_folder="d\x00\u2028e\x1b[31m\ud800", month="2025-08\n")
    assert subject(report) == "[segmentation] a Bcc: x@y.org failed for 2025-08 (d e [31m)"


def test_lines_of_an_error_are_kept_and_its_control_signs_are_not() -> None:
    report = replace(REPORT, error="first\x07\r\nsecond\x1b[2J\u202e")
    assert json_body(report)["error"] == "first\nsecond [2J"


def test_slack_cannot_be_made_to_mention_or_link() -> None:
    text = slack_body(replace(REPORT, error="<!here> <http://x|y> & <= 5"))["text"]
    assert "&lt;!here&gt; &lt;http://x|y&gt; &amp; &lt;= 5" in text
    assert "<" not in text
