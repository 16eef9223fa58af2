"""The part of the dashboard that compares the clusterings: the leaderboard as a table, and charts of what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.errors import plural
from segmentation_assets.reporting.clustering_charts import Chart, ClusteringCharts
from segmentation_assets.reporting.clustering_plots import Panel, list_panels
from segmentation_assets.reporting.comparison_plots import (
    build_agreement_figure,
    build_score_figure,
    build_sizes_figure,
)
from segmentation_assets.reporting.figures import Figure
from segmentation_assets.reporting.formatting import format_count, format_month, format_share, is_known
from segmentation_assets.reporting.leaderboard_scores import Score, known_scores
from segmentation_assets.reporting.slide_candidates import candidates_title
from segmentation_assets.reporting.wording import algorithm_label
from segmentation_assets.tables.clusters import SEPARATE_GROUPS

if TYPE_CHECKING:
    from segmentation_assets.reporting.snapshot import Snapshot

View = dict[str, Any]


class ClusteringsPart(NamedTuple):
    """What the template writes of the clusterings, and the charts by the id of their element."""

    view: View
    figures: dict[str, Figure]


def clusterings_part(snapshot: Snapshot, charts: ClusteringCharts | None) -> ClusteringsPart:
    """Arrange the comparison of the clusterings.

    Parameters
    ----------
    snapshot : Snapshot
    charts : ClusteringCharts or None
        None where nothing was drawn for this month.

    Returns
    -------
    ClusteringsPart
        Where there is nothing to draw, `absent` of the view says why.
    """
    rows = _ordered(snapshot)
    scores = known_scores(snapshot.leaderboard)
    compared = _compared_month(snapshot)
    earlier = format_month(compared) if compared != snapshot.month else ""
    view: View = {
        "title": candidates_title(snapshot.leaderboard) if rows else "",
        "headings": [(score.heading, score.reading) for score in scores],
        "candidates": leaderboard_rows(snapshot),
        "compared_month": earlier,
        "absent": _absent_words(charts, earlier),
        "score_charts": [],
        "has_comparison": False,
        "algorithms": [],
    }
    if charts is None or not charts.comparison or not rows:
        return ClusteringsPart(view, {})
    panels = {name: list_panels(chart, charts.map) for name, chart in charts.algorithms.items()}
    figures = {
        **_comparison_figures(charts.comparison),
        **_score_figures(rows, scores),
        **{_panel_id(name, panel): panel.figure for name, own in panels.items() for panel in own},
    }
    view |= {
        "has_comparison": True,
        "compared": _compared_words(charts.comparison),
        "score_charts": [_score_view(score) for score in scores if score.is_drawn],
        "algorithms": _algorithm_views(snapshot, charts, panels),
    }
    return ClusteringsPart(view, figures)


def _absent_words(charts: ClusteringCharts | None, earlier: str) -> str:
    """Say why there are no charts, or none of an algorithm; empty where there are."""
    if charts is None:
        return "No charts were made of this month's clusterings."
    if charts.not_due:
        page = f"; charts of the last comparison are on the page of {earlier}" if earlier else ""
        return f"Nothing was fitted this month; {charts.not_due}. So there is nothing new to draw{page}."
    if not charts.algorithms:
        return "No algorithm has found clusters this month, so there are none to draw."
    return ""


def _compared_month(snapshot: Snapshot) -> str:
    """Return the month of the comparison, an earlier one where none was due."""
    if "compared_month" not in snapshot.leaderboard.columns or not len(snapshot.leaderboard):
        return snapshot.month
    return str(snapshot.leaderboard["compared_month"].astype(str).max())[:7]


def _ordered(snapshot: Snapshot) -> list[Mapping[str, Any]]:
    """Rows of the leaderboard: ranked ones, then those a gate kept out, then the baseline."""
    rows: list[Mapping[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in snapshot.leaderboard.to_dict("records")
    ]
    return sorted(rows, key=lambda row: (_is_baseline(row), _rank(row), str(row["candidate"])))


def _rank(row: Mapping[str, Any]) -> float:
    return float(row["rank"]) if is_known(row["rank"]) else float("inf")


def _is_baseline(row: Mapping[str, Any]) -> bool:
    return str(row["candidate"]) == BASELINE


def leaderboard_rows(snapshot: Snapshot) -> list[View]:
    """Write the candidates: ranked ones first, then those a gate kept out, then the baseline."""
    in_force = model_in_force(snapshot)
    scores = known_scores(snapshot.leaderboard)
    return [_leaderboard_row(row, in_force, scores) for row in _ordered(snapshot)]


class ModelInForce(NamedTuple):
    """The algorithm in force, and whether what the candidates say of it is about that very model."""

    algorithm: str
    is_compared: bool


def model_in_force(snapshot: Snapshot) -> ModelInForce:
    """Return the model in force; a fixed rule is the same in every month."""
    trained = {str(month)[:7] for month in snapshot.champion["trained_month"]}
    return ModelInForce(snapshot.algorithm, snapshot.algorithm == BASELINE or trained == {_compared_month(snapshot)})


def _leaderboard_row(row: Mapping[str, Any], in_force: ModelInForce, scores: list[Score]) -> View:
    is_same = str(row["candidate"]) == in_force.algorithm
    structure = row.get("structure")
    return {
        "name": algorithm_label(str(row["candidate"])),
        "rank": format_count(row["rank"]),
        "in_force": is_same and in_force.is_compared,
        "is_refit": is_same and not in_force.is_compared,
        "is_baseline": _is_baseline(row),
        "passed": bool(row["passed_gates"]),
        "structure": str(structure) if is_known(structure) else "",
        "is_separate": structure == SEPARATE_GROUPS,
        "clusters": format_count(row["n_clusters"]),
        "smallest": f"{format_count(row.get('smallest_segment_count'))} "
        f"({format_share(row.get('smallest_segment_share'))})",
        "scores": [score.write(row[score.column]) for score in scores],
        "sample": format_count(row.get("score_sample_count")),
        "reason": str(row["reason"]),
    }


def _comparison_figures(comparison: Chart) -> dict[str, Figure]:
    labels = {name: algorithm_label(name) for name in comparison["agreement"]["candidates"]}
    return {
        "figure-sizes": build_sizes_figure(comparison["sizes"], labels),
        "figure-agreement": build_agreement_figure(comparison["agreement"], labels),
    }


def _compared_words(comparison: Chart) -> str:
    compared, everyone = comparison["compared_count"], comparison["customer_count"]
    of = f" of {everyone:,}" if compared < everyone else ""
    return f"{compared:,}{of} customers"


def _score_figures(rows: list[Mapping[str, Any]], scores: list[Score]) -> dict[str, Figure]:
    return {
        _score_id(score): build_score_figure([_score_bar(row, score) for row in rows])
        for score in scores
        if score.is_drawn
    }


def _score_id(score: Score) -> str:
    return f"figure-score-{score.column.replace('_', '-')}"


def _score_view(score: Score) -> View:
    return {"id": _score_id(score), "title": score.heading, "note": score.reading}


def _score_bar(row: Mapping[str, Any], score: Score) -> tuple[str, float | None, str, bool]:
    """Return label, value, the value beside coverage and sample, and whether the candidate is ranked."""
    value = float(row[score.column]) if is_known(row[score.column]) else None
    words = f"{score.write(value)}, coverage {format_share(row['coverage'])}"
    if is_known(row.get("score_sample_count")):
        words += f", scored on {plural(int(row['score_sample_count']), 'customer')}"
    return algorithm_label(str(row["candidate"])), value, words, is_known(row["rank"])


def _algorithm_views(snapshot: Snapshot, charts: ClusteringCharts, panels: Mapping[str, list[Panel]]) -> list[View]:
    """Arrange the charts of each algorithm in the order of the leaderboard; the one in force is shown first."""
    rows = {str(row["candidate"]): row for row in _ordered(snapshot)}
    names = [name for name in rows if name in panels]
    shown = snapshot.algorithm if snapshot.algorithm in names else next(iter(names), "")
    return [
        {
            "name": name,
            "label": algorithm_label(name),
            "is_shown": name == shown,
            "verdict": _verdict(rows[name], charts.algorithms[name]),
            "large": [_panel_view(name, panel) for panel in panels[name] if not panel.is_small],
            "small": [_panel_view(name, panel) for panel in panels[name] if panel.is_small],
        }
        for name in names
    ]


def _verdict(row: Mapping[str, Any], chart: Chart) -> str:
    """Say of an algorithm what it found and what was decided."""
    found = plural(int(chart["n_clusters"]), "cluster")
    place = f"rank {int(row['rank'])}" if is_known(row["rank"]) else "not ranked, a gate failed"
    structure = f", {row['structure']}" if is_known(row.get("structure")) else ""
    return f"{found}{structure}; {place}; {format_share(row['coverage'])} of the customers in a segment"


def _panel_id(name: str, panel: Panel) -> str:
    return f"figure-{name.replace('_', '-')}-{panel.name}"


def _panel_view(name: str, panel: Panel) -> View:
    return {"id": _panel_id(name, panel), "title": panel.title, "note": panel.note}
