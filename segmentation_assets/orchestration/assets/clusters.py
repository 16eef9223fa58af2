"""Bodies of the clusters layer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.metrics import SCORE_NAMES
from segmentation_assets.clustering.refits import reason_not_due
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.graph.declarations import FITTED
from segmentation_assets.graph.inputs import as_of, lookback_months
from segmentation_assets.graph.months import earlier_month, previous_month
from segmentation_assets.monitoring.run_records import package_versions
from segmentation_assets.orchestration.step import Step
from segmentation_assets.storage.models import ModelReference, StoredModel
from segmentation_assets.tables.clusters import LEADERBOARD, USEFULNESS, assignments_table

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.clustering.fitting import ClusteringResult
    from segmentation_assets.clustering.leaderboard import Entrant
    from segmentation_assets.clustering.usefulness import Usefulness

_LEADERBOARD_SCORES = (*SCORE_NAMES, "stability", "coverage", "smallest_segment_share", "n_clusters")

MODEL_DOCUMENT = "model.json"
"""Names the fitted model beside the clusters: its name and content hash in the model store.

It is null where there was nothing to fit, and holds the ``failure`` of an algorithm that raised an error.
"""


NOT_DUE = "not_due"
"""Entry of `FIT_DOCUMENT`, and its only one, in a month in which no candidates are fitted: the reason."""

FIT_DOCUMENT = "fit.json"
"""What is worth showing and drawing of the fit, as `describe_fit` returns it."""

EVALUATION_DOCUMENT = "evaluation.json"
"""What refits say of the model: stability, confidence and the scores on reference data.

