"""The model in force from month to month, and what is said of it."""

import dataclasses
import json

from segmentation_assets.prediction.model_record import ModelRecord, Verdict, list_checks

GOOD = Verdict((), "AUC 0.75 on 900 customers", {"auc": 0.75}, {"curve": [1, 2]})
BAD = Verdict(("it leaks", "it is late"), "AUC 0.99 on 900 customers", {"auc": 0.99}, {})


def test_a_sound_model_is_put_in_force_and_stays_in_between():
    first = ModelRecord("models/churn").left_as_it_is("too short")
    assert first.sentence == "models/churn: no model is in force: too short."
    trained = first.after(GOOD, "2025-06", "2025-07-01", "abc")
    assert (trained.in_force, trained.in_force_month, trained.known_until) == ("abc", "2025-06", "2025-07-01")
    assert trained.sentence == "models/churn: the model of 2025-06 is in force; AUC 0.75 on 900 customers."
    between = trained.left_as_it_is("not due")
    assert between.sentence == ("models/churn: the model of 2025-06 is in force (not due); AUC 0.75 on 900 customers.")
    assert ModelRecord.from_plain(json.loads(json.dumps(dataclasses.asdict(between)))) == between


def test_a_refused_model_leaves_the_one_before():
    before = ModelRecord("models/churn").after(GOOD, "2025-06", "2025-07-01", "abc")
    found = before.after(BAD, "2025-09", "2025-10-01", "def")
    assert (found.in_force, found.in_force_month, found.known_until, found.trained_month) == (
        "abc", "2025-06", "2025-07-01", "2025-09",
    )  # fmt: skip
    assert found.figures == {"auc": 0.99}
    assert (before.challenger, found.challenger) == (None, "def")
    assert found.after(GOOD, "2025-12", "2026-01-01", "ghi").challenger is None
    assert found.sentence == (
        "models/churn: the model of 2025-09 is not used: it leaks; it is late; the model of 2025-06 is in force."
    )


def test_checks_say_what_was_found_or_what_speaks_against_the_model():
    sound = {"no_leak": "AUC 0.75 on 900 customers", "calibration": "off by 0.01 on 900 customers"}
    checks = list_checks({"no_leak": ("it knows", "it leaks"), "calibration": ()}, sound)
    assert [(check.name, check.passed, check.sentence) for check in checks] == [
        ("no_leak", False, "it knows; it leaks"),
        ("calibration", True, "off by 0.01 on 900 customers"),
    ]
    verdict = Verdict(("it knows", "it leaks"), "AUC 0.99", {}, {}, checks)
    found = ModelRecord("models/churn").after(verdict, "2025-06", "2025-07-01", "abc")
    assert ModelRecord.from_plain(json.loads(json.dumps(dataclasses.asdict(found)))) == found
    assert found.left_as_it_is("not due").checks == checks
