"""Bodies of the clusters layer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.monitoring.run_records import package_versions
from segmentation_assets.orchestration.step import Step
from segmentation_assets.storage.models import ModelReference, StoredModel
from segmentation_assets.tables.clusters import LEADERBOARD, assignments_table

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.clustering.fitting import ClusteringResult

MODEL_DOCUMENT = "model.json"
"""Names the fitted model beside the clusters: its name and content hash in the model store; null without a model."""


def algorithm(name: str) -> Callable[[Step], None]:
    """Make the body that fits one algorithm."""

    def body(step: Step) -> None:
        from segmentation_assets.clustering.fitting import assignments_frame, fit_clustering

        settings = step.platform.settings
        matrix = matrix_of(step)
        result = fit_clustering(matrix, revenue_of(step), ALGORITHMS[name], settings.clustering, settings.leaderboard)
        rows = assignments_frame(result)
        step.write_frame(rows, assignments_table(name))
        revenue = revenue_of(step).reindex(matrix.index)
        step.reconcile(
            customers=(len(revenue), len(rows)),
            net_revenue=(revenue.sum(), rows["customer_id"].map(revenue).sum()),
        )
        step.metadata |= {
            "n_clusters": 0 if result.estimator is None else int(result.estimator.n_clusters_),
            "fitted_customers": result.fitted_count,
            "notes": list(result.notes),
        }
        _store_model(step, result)

    return body


def _store_model(step: Step, result: ClusteringResult) -> None:
    """Put the fitted model into the store and its name beside the clusters; null when there is none."""
    if result.estimator is None:
        step.write_document(MODEL_DOCUMENT, json.dumps(None))
        return
    description = {
        "month": step.partition[:7],
        "seed": step.platform.settings.clustering.seed,
        "fitted_customers": result.fitted_count,
        "n_clusters": int(result.estimator.n_clusters_),
        "packages": package_versions(("scikit-learn", "numpy", "scipy", "skops")),
    }
    stored = step.platform.models.save(result.algorithm, result.estimator, description)
    step.rest_on(step.platform.models.folder(stored))
    step.write_document(MODEL_DOCUMENT, json.dumps(asdict(stored)))
    step.metadata["model_hash"] = stored.content_hash


def leaderboard(step: Step) -> None:
    """Compare all candidates with each other and with the RFM map."""
    step.write_frame(_compare(step), LEADERBOARD)


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
    return tuple(key.split("/")[1] for key in keys if key != "clusters/leaderboard")


def labels_of(step: Step, name: str) -> pd.Series:
    """Cluster by customer of one algorithm."""
    return step.frame(f"clusters/{name}", ["customer_id", "cluster"]).set_index("customer_id")["cluster"]


def is_fitted(step: Step, name: str) -> bool:
    """Whether one algorithm has a model of this month; there is none when there was nothing to fit."""
    return json.loads(step.document(f"clusters/{name}", MODEL_DOCUMENT)) is not None


def model_of(step: Step, name: str) -> StoredModel:
    """Load the model that made one algorithm's clusters of this month."""
    return step.platform.models.load(ModelReference(**json.loads(step.document(f"clusters/{name}", MODEL_DOCUMENT))))


def _compare(step: Step) -> pd.DataFrame:
    from segmentation_assets.clustering.leaderboard import compare_candidates
    from segmentation_assets.clustering.stability import refit_of

    settings = step.platform.settings
    names = candidates_of(step)
    rfm = step.frame("gold/rfm_segments", ["customer_id", "rfm_segment"]).set_index("customer_id")["rfm_segment"]
    return compare_candidates(
        matrix_of(step),
        {name: labels_of(step, name) for name in names},
        rfm,
        {name: refit_of(model_of(step, name).estimator) for name in names if is_fitted(step, name)},
        settings.leaderboard,
        settings.clustering.score_sample,
        settings.clustering.seed,
    )