It is null where there is no model, and holds the ``failure`` of an algorithm that could not be fitted again.
"""


def algorithm(name: str) -> Callable[[Step], None]:
    """Make the body that fits one algorithm."""

    def body(step: Step) -> None:
        from segmentation_assets.clustering.fitting import assignments_frame, describe_fit, fit_clustering

        settings = step.platform.settings
        not_due = "" if step.by_hand else _reason_not_due(step)
        if not_due:
            _leave_out(step, name, not_due)
            return
        matrix, revenue = matrix_of(step), revenue_of(step)
        result = fit_clustering(
            matrix,
            revenue,
            ALGORITHMS[name],
            settings.clustering,
            settings.leaderboard,
            step.platform.data_dir / "checkpoints" / step.partition[:7],
        )
        rows = assignments_frame(result)
        step.write_frame(rows, assignments_table(name))
        step.write_document(FIT_DOCUMENT, json.dumps(describe_fit(result)))
        step.write_document(EVALUATION_DOCUMENT, json.dumps(_evaluation_plain(result)))
        of_matrix = revenue.reindex(matrix.index)
        step.reconcile(
            customers=(len(of_matrix), len(rows)),
            net_revenue=(of_matrix.sum(), rows["customer_id"].map(of_matrix).sum()),
        )
        step.metadata |= {
            "n_clusters": 0 if result.estimator is None else int(result.estimator.n_clusters_),
            "fitted_customers": result.fitted_count,
            "notes": list(result.notes),
            **_figures(result),
        }
        _check_fitted(step, result)
        _store_model(step, result)

    return body


def _reason_not_due(step: Step) -> str:
    every = step.platform.settings.clustering.refit_every_months
    return reason_not_due(step.platform.first_month, step.partition, every)


def _leave_out(step: Step, name: str, reason: str) -> None:
    """Write an empty result that says why nothing is fitted this month."""
    from segmentation_assets.clustering.fitting import empty_assignments

    step.write_frame(empty_assignments(), assignments_table(name))
    step.write_document(MODEL_DOCUMENT, json.dumps(None))
    step.write_document(FIT_DOCUMENT, json.dumps({NOT_DUE: reason}))
    step.write_document(EVALUATION_DOCUMENT, json.dumps(None))
    step.reconcile(customers=(0, 0), net_revenue=(0, 0))
    step.add_check(FITTED, f"{step.node.key}: {reason}.", passed=True, fitted_customers=0, reason=reason)
    step.metadata |= {"fitted_customers": 0, NOT_DUE: reason}


def _evaluation_plain(result: ClusteringResult) -> dict[str, Any] | None:
    """Write down what the trials of a fit say, or what the algorithm raised in them."""
    if result.refit_failure:
        return {"failure": result.refit_failure}
    return None if result.evaluation is None else result.evaluation.to_plain()


def _check_fitted(step: Step, result: ClusteringResult) -> None:
    """Record whether there is a model, and how to try again after a failure."""
    key, count = step.node.key, len(result.customers)
    if result.estimator is not None:
        clusters = f"{result.estimator.n_clusters_} clusters on {result.fitted_count:,} of {count:,} customers"
        step.add_check(FITTED, f"{key} was fitted: {clusters}.", passed=True, fitted_customers=result.fitted_count)
        return
    reason = result.notes[0]
    description = f"{key}: {reason}; see clusters/leaderboard."
    if result.failure:
        description += (
            "\nHint: the failure is kept like any result until inputs, settings or code change; to try again, run "
            f"'segmentation run --only {key} --month {step.partition[:7]} --force' and then 'segmentation run'."
        )
    step.add_check(FITTED, description, passed=False, fitted_customers=0, reason=reason)


def _store_model(step: Step, result: ClusteringResult) -> None:
    """Put the fitted model into the store and its name beside the clusters; null when there is none."""
    if result.estimator is None:
        step.write_document(MODEL_DOCUMENT, json.dumps({"failure": result.failure} if result.failure else None))
        return
    description = {
        "month": step.partition[:7],
        "seed": step.platform.settings.clustering.seed,
        "fitted_customers": result.fitted_count,
        "n_clusters": int(result.estimator.n_clusters_),
        "packages": package_versions(("scikit-learn", "numpy", "scipy", "skops")),
    }
    confidence = None if result.evaluation is None else result.evaluation.confidence.to_plain()
    stored = step.platform.models.save(
        result.algorithm, result.estimator, description, state={"confidence": confidence}
    )
    step.rest_on(step.platform.models.folder(stored))
    step.write_document(MODEL_DOCUMENT, json.dumps(asdict(stored)))
    step.metadata["model_hash"] = stored.content_hash


def _figures(result: ClusteringResult) -> dict[str, Any]:
    """Sizes of the clusters, and the scores of the chosen number of clusters where the algorithm searched for one."""
    from segmentation_assets.clustering.metrics import measure_sizes

    sizes = measure_sizes(result.labels)
    figures: dict[str, Any] = {
        "coverage": sizes.coverage,
        "smallest_segment_share": sizes.smallest_share,
        "smallest_segment_count": sizes.smallest_count,
    }
    if result.estimator is not None:
        figures |= result.estimator.figures_
    if result.evaluation is not None:
        figures |= {"stability": result.evaluation.stability, "confidence_error": result.evaluation.reliability_error}
    search = getattr(result.estimator, "search_", {})
    if "silhouette" in search:
        chosen = int(search["is_chosen"].argmax())
        scores = {name: float(search[name][chosen]) for name in SCORE_NAMES}
        figures |= {name: score for name, score in scores.items() if math.isfinite(score)}
    return figures


def usefulness(step: Step) -> None:
    """Measure how well the segmentations of an earlier month separated what followed."""
    import pandas as pd

    month, reason = _month_to_look_back_to(step)
    measured = {} if reason else _measure_usefulness(step, month)
    columns = list(USEFULNESS.column_names)
    frame = pd.DataFrame([{"candidate": name, **asdict(row)} for name, row in measured.items()], columns=columns)
    step.write_frame(frame.astype({"candidate": "str", "segmented_month": "str"}), USEFULNESS)
    not_measured = reason or ("" if measured else f"of {month[:7]} too few customers are left to compare, or all alike")
    step.metadata |= {"not_measured": not_measured or None, "segmented_month": None if reason else month[:7]}
    step.metadata |= {f"{name}_usefulness": row.usefulness for name, row in measured.items()}


def _month_to_look_back_to(step: Step) -> tuple[str, str]:
    """Return the month whose models are a horizon old, and why there is nothing to measure; empty where there is."""
    settings, platform = step.platform.settings, step.platform
    lookback = settings.calendar.lookback_months
    months_back = next(item.months_back for item in step.node.inputs if item.window == "previous")
    month = earlier_month(step.partition, months_back)
    if months_back > lookback:
        return month, f"models are {months_back} months old, and calendar.lookback_months is {lookback}"
    if month < platform.first_month:
        return month, f"no model is {months_back} months old yet; the first is of {platform.first_month[:7]}"
    return month, _reason_not_due(step)


def _measure_usefulness(step: Step, month: str) -> dict[str, Usefulness]:
    from segmentation_assets.clustering.usefulness import measure_usefulness

    settings = step.platform.settings
    partitions = {name: labels_of(step, name, month) for name in candidates_of(step)}
    return measure_usefulness(
        {name: labels for name, labels in partitions.items() if len(labels)},
        step.frame("gold/rfm_segments", partition=month).set_index("customer_id"),
        _money_since(step, month),
        settings.leaderboard,
        settings.clustering.score_sample,
        settings.clustering.seed,
        month[:7],
    )


def _money_since(step: Step, month: str) -> pd.Series:
    """Net revenue by customer from the as-of date of an earlier month to that of this one."""
    (since, _), (until, _) = as_of(step.platform, month), as_of(step.platform, step.partition)
    months = [name for name in lookback_months(step.platform, step.partition) if name > month]
    lines = step.slices_relation("silver/order_lines", months)
    frame = step.connection.sql(_MONEY_BETWEEN.format(lines=lines), params=[since, until]).df()
    return frame.set_index("customer_id")["amount"]


_MONEY_BETWEEN = """
SELECT customer_id, CAST(sum(CAST(amount AS DECIMAL(18,4))) AS DOUBLE) AS amount FROM {lines}
WHERE customer_id IS NOT NULL AND line_type IN ('sale', 'return') AND order_at >= ? AND order_at < ?
GROUP BY customer_id
"""


def leaderboard(step: Step) -> None:
    """Compare all candidates with each other and with the RFM map; where none is due, show the last comparison."""
    from segmentation_assets.clustering.leaderboard import ranking_rule

    names = candidates_of(step)
    not_due = [reason for reason in (_reason_left_out(step, name) for name in names) if reason]
    if names and len(not_due) == len(names):
        frame = step.frame(step.node.key, partition=previous_month(step.partition))
        step.metadata |= {NOT_DUE: not_due[0]}
    else:
        frame = _compare(step, names)
    step.write_frame(frame, LEADERBOARD)
    step.metadata |= {
        "candidates": len(frame),
        "candidates_passed": int((frame["passed_gates"] & ~frame["is_baseline"]).sum()),
        "scored_customers": int(frame["score_sample_count"].max()),
        "all_customers": int(frame["customer_count"].max()),
        **_scores_by_candidate(frame),
        "ranking_rule": ranking_rule(step.platform.settings.leaderboard),
        **{f"{row['candidate']}_reason": str(row["reason"]) for row in frame.to_dict("records")},
        **{
            f"{row['candidate']}_structure": str(row["structure"])
            for row in frame[frame["structure"].notna()].to_dict("records")
        },
    }


def _scores_by_candidate(frame: pd.DataFrame) -> dict[str, float | int]:
    """Scores as flat figures, such as ``kmeans_silhouette``; what was not measured is left out."""
    import pandas as pd

    return {
        f"{row['candidate']}_{name}": int(row[name]) if name == "n_clusters" else float(row[name])
        for row in frame.to_dict("records")
        for name in _LEADERBOARD_SCORES
        if pd.notna(row[name])
    }


def matrix_of(step: Step) -> pd.DataFrame:
    """Model matrix with the customers as index."""
    return step.frame("silver/model_matrix").set_index("customer_id")


def revenue_of(step: Step) -> pd.Series:
    """Net revenue by customer."""
    frame = step.frame("silver/customer_features", ["customer_id", "net_revenue_amount"])
    return frame.set_index("customer_id")["net_revenue_amount"]


def candidates_of(step: Step) -> tuple[str, ...]:
    """Algorithms whose clusters the step reads."""
    keys = [item.key for item in step.node.inputs if item.key.startswith("clusters/")]
    return tuple(name for name in (key.split("/")[1] for key in keys) if name in ALGORITHMS)


def labels_of(step: Step, name: str, partition: str | None = None) -> pd.Series:
    """Cluster by customer of one algorithm."""
    frame = step.frame(f"clusters/{name}", ["customer_id", "cluster"], partition)
    return frame.set_index("customer_id")["cluster"]


def _fit_of(step: Step, name: str) -> dict[str, str]:
    """Read what is noted beside the clusters of one algorithm; empty where there was nothing to fit."""
    return document_of(step, name, MODEL_DOCUMENT)


def document_of(step: Step, name: str, document: str) -> dict[str, Any]:
    """Read a document that lies beside the clusters of one algorithm; empty where it is null."""
    return json.loads(step.document(f"clusters/{name}", document)) or {}


def model_of(step: Step, name: str) -> StoredModel:
    """Load the model that made one algorithm's clusters of this month."""
    return step.platform.models.load(ModelReference(**_fit_of(step, name)))


