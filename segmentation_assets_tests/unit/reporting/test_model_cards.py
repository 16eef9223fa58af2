"""Cards and pictures of models."""

import dataclasses

import pandas as pd
import pytest
from PIL import Image

from segmentation_assets.prediction.model_record import ModelRecord, Verdict
from segmentation_assets.reporting.model_cards import render_model_card
from segmentation_assets.reporting.model_figures import draw_churn, draw_tracking

CHURN_DETAILS = {
    "algorithm": "random_forest",
    "cutoffs": {"train": ["2024-10-01"], "validation": "2025-01-01", "test": "2025-04-01"},
    "importance": [
        {"feature": "recency_days", "importance": 0.03, "importance_sd": 0.001, "is_used": True},
        {"feature": "order_count", "importance": 0.0, "importance_sd": 0.0, "is_used": False},
    ],
    "calibration": [
        {"customer_count": 50, "mean_probability": 0.2, "found_share": 0.1, "found_lower": 0.05, "found_upper": 0.2},
        {"customer_count": 50, "mean_probability": 0.8, "found_share": 0.9, "found_lower": 0.8, "found_upper": 0.95},
    ],
    "lift": [
        {"customer_count": 50, "positive_count": 45.0, "found_share": 0.9, "lift": 1.8, "customer_share": 0.5,
         "gain": 0.9},
        {"customer_count": 50, "positive_count": 5.0, "found_share": 0.1, "lift": 0.2, "customer_share": 1.0,
         "gain": 1.0},
    ],
    "groups": [
        {"grouping": "country", "group": "D|E", "customer_count": 100, "found_share": 0.5, "mean_probability": 0.5,
         "auc": None},
    ],
    "threshold": {"value": 0.4, "precision": 0.75, "recall": 0.8, "named_share": 0.5, "customers": 100, "reason": "-"},
    "calibration_method": "sigmoid",
    "shuffled": {"mean": 0.501, "standard_error": 0.004, "customers": 100},
}  # fmt: skip
WEEKS = [
    {
        "period_end": 7.0 * week,
        "expected_order_count": 2.0,
        "observed_order_count": 1,
        "cumulative_expected_order_count": 2.0 * week,
        "cumulative_observed_order_count": week,
    }
    for week in range(1, 30)
]
VALUE_DETAILS = {
    "model": "mbg_nbd",
    "holdout_date": "2025-04-01",
    "horizon_days": 90,
    "left_out_of_spend": "3 customers without a repeat order",
    "warnings": ["pareto went far"],
    "tracking": {"mbg_nbd": WEEKS, "bg_nbd": WEEKS},
}


def record(key, details, problems=()):
    return ModelRecord(key).after(Verdict(problems, "it is good", {}, details), "2025-06", "2025-07-01", "abc")


def rows(*listed):
    names = ["candidate", "role", "is_chosen", "split", "measure", "value", "lower", "upper", "customer_count"]
    return pd.DataFrame([dict(zip(names, row, strict=True)) for row in listed])


CHURN_ROWS = rows(
    ("random_forest", "algorithm", True, "test", "auc", 0.81, 0.78, 0.84, 100),
    ("random_forest", "algorithm", True, "test", "brier", 0.17, None, None, 100),
    ("recency_alone", "baseline", False, "test", "auc", 0.7, 0.68, 0.72, 100),
    ("random_forest", "algorithm", True, "validation", "auc", 0.8, 0.77, 0.83, 90),
)
VALUE_ROWS = rows(
    ("mbg_nbd", "algorithm", True, "fit", "alpha", 40.0, 30.0, 50.0, 500),
    ("mbg_nbd", "algorithm", True, "holdout", "foretold_orders", 950.0, None, None, 480),
    ("as_before", "baseline", False, "holdout", "foretold_orders", 1100.0, None, None, 480),
)


def test_the_card_of_churn_says_what_scores_rest_on():
    card = render_model_card(record("models/churn", CHURN_DETAILS), CHURN_ROWS, "2025-06-01", [("Picture", "c.png")])
    assert card.startswith("# Churn, June 2025\n\nThe model of 2025-06 is in force; it is good.\n")
    assert "| Random forest (chosen) | 100 | 0.81 (0.78 to 0.84) | 0.17 |" in card
    assert "| Days since the last order alone | 100 | 0.7 (0.68 to 0.72) | – |" in card
    assert "calibrated on customers of 2025-01-01, and judged on those of 2025-04-01" in card
    assert r"| country | D\|E | 100 | 50.0% | 50.0% | – |" in card
    assert "1 of 2 features are used" in card
    assert "![Picture](c.png)" in card
    assert "**Not for:**" in card
    assert "## Limits" in card


