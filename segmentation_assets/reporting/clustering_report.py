"""The report of one algorithm in Markdown, written from its profile document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from segmentation_assets.errors import plural
from segmentation_assets.reporting.clustering_clusters import cluster_sections
from segmentation_assets.reporting.clustering_profile import Document
from segmentation_assets.reporting.formatting import (
    UNKNOWN,
    escape_markdown,
    format_count,
    format_date,
    format_month,
    format_number,
    format_share,
    is_known,
)
from segmentation_assets.reporting.markdown_table import markdown_table

REWARDS_LEAVING_OUT = (
    "A good silhouette on the covered part rewards leaving customers out: whoever lies between groups is noise and "
    "lowers no score. So coverage is judged first, and scores are read beside it."
)
ROUND_CLUSTERS = "Silhouette, Davies-Bouldin and Calinski-Harabasz favour round clusters of equal size."
DENSITY_ALGORITHMS = ("dbscan", "hdbscan")
"""Algorithms that may leave customers out."""

_TRUSTED, _HIGHLY_STABLE = 0.6, 0.85
_TOLERATED_ERROR = 0.05
"""Mean difference between confidence and held-out refits up to which it is taken as stated."""

SCORE_NAMES = {
    "k": "k",
    "covariance_type": "Covariance",
    "silhouette": "Silhouette",
    "davies_bouldin": "Davies-Bouldin",
    "calinski_harabasz": "Calinski-Harabasz",
    "inertia": "Inertia",
    "elbow": "Elbow",
    "stability": "Stability",
    "smallest_share": "Smallest cluster",
    "height": "Height of the cut",
    "partition_coefficient": "Partition coefficient",
    "normalised_coefficient": "Normalised coefficient",
    "partition_entropy": "Partition entropy",
    "xie_beni": "Xie-Beni",
    "bic": "BIC",
    "aic": "AIC",
    "log_likelihood": "Log-likelihood per customer",
}
"""Columns of a search in words."""


def render_clustering_report(document: Document, pictures: Sequence[tuple[str, str]] = ()) -> str:
    """Write the report of one algorithm and month.

    Parameters
    ----------
    document : dict
        As `profile_clustering` returns it.
    pictures : sequence of (str, str)
        What each picture shows, and the name of its file beside the report.

    Returns
    -------
    str
        Markdown (GitHub flavour for tables). The same input gives the same text.
    """
    method = document["method"]
    as_of = format_date(dt.date.fromisoformat(document["as_of_date"]))
    head = [
        f"# {escape_markdown(method['label'])}: {format_month(document['month'])}",
        f"As of {as_of}: what happened before that day. The same as data: `{method['algorithm']}.json`.",
        method["description"],
    ]
    if document["not_due"]:
        return "\n\n".join([*head, *_not_due(document)]) + "\n"
    parts = [*head, *_decision(document)]
    if document["clusters"]:
        parts += [*_scores(document), *_settings(document), *_search(document), *_pictures(pictures)]
        parts += [*_refits(document), *cluster_sections(document), *_apart(document)]
    else:
        parts += _settings(document)
    return "\n\n".join(parts) + "\n"


def score_text(value: object, *, digits: int = 3) -> str:
    """Write a score with a fixed number of digits.

    Example
    -------
    >>> score_text(-0.0336), score_text(None)
    ('−0.034', '–')
    """
    if not is_known(value):
        return UNKNOWN
    text = f"{float(value):,.{digits}f}"  # type: ignore[arg-type]
    return text.removeprefix("-") if not text.strip("-0.") else text.replace("-", "−")


def _not_due(document: Document) -> Iterator[str]:
    """Say why there is nothing of this month, what was decided when there was, and where to read on."""
    decision, algorithm = document["decision"], document["method"]["algorithm"]
    yield "## Not due"
    yield f"Nothing was fitted this month; {escape_markdown(document['not_due'])}."
    if decision is not None:
        month = decision["compared_month"]
        yield f"Decision of {format_month(month)}: {escape_markdown(decision['reason'])}."
        yield f"[The report of {format_month(month)}](../../{month}/clusterings/{algorithm}.md)"


def _decision(document: Document) -> Iterator[str]:
    decision, method = document["decision"], document["method"]
    yield "## Decision"
    rank = f"**Rank {decision['rank']}.**" if decision["rank"] is not None else "**Not ranked.**"
    yield f"{rank} {escape_markdown(decision['reason'])}."
    failure = method["failure"] or decision["failure"]
    if failure:
        yield f"**What failed.** {escape_markdown(failure)}"
    is_refused = not decision["passed_gates"] and not failure
    coverage = document["metrics"]["scores"]["coverage"]
    if is_refused and (method["algorithm"] in DENSITY_ALGORITHMS or coverage < 1):
        yield f"It covers {format_share(coverage)} of the customers. {REWARDS_LEAVING_OUT}"


def _scores(document: Document) -> Iterator[str]:
    scores = document["metrics"]["scores"]
    yield "## Scores"
    yield (
        f"On {format_count(scores['score_sample_count'])} of {plural(scores['customer_count'], 'customer')}, with a "
        f"coverage of {format_share(scores['coverage'])}. {ROUND_CLUSTERS}"
    )
    rows = [
        ("Segments large enough", format_count(scores["n_clusters"]), ""),
        ("Coverage", format_share(scores["coverage"]), "share of customers in such a segment"),
        (
            "Smallest segment",
            f"{format_count(scores['smallest_segment_count'])} ({format_share(scores['smallest_segment_share'])})",
            "customers",
        ),
        ("Silhouette", score_text(scores["silhouette"]), "−1 to 1, larger is better; noise is a group of its own"),
        ("Covered silhouette", score_text(scores["covered_silhouette"]), "without noise; flatters what covers few"),
        ("Davies-Bouldin", score_text(scores["davies_bouldin"]), "smaller is better"),
        ("Calinski-Harabasz", score_text(scores["calinski_harabasz"], digits=1), "larger is better"),
        ("Stability", score_text(scores["stability"]), "mean adjusted Rand index of refits; 1 is the same every time"),
        ("Smallest Jaccard", score_text(scores["smallest_jaccard"]), "of the least stable segment"),
        (
            "Usefulness",
            score_text(scores["usefulness"]),
            "of its earlier segments: share of the spending since explained",
        ),
        (
            "RFM map's usefulness",
            score_text(scores["rfm_usefulness"]),
            "of the RFM map; the reason says of how many groups",
        ),
        ("Exceptional customers", format_count(scores["exceptional_count"]), "in no segment"),
        ("Their net revenue", format_share(scores["exceptional_revenue_share"]), "share of all"),
    ]
    yield markdown_table(("Score", "Value", "How to read it"), rows, texts=(0, 2))


def _settings(document: Document) -> Iterator[str]:
    method = document["method"]
    yield "## Fit"
    if method["fitted_count"]:
        fitted, of = format_count(method["fitted_count"]), plural(method["customer_count"], "customer")
        yield f"Fitted on {fitted} of {of}, {plural(len(document['features_used']), 'column')} of the model matrix."
    notes = [f"- {escape_markdown(note)}" for note in method["notes"]]
    if notes:
        yield "\n".join(notes)
    if method["parameters"]:
        rows = [(name, _value(value)) for name, value in method["parameters"].items()]
        yield markdown_table(("Parameter", "Value"), rows, texts=(0, 1))
    if method["figures"]:
        rows = [(name.replace("_", " "), _value(value)) for name, value in method["figures"].items()]
        yield markdown_table(("Figure", "Value"), rows)


def _value(value: Any) -> str:
    """Write a parameter or figure; what is not set is automatic."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "automatic" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _search(document: Document) -> Iterator[str]:
    """Write the table of numbers tried; nothing for algorithms that do not search."""
    rows = document["search"]
    if not rows:
        return
    names = [name for name in SCORE_NAMES if any(row.get(name) is not None for row in rows)]
    texts = [place for place, name in enumerate(names) if name in ("k", "covariance_type")]
    chosen = [row for row in rows if row["is_chosen"]]
    yield "## Numbers of clusters tried"
    if chosen:
        kind = f", covariance {chosen[0]['covariance_type']}" if "covariance_type" in names else ""
        yield f"Chosen: k = {chosen[0]['k']}{kind}."
    cells = [[*(_score_cell(name, row[name]) for name in names), "yes" if row["is_chosen"] else ""] for row in rows]
    yield markdown_table([*(SCORE_NAMES[name] for name in names), "Chosen"], cells, texts=texts)


