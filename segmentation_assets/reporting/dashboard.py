"""The dashboard: one HTML page that works offline, in light and dark, on paper and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentation_assets.clustering.leaderboard import BASELINE
from segmentation_assets.config.settings import DashboardSettings, MapSettings
from segmentation_assets.errors import plural
from segmentation_assets.reporting.clustering_charts import ClusteringCharts
from segmentation_assets.reporting.dashboard_clusterings import clusterings_part
from segmentation_assets.reporting.dashboard_tables import (
    card_views,
    data_view,
    exceptional_view,
    movement_view,
    profile_view,
    segment_names,
)
from segmentation_assets.reporting.figures import (
    Figure,
    build_flows_figure,
    build_map_figure,
    build_shares_figure,
    describe_axis,
)
from segmentation_assets.reporting.formatting import (
    format_count,
    format_date,
    format_money,
    format_money_compact,
    format_month,
    format_share,
)
from segmentation_assets.reporting.movement import count_movement
from segmentation_assets.reporting.page import render_page
from segmentation_assets.reporting.projection import PRINCIPAL_COMPONENTS, CustomerMap, project_customers
from segmentation_assets.reporting.segment_cards import SegmentCard, describe_segments
from segmentation_assets.reporting.wording import algorithm_label

if TYPE_CHECKING:
    from segmentation_assets.reporting.snapshot import Snapshot


def render_dashboard(
    snapshot: Snapshot,
    settings: DashboardSettings,
    map_settings: MapSettings = PRINCIPAL_COMPONENTS,
    charts: ClusteringCharts | None = None,
) -> str:
    """Render the dashboard of one month.

    Parameters
    ----------
    snapshot : Snapshot
        The month.
    settings : DashboardSettings
        Most customers drawn on the map; the heading is `snapshot.title`.
    map_settings : MapSettings
    charts : ClusteringCharts or None
        What is drawn of the month's clusterings; None where that is not known.

    Returns
    -------
    str
        A complete HTML document of about 5 MB, most of it plotly. The same input gives the same text.
    """
    cards = describe_segments(snapshot)
    customer_map = project_customers(snapshot, n_points=settings.map_points, settings=map_settings)
    clusterings = clusterings_part(snapshot, charts)
    return render_page(
        "dashboard.html.j2",
        _build_figures(snapshot, cards, customer_map) | clusterings.figures,
        heading=snapshot.title,
        head=_header(snapshot, cards),
        cards=card_views(snapshot, cards),
        exceptional=exceptional_view(snapshot),
        customer_map=_map_view(customer_map),
        profile=profile_view(snapshot, cards),
        movement=movement_view(snapshot, cards),
        month_count=int(snapshot.shares["month"].nunique()),
        has_month_without_money=_has_month_without_money(snapshot),
        clusterings=clusterings.view,
        data=data_view(snapshot),
        run_facts=sorted(_run_facts(snapshot, customer_map).items()),
    )


def _build_figures(
    snapshot: Snapshot, cards: tuple[SegmentCard, ...], customer_map: CustomerMap | None
) -> dict[str, Figure]:
    """Build the charts by the id of their element."""
    figures: dict[str, Figure] = {}
    if customer_map is not None:
        figures["figure-map"] = build_map_figure(customer_map)
    if len(snapshot.shares):
        figures["figure-customers"] = build_shares_figure(snapshot.shares, "customer_count")
        figures["figure-money"] = build_shares_figure(snapshot.shares, "net_revenue_amount")
    if movement_view(snapshot, cards) and len(snapshot.flows):
        figures["figure-flows"] = build_flows_figure(snapshot.flows, segment_names(snapshot, cards))
    return figures


def _run_facts(snapshot: Snapshot, customer_map: CustomerMap | None) -> dict[str, str]:
    layout = {} if customer_map is None else {"layout of the map": customer_map.facts.method_words}
    return {**snapshot.run_facts, **layout}


def _has_month_without_money(snapshot: Snapshot) -> bool:
    """Return whether some month's net revenue adds up to nothing or less, so that it has no shares."""
    totals = snapshot.shares["net_revenue_amount"].astype("float64").groupby(snapshot.shares["month"]).sum()
    return bool((totals <= 0).any())


def _header(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> dict[str, Any]:
    """Gather what the top of the page says."""
    money = sum(card.net_revenue_amount for card in cards)
    movement = count_movement(snapshot)
    aside = len(snapshot.customer_segments) - len(snapshot.assigned)
    without = f", {aside:,} without" if aside else ""
    facts = [
        ("Customers", format_count(len(snapshot.assigned)), f"with a segment{without}"),
        (
            "Net revenue",
            format_money_compact(money, snapshot.currency),
            f"{format_money(money, snapshot.currency)} {snapshot.lookback}",
        ),
        ("Segments", format_count(len(cards)), _model_words(snapshot)),
    ]
    if movement is not None:
        facts.append(
            (
                "Changed segment",
                format_share(movement.moved_share),
                f"{plural(movement.moved_count, 'customer')} since {format_month(movement.month_before)}",
            )
        )
    reasons = snapshot.champion["decision_reason"].astype(str).tolist()
    return {
        "month": format_month(snapshot.month),
        "as_of": format_date(snapshot.as_of_date),
        "as_of_iso": snapshot.as_of_date.isoformat(),
        "is_partial": snapshot.is_partial,
        "facts": facts,
        "intro": _model_sentence(snapshot, cards),
        "decision": reasons[0] if reasons else "There is no segmentation in force.",
    }


def _model_words(snapshot: Snapshot) -> str:
    """Say which model is in force and since when."""
    if not len(snapshot.champion):
        return "no model in force"
    trained = format_month(str(snapshot.champion["trained_month"].iloc[0]))
    return f"{algorithm_label(snapshot.algorithm)}, in force since {trained}"


def _model_sentence(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> str:
    """Say what made the segments and what the figures count."""
    if not cards:
        return "There is no segmentation in force."
    trained = format_month(str(snapshot.champion["trained_month"].iloc[0]))
    count, algorithm = plural(len(cards), "segment"), algorithm_label(snapshot.algorithm)
    made = "cut at the quintiles" if snapshot.algorithm == BASELINE else "fitted on the customers"
    return (
        f"{count} of the {algorithm} {made} of {trained} and frozen since, so that a segment means the same in every "
        f"month. Orders and money are counted {snapshot.lookback}."
    )


def _map_view(customer_map: CustomerMap | None) -> dict[str, Any] | None:
    """Gather what stands beside the map."""
    if customer_map is None:
        return None
    return {
        "sample": customer_map.facts.sample,
        "method": customer_map.facts.method_words,
        "reading": customer_map.facts.reading,
        "axes": [describe_axis(loadings) for loadings in customer_map.loadings],
    }