def test_folds_are_told_where_there_is_no_date_for_validation():
    cutoffs = {**CHURN_DETAILS["cutoffs"], "validation": None}
    card = render_model_card(
        record("models/churn", {**CHURN_DETAILS, "cutoffs": cutoffs}), CHURN_ROWS, "2025-06-01", []
    )
    assert "calibrated on folds of the training customers" in card


def test_the_card_of_lifetime_value_has_parameters_and_warnings():
    group = {"grouping": "country", "group": "NL", "customer_count": 480, "foretold_orders": 950.4}
    groups = [{**group, "found_orders": 1000.0, "foretold_spend": 40_000.5, "found_spend": None}]
    details = {**VALUE_DETAILS, "groups": groups}
    facts = [("Source", "delivered order lines; money in EUR"), ("Seed", "7")]
    card = render_model_card(record("models/lifetime_value", details), VALUE_ROWS, "2025-06-01", [], facts)
    assert card.startswith("# Lifetime value, June 2025")
    assert "\n- Source: delivered order lines; money in EUR\n- Seed: 7\n" in card
    assert "## Groups of the customers of the holdout" in card
    assert "| country | NL | 480 | 950 | 1,000 | 40,000 | – |" in card
    assert "| MBG/NBD (chosen) | alpha | 500 | 40 (30 to 50) |" in card
    assert "| Going on as before | 480 | 1,100 |" in card
    assert "- Pareto went far." in card
    assert "Left out of the model of spend: 3 customers without a repeat order." in card


def test_the_card_of_segments_shows_who_is_taken_for_whom():
    details = {
        "cutoff_date": "2025-07-01",
        "notes": ["3 rows without a segment left out"],
        "groups": [
            {
                "grouping": "tenure",
                "group": "more than a year",
                "customer_count": 9,
                "found_share": 0.8,
                "mean_probability": 0.75,
            },
        ],
        "importance": CHURN_DETAILS["importance"],
        "by_segment": [
            {"split": "folds", "segment_key": "S001", "customer_count": 9, "recall": 0.8, "precision": None},
            {"split": "out_of_time", "segment_key": "S001", "customer_count": 2, "recall": 0.5, "precision": 0.5},
        ],
        "confusion": [
            {"split": "folds", "true_segment_key": "S001", "named_segment_key": "S002", "customer_count": 2},
            {"split": "folds", "true_segment_key": "S002", "named_segment_key": "S002", "customer_count": 7},
        ],
    }
    scores = rows(
        ("random_forest", "algorithm", True, "folds", "accuracy", 0.9, 0.85, 0.95, 9),
        ("random_forest", "algorithm", True, "folds", "recall", 0.1, None, None, 4),
    ).assign(segment_key=["all", "S001"])
    card = render_model_card(record("models/segment_classifier", details), scores, "2025-06-01", [])
    assert "| Random forest (chosen) | 9 | 0.9 (0.85 to 0.95) |" in card
    assert "| S001 | 9 | 80.0% | – |" in card
    assert "| tenure | more than a year | 9 | 80.0% | 75.0% |" in card
    assert (
        "| Segment, and as what it is named | S001 | S002 |\n|---|--:|--:|\n| S001 | 0 | 2 |\n| S002 | 0 | 7 |" in card
    )
    assert "- 3 rows without a segment left out." in card
    assert "It imitates the clustering." in card


@pytest.mark.parametrize(
    "key", ["models/churn", "models/lifetime_value", "models/segment_classifier", "models/newcomer_classifier"]
)
def test_without_a_training_the_card_says_why_and_what_the_model_is_for(key):
    card = render_model_card(
        ModelRecord(key).left_as_it_is("the history is too short"), CHURN_ROWS.head(0), "2025-06-01", []
    )
    assert "No model is in force: the history is too short." in card
    assert "## Data" not in card
    assert "## Limits" in card


def test_a_refused_model_has_a_card_that_says_so():
    refused = dataclasses.replace(record("models/churn", CHURN_DETAILS), problems=("it leaks",), in_force=None)
    card = render_model_card(refused, CHURN_ROWS, "2025-06-01", [])
    assert "The model of 2025-06 is not used: it leaks; no model is in force." in card


@pytest.mark.parametrize(("draw", "details"), [(draw_churn, CHURN_DETAILS), (draw_tracking, VALUE_DETAILS)])
def test_pictures_are_the_same_twice(draw, details, tmp_path):
    first = draw(details)
    assert first == draw(details)
    path = tmp_path / "a.png"
    path.write_bytes(first)
    with Image.open(path) as picture:
        assert min(picture.size) > 500