def was_fitted(step: Step, name: str) -> bool:
    """Tell whether an algorithm has a model of this month."""
    return "content_hash" in _fit_of(step, name)


def is_due(step: Step, name: str) -> bool:
    """Tell whether an algorithm was to be fitted this month."""
    return not _reason_left_out(step, name)


def _reason_left_out(step: Step, name: str) -> str:
    """Say why an algorithm was not due; empty where it was."""
    return str(document_of(step, name, FIT_DOCUMENT).get(NOT_DUE, ""))


def _compare(step: Step, names: Iterable[str]) -> pd.DataFrame:
    from segmentation_assets.clustering.leaderboard import compare_candidates

    settings = step.platform.settings
    rfm = step.frame("gold/rfm_segments", ["customer_id", "rfm_segment"]).set_index("customer_id")["rfm_segment"]
    return compare_candidates(
        matrix_of(step),
        {name: _entrant(step, name) for name in names},
        rfm,
        revenue_of(step),
        settings.leaderboard,
        settings.clustering.score_sample,
        settings.clustering.seed,
        step.partition[:7],
        _usefulness_of(step),
    )


def _usefulness_of(step: Step) -> dict[str, Usefulness]:
    from segmentation_assets.clustering.usefulness import Usefulness

    rows = step.frame("clusters/usefulness").set_index("candidate").to_dict("index")
    return {str(name): Usefulness(**row) for name, row in rows.items()}


def _entrant(step: Step, name: str) -> Entrant:
    """Read what one algorithm found and what it is worth."""
    from segmentation_assets.clustering.evaluation import Evaluation
    from segmentation_assets.clustering.leaderboard import Entrant

    tried = document_of(step, name, EVALUATION_DOCUMENT)
    return Entrant(
        labels=labels_of(step, name),
        evaluation=Evaluation.from_plain(tried) if "confidence" in tried else None,
        failure=_fit_of(step, name).get("failure", ""),
        refit_failure=tried.get("failure", ""),
    )
