"""Model cards in Markdown: what a model is for and not for, what it learned from, how good it is, and its limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import plural
from segmentation_assets.prediction.model_record import ModelRecord
from segmentation_assets.reporting.formatting import (
    UNKNOWN,
    format_count,
    format_month,
    format_number,
    format_share,
    is_known,
)
from segmentation_assets.reporting.markdown_table import markdown_table
from segmentation_assets.tables.prediction import ALL

if TYPE_CHECKING:
    import pandas as pd

CANDIDATES = {
    "random_forest": "Random forest",
    "gradient_boosting": "Gradient boosting",
    "logistic_regression": "Logistic regression",
    "recency_alone": "Days since the last order alone",
    "bg_nbd": "BG/NBD",
    "mbg_nbd": "MBG/NBD",
    "pareto_nbd": "Pareto/NBD",
    "gamma_gamma": "Gamma-Gamma",
    "as_before": "Going on as before",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "largest_segment": "Always the largest segment",
}
"""Candidates in words; those that are not listed stand as they are."""

_MOST_FEATURES = 15

_SPLITS = {
    "test": "Judged on later customers, on whom nothing was decided",
    "validation": "Customers on whom candidates were chosen and calibrated",
    "holdout": "Judged on what followed the date",
    "out_of_time": "Judged on other customers at a later date, on whom nothing was decided",
    "folds": "Customers left out, on whom candidates were chosen",
    "fit": "Estimated from all customers",
}

_MEASURES = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "brier": "Brier score",
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "log_loss_gain": "Less log loss than the largest segment",
    "log_loss": "Log loss",
    "calibration_error": "Calibration error",
    "recall_at_top": "Found among the top 10 %",
    "base_rate": "Base rate",
    "foretold_orders": "Foretold order days",
    "found_orders": "Found order days",
    "foretold_spend": "Foretold money",
    "found_spend": "Found money",
    "mean_absolute_error": "Mean absolute error",
    "rank_correlation": "Rank correlation",
    "top_spend_share": "Money of the top 10 %",
    "interval_coverage": "Within the interval",
    "log_likelihood": "Log-likelihood",
}

_Format = Callable[[Any], str]

_CHURN_GROUPS: dict[str, tuple[str, _Format]] = {
    "found_share": ("Churned", format_share),
    "mean_probability": ("Foretold", format_share),
    "auc": ("AUC", format_number),
}
_VALUE_GROUPS: dict[str, tuple[str, _Format]] = {
    "foretold_orders": ("Foretold order days", format_count),
    "found_orders": ("Found", format_count),
    "foretold_spend": ("Foretold money", format_count),
    "found_spend": ("Found money", format_count),
}
_SEGMENT_GROUPS: dict[str, tuple[str, _Format]] = {
    "found_share": ("Rightly named", format_share),
    "mean_probability": ("Expected", format_share),
}

_USES: dict[str, tuple[str, str, Sequence[str]]] = {
    "models/churn": (
        "Whom to write to before they are gone: customers by their probability of no order within the horizon, for a "
        "campaign with a control group.",
        "Deciding on prices, credit or terms of single customers; saying why somebody stays away; judging a campaign "
        "without a control group.",
        (
            "It says who will not order, not whom a campaign would keep.",
            "Probabilities are calibrated on past seasons; after a change of prices, assortment or season read them "
            "beside the check `score_drift`.",
            "The scores above belong to the recipe as fitted before the test; the model in use is the same recipe, "
            "fitted one step later.",
        ),
    ),
    "models/lifetime_value": (
        "How much a group of customers will order and spend: budgets, order of segments, value of newcomers.",
        "Promising what one customer will spend: its prediction interval is wide. Contracts, subscriptions and shops "
        "whose customers buy by the season.",
        (
            "Customers order at a steady rate until they leave; seasons, campaigns and growth are not in the model.",
            "Spend per order day is taken for independent of how often somebody orders.",
            "Who ordered before the first line delivered counts from that line on.",
        ),
    ),
    "models/segment_classifier": (
        "Other systems that have the features but not the clustering: which segment a customer belongs to.",
        "Judging the segments: a model trained on the features that made the clusters always looks excellent.",
        (
            "It imitates the clustering. Here the rule of the clustering itself assigns customers.",
            "When another model comes into force it is trained anew, as its segments are others.",
        ),
    ),
    "models/newcomer_classifier": (
        "Newcomers in their first weeks: the segment they will most probably be in at the end of the horizon, for a "
        "first service that fits.",
        "Customers known for longer; closing doors to newcomers with a low expected value.",
        (
            "It has learned from newcomers of earlier dates; another mix of channels or campaigns brings others.",
            "Only features that most newcomers have are used; in the first days that is little.",
        ),
    ),
}


def render_model_card(
    record: ModelRecord,
    scores: pd.DataFrame,
    month: str,
    pictures: Sequence[tuple[str, str]],
    facts: Sequence[tuple[str, str]] = (),
) -> str:
    """Write the card of a model.

    Parameters
    ----------
    record : ModelRecord
    scores : DataFrame
        Rows of the asset's table.
    month : str
        Snapshot month, YYYY-MM-01.
    pictures : sequence of (str, str)
        Caption and file name.
    facts : sequence of (str, str)
        Name and value of what else is known of the data and of the model in force.

    Returns
    -------
    str
        Markdown, the same for the same input.
    """
    use, misuse, limits = _USES[record.key]
    told = record.sentence.removeprefix(f"{record.key}: ")
    title = record.noun.replace("_", " ").capitalize()
    parts = [
        f"# {title}, {format_month(month)}",
        f"{told[:1].upper()}{told[1:]}",
        f"**For:** {use}\n\n**Not for:** {misuse}",
    ]
    if record.trained_month is not None:
        listed = "".join(f"\n- {name}: {value}" for name, value in facts)
        data = f"## Data\n\n{_learned_from(record)}" + (f"\n{listed}" if listed else "")
        parts += [data, *_score_tables(scores)]
        parts += [section for section in _SECTIONS[record.key](record.details) if section]
        parts += [f"![{caption}]({name})" for caption, name in pictures]
    parts.append("## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits))
    return "\n\n".join(parts) + "\n"


def _learned_from(record: ModelRecord) -> str:
    details = record.details
    if "by_segment" in details:
        notes = "".join(f"\n- {note[0].upper()}{note[1:]}." for note in details["notes"])
        return f"Customers and their segments as of {details['cutoff_date']}. Trained in {record.trained_month}.{notes}"
    if "cutoffs" in details:
        dates = details["cutoffs"]
        by = "folds of the training customers" if dates["validation"] is None else f"customers of {dates['validation']}"
        return (
            f"Features of customers as of {', '.join(dates['train'])}{_rows(details)} and what followed within the "
            "horizon. Algorithms "
            f"were chosen and calibrated on {by}, and judged on those of {dates['test']}. Trained in "
            f"{record.trained_month}; outcomes are known until {record.known_until or UNKNOWN}."
        )
    return (
        f"Order days and spend of every customer who ever bought. The same models, fitted on what was known before "
        f"{details['holdout_date']}, were judged on the {details['horizon_days']} days from then on. Trained in "
        f"{record.trained_month}. Left out of the model of spend: {details['left_out_of_spend'] or 'nobody'}."
    )


def _rows(details: Mapping[str, Any]) -> str:
    return f" ({plural(details['learned_rows'], 'row')})" if "learned_rows" in details else ""


def _score_tables(scores: pd.DataFrame) -> list[str]:
    """One table per split: candidates in rows where they share measures, else their parameters."""
    sections = []
    for split, heading in _SPLITS.items():
        rows = scores[scores["split"] == split]
        if rows.empty:
            continue
        table = _parameters_table(rows) if split == "fit" else _measures_table(rows)
        sections.append(f"## {heading}\n\n{table}")
    return sections


def _measures_table(rows: pd.DataFrame) -> str:
    """Candidates in rows; where parts of the customers are told apart, each part of the one that was chosen too."""
    for name in ("segment_key", "band"):
        if name in rows:
            rows = rows[rows[name] == ALL]
    measures = [name for name in _MEASURES if (rows["measure"] == name).any()]
    lines = []
    for candidate, own in rows.groupby("candidate", sort=False):
        found = own.set_index("measure")
        cells = [_interval(found.loc[name]) if name in found.index else UNKNOWN for name in measures]
        lines.append((_called(str(candidate), found), format_count(found["customer_count"].iloc[0]), *cells))
    return markdown_table(("Candidate", "Customers", *(_MEASURES[name] for name in measures)), lines)


def _parameters_table(rows: pd.DataFrame) -> str:
    lines = [
        (_called(str(row["candidate"]), rows[rows["candidate"] == row["candidate"]]),
         _MEASURES.get(row["measure"], row["measure"]), format_count(row["customer_count"]), _interval(row))
        for row in rows.to_dict("records")
    ]  # fmt: skip
    return markdown_table(("Model", "Parameter", "Customers", "Estimate"), lines, texts=(0, 1))


def _called(candidate: str, rows: pd.DataFrame) -> str:
    return CANDIDATES.get(candidate, candidate) + (" (chosen)" if bool(rows["is_chosen"].iloc[0]) else "")


def _interval(row: Mapping[str, Any] | pd.Series) -> str:
    text = format_number(row["value"])
    if not is_known(row["lower"]):
        return text
    return f"{text} ({format_number(row['lower'])} to {format_number(row['upper'])})"


def _churn_sections(details: Mapping[str, Any]) -> list[str]:
    return [_threshold(details["threshold"]), _groups(details, "test customers", _CHURN_GROUPS), _features(details)]


def _threshold(threshold: Mapping[str, Any]) -> str:
    return (
        f"## Threshold\n\nFrom a probability of {threshold['value']:.3f} on a customer counts as about to churn: "
        f"{threshold['reason']}. Where it was chosen ({format_count(threshold['customers'])} customers), "
        f"{format_share(threshold['precision'])} of those named were churners, and "
        f"{format_share(threshold['recall'])} of the churners were named."
    )


def _groups(details: Mapping[str, Any], of_whom: str, columns: Mapping[str, tuple[str, _Format]]) -> str:
    """Put what a model is worth for groups of customers, by country and tenure, into a table."""
    rows = details.get("groups") or ()
    if not rows:
        return ""
    cells = [
        (
            row["grouping"],
            row["group"],
            format_count(row["customer_count"]),
            *(write(row[name]) if is_known(row[name]) else UNKNOWN for name, (_, write) in columns.items()),
        )
        for row in rows
    ]
    header = ("By", "Group", "Customers", *(title for title, _ in columns.values()))
    return f"## Groups of the {of_whom}\n\n{markdown_table(header, cells, texts=(0, 1))}"


def _features(details: Mapping[str, Any]) -> str:
    used = [row for row in details["importance"] if row["is_used"]]
    shuffled = details["shuffled"]
    table = markdown_table(
        ("Feature", "Loss of AUC"), [(row["feature"], f"{row['importance']:.4f}") for row in used[:_MOST_FEATURES]]
    )
    return (
        f"## Features\n\n{len(used)} of {len(details['importance'])} features are used, by what shuffling them costs "
        "in AUC on customers held out; features that say the same share their importance. The first "
        f"{min(len(used), _MOST_FEATURES)}:\n\n{table}\n\nModels of shuffled outcomes have an AUC of "
        f"{shuffled['mean']:.3f} ± {shuffled['standard_error']:.3f} in the mean "
        f"({format_count(shuffled['customers'])} customers); chance is 0.5."
    )


def _lifetime_sections(details: Mapping[str, Any]) -> list[str]:
    warnings = "\n".join(f"- {text[0].upper()}{text[1:]}." for text in details["warnings"])
    return [
        _groups(details, "customers of the holdout", _VALUE_GROUPS),
        f"## To be careful of\n\n{warnings}" if warnings else "",
    ]


def _segment_sections(details: Mapping[str, Any]) -> list[str]:
    by_segment = [
        (
            row["segment_key"],
            format_count(row["customer_count"]),
            *(format_share(row[name]) if is_known(row[name]) else UNKNOWN for name in ("recall", "precision")),
        )
        for row in details["by_segment"]
        if row["split"] == "folds"
    ]
    used = [row for row in details["importance"] if row["is_used"]][:_MOST_FEATURES]
    return [
        "## Segments, customers left out\n\n"
        + markdown_table(("Segment", "Customers", "Recall", "Precision"), by_segment)
        + f"\n\n{_confusion(details['confusion'])}",
        _groups(details, "customers left out", _SEGMENT_GROUPS),
        "## Features\n\nBy what shuffling them costs in log loss; features that say the same share their "
        "importance.\n\n"
        + markdown_table(("Feature", "Loss"), [(row["feature"], f"{row['importance']:.4f}") for row in used]),
    ]


def _confusion(pairs: Sequence[Mapping[str, Any]]) -> str:
    """Where customers of each segment are put, of those left out."""
    counts = {
        (row["true_segment_key"], row["named_segment_key"]): row["customer_count"]
        for row in pairs
        if row["split"] == "folds"
    }
    keys = sorted({key for pair in counts for key in pair})
    rows = [(key, *(format_count(counts.get((key, named), 0)) for named in keys)) for key in keys]
    return markdown_table(("Segment, and as what it is named", *keys), rows)


_SECTIONS: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "models/churn": _churn_sections,
    "models/lifetime_value": _lifetime_sections,
    "models/segment_classifier": _segment_sections,
    "models/newcomer_classifier": _segment_sections,
}
