"""Body of the reports about the clusterings of a month."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.leaderboard import ranking_rule
from segmentation_assets.clustering.registry import ALGORITHMS
from segmentation_assets.graph.inputs import as_of
from segmentation_assets.orchestration.assets.clusters import (
    EVALUATION_DOCUMENT,
    FIT_DOCUMENT,
    candidates_of,
    document_of,
    matrix_of,
    model_of,
)
from segmentation_assets.orchestration.assets.outputs import deliver_report, feature_texts
from segmentation_assets.orchestration.step import Step
from segmentation_assets.reporting.clustering_charts import CHARTS, ClusteringCharts, make_charts
from segmentation_assets.reporting.clustering_comparison import measure_agreement, render_comparison
from segmentation_assets.reporting.clustering_data import AlgorithmResult, ClusteringMonth, by_customer, decision_of
from segmentation_assets.reporting.clustering_figures import draw_clustering
from segmentation_assets.reporting.clustering_profile import profile_clustering
from segmentation_assets.reporting.clustering_report import render_clustering_report
from segmentation_assets.reporting.comparison_figure import draw_comparison

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

REPORT = "reports/clusterings"
FOLDER = "clusterings"
"""Folder below that of the month."""

COMPARISON = "comparison"


def clusterings(step: Step) -> None:
    """Write a report, a profile and pictures of every algorithm, their comparison, and what the pictures show."""
    month, map_settings = _month(step), step.platform.settings.reports.map
    results = [_result(step, name, month) for name in candidates_of(step)]
    agreement = measure_agreement([result for result in results if not result.not_due], month)
    charts = make_charts(results, month, agreement, map_settings)
    for result in results:
        _report(step, result, month, charts)
    picture = f"{COMPARISON}.png" if charts.comparison else ""
    _write(step, f"{COMPARISON}.md", render_comparison(month, agreement, picture))
    if picture:
        deliver_report(step, f"{FOLDER}/{picture}").write_bytes(draw_comparison(charts.comparison, month.ranking))
    _write(step, CHARTS, charts.to_json())
    step.metadata |= {
        "algorithms": len(results),
        "algorithms_fitted": len(charts.algorithms),
        "map_method": map_settings.method,
    }


def _report(step: Step, result: AlgorithmResult, month: ClusteringMonth, charts: ClusteringCharts) -> None:
    """Write the report of one algorithm, the same as data, and its pictures if there is a model."""
    document, chart = profile_clustering(result, month), charts.algorithms.get(result.name)
    pictures = draw_clustering(result.name, chart, charts.map) if chart else {}
    shown = [(words, name) for name, (words, _) in pictures.items()]
    _write(step, f"{result.name}.md", render_clustering_report(document, shown))
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    _write(step, f"{result.name}.json", text + "\n")
    for name, (_, png) in pictures.items():
        deliver_report(step, f"{FOLDER}/{name}").write_bytes(png)


def _write(step: Step, name: str, text: str) -> None:
    deliver_report(step, f"{FOLDER}/{name}").write_text(text, encoding="utf-8")


def _month(step: Step) -> ClusteringMonth:
    settings = step.platform.settings
    matrix = matrix_of(step).sort_index()
    rfm = by_customer(step.frame("gold/rfm_segments", ["customer_id", "rfm_segment"]), matrix.index)
    return ClusteringMonth(
        month=step.partition[:7],
        as_of_date=as_of(step.platform, step.partition)[0],
        currency=settings.currency,
        features=by_customer(step.frame("silver/customer_features"), matrix.index),
        matrix=matrix,
        rfm=rfm["rfm_segment"],
        leaderboard=step.frame("clusters/leaderboard"),
        ranking_rule=ranking_rule(settings.leaderboard),
        seed=settings.clustering.seed,
        texts=feature_texts(step),
    )


def _result(step: Step, name: str, month: ClusteringMonth) -> AlgorithmResult:
    assignments = by_customer(step.frame(f"clusters/{name}"), month.matrix.index)
    return AlgorithmResult(
        name=name,
        description=ALGORITHMS[name].description,
        fit=document_of(step, name, FIT_DOCUMENT),
        evaluation=document_of(step, name, EVALUATION_DOCUMENT),
        assignments=assignments,
        decision=decision_of(month.leaderboard, name),
        memberships=_memberships(step, name, assignments, month.matrix),
    )


def _memberships(
    step: Step, name: str, assignments: pd.DataFrame, matrix: pd.DataFrame
) -> npt.NDArray[np.float64] | None:
    """Compute all degrees of membership anew from the stored model, as the table holds only the own one."""
    if not assignments["membership"].notna().any():
        return None
    estimator: Any = model_of(step, name).estimator
    found: npt.NDArray[np.float64] | None = estimator.assign(matrix).memberships
    return found