def _score_cell(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if name == "smallest_share":
        return format_share(value)
    return format_count(value) if name in ("k", "bic", "aic") else format_number(value)


def _pictures(pictures: Sequence[tuple[str, str]]) -> Iterator[str]:
    if pictures:
        yield "## Pictures"
    for words, name in pictures:
        yield f"![{words}]({name})"


def _refits(document: Document) -> Iterator[str]:
    """Tell of stability, confidence and the comparison with data without clusters."""
    refits = document["metrics"]["refits"]
    yield "## Stability"
    if refits is None:
        yield "Not measured: there are no fits on resampled customers."
        return
    yield (
        f"{refits['resample_count']} refits on {format_count(refits['resample_customers'])} resampled customers, "
        f"judged on {format_count(refits['judged_customers'])}: mean adjusted Rand index "
        f"{score_text(refits['stability'])}, smallest {score_text(min(refits['stability_scores']))}. Jaccard: of each "
        f"cluster with the most similar one of every refit; below {_TRUSTED} it should not be trusted, from "
        f"{_HIGHLY_STABLE} it is highly stable (Hennig 2007)."
    )
    rows = [(f"Cluster {number}", score_text(index), _trust(index)) for number, index in enumerate(refits["jaccard"])]
    yield markdown_table(("Cluster", "Jaccard", "Verdict"), rows, texts=(0, 2))
    yield "## Confidence"
    yield (
        "Confidence is the probability that an independent refit, matched, puts the customer into the same cluster; "
        "a degree of membership is none. Here it stands beside what held-out refits show: in rows with at least "
        f"5 % of the customers, the largest difference is {score_text(refits['reliability_error'])}."
    )
    if refits["reliability_error"] > _TOLERATED_ERROR:
        yield (
            f"**Read it with care.** The difference is above {_TOLERATED_ERROR}: the refits fall into partitions that "
            "differ, and so few do not show how often each comes. clustering.evaluation.resamples asks for more."
        )
    bins = [
        (format_count(part["count"]), score_text(part["mean_confidence"]), score_text(part["observed_share"]))
        for part in refits["reliability"]
    ]
    yield markdown_table(("Customers, twice each", "Mean confidence", "Observed share"), bins, texts=())
    yield from _reference(document)


def _reference(document: Document) -> Iterator[str]:
    refits = document["metrics"]["refits"]
    yield "## Beside data without clusters"
    structure = document["decision"]["structure"]
    verdict = f" Verdict: **{structure}**." if structure else ""
    draws = plural(len(refits["reference"]["silhouettes"]), "draw")
    yield f"The reference has the same columns and rank correlations but no clusters; {draws}.{verdict}"
    rows = [
        (SCORE_NAMES[name], *(score_text(refits[side][name], digits=digits) for side in ("resampled", "reference")))
        for name, digits in (("silhouette", 3), ("davies_bouldin", 3), ("calinski_harabasz", 1), ("stability", 3))
    ]
    yield markdown_table(("Mean of the refits", "Customers", "Reference"), rows)


def _trust(index: float) -> str:
    if index < _TRUSTED:
        return "not to be trusted"
    return "highly stable" if index >= _HIGHLY_STABLE else "stable enough"


def _apart(document: Document) -> Iterator[str]:
    """Profile the customers that are noise or outliers."""
    apart = document["apart"]
    if apart is None:
        return
    yield f"## {apart['kind'].capitalize()}"
    where = (
        "belong to no cluster" if apart["kind"] == "noise" else "are unlike everyone; each joined the nearest cluster"
    )
    yield (
        f"{plural(apart['customer_count'], 'customer')} ({format_share(apart['customer_share'])}) with "
        f"{format_share(apart['net_revenue_share'])} of the net revenue {where}. A customer counts to the first group "
        "that fits."
    )
    rows = [
        (
            row["words"],
            format_count(row["customer_count"]),
            format_share(row["customer_share"]),
            format_share(row["net_revenue_share"]),
        )
        for row in apart["groups"]
    ]
    yield markdown_table(("Group", "Customers", "of all", "of net revenue"), rows)
