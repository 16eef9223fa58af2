"""The month in words, as Markdown. Every text that comes from data is made inert first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import plural
from segmentation_assets.reporting.caveats import list_caveats
from segmentation_assets.reporting.dashboard_tables import segment_names
from segmentation_assets.reporting.formatting import (
    escape_markdown,
    format_change,
    format_count,
    format_date,
    format_days,
    format_money,
    format_money_compact,
    format_month,
    format_number,
    format_share,
)
from segmentation_assets.reporting.movement import count_movement
from segmentation_assets.reporting.segment_cards import SegmentCard, describe_segments
from segmentation_assets.reporting.wording import algorithm_label

if TYPE_CHECKING:
    from segmentation_assets.reporting.snapshot import Snapshot


def render_business_report(snapshot: Snapshot) -> str:
    """Render the business report of one month.

    Parameters
    ----------
    snapshot : Snapshot
        The month.

    Returns
    -------
    str
        Markdown (GitHub flavour for tables). The same input gives the same text.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("segmentation_assets.reporting", "templates"),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    cards = describe_segments(snapshot)
    context = {
        "title": snapshot.title,
        "month": format_month(snapshot.month),
        "as_of": format_date(snapshot.as_of_date),
        "is_partial": snapshot.is_partial,
        "summary": _summary(snapshot, cards),
        "segments": [_segment(card, snapshot.currency) for card in cards],
        "movement": _movement(snapshot, cards),
        "decision": next(iter(snapshot.champion["decision_reason"].astype(str)), "There is no model in force."),
        "caveats": list_caveats(snapshot),
        "run_facts": sorted(snapshot.run_facts.items()),
    }
    return environment.get_template("business_report.md.j2").render(_escape(context))


def _escape(value: Any) -> Any:
    """Make every text inside a context inert in Markdown."""
    if isinstance(value, str):
        return escape_markdown(value)
    if isinstance(value, dict):
        return {key: _escape(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_escape(inner) for inner in value]
    return value


def _summary(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> list[str]:
    """Write the executive summary, one finding per sentence."""
    if not cards:
        return ["There is no segment this month."]
    money = sum(card.net_revenue_amount for card in cards)
    customers = plural(len(snapshot.assigned), "customer")
    total = format_money_compact(money, snapshot.currency)
    count, model = plural(len(cards), "segment"), algorithm_label(snapshot.algorithm)
    sentences = [f"{customers} with {total} net revenue {snapshot.lookback} fall into {count} ({model})."]
    top = cards[0]
    if top.net_revenue_share is not None:
        sentences.append(
            f"{top.key} {top.name} brings the most: {format_share(top.net_revenue_share)} of the revenue from "
            f"{format_share(top.customer_share)} of the customers."
        )
    return [*sentences, *_change_sentences(snapshot, cards)]


def _change_sentences(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> list[str]:
    """Say which segments grew and shrank most, and how many customers moved."""
    movement = count_movement(snapshot)
    if movement is None:
        return ["There is no earlier month to compare with."]
    moved, share = plural(movement.moved_count, "customer"), format_share(movement.moved_share)
    sentences = [f"{moved} ({share}) changed segment since {format_month(movement.month_before)}."]
    changes = sorted((card.count_change or 0, card.key, card.name) for card in cards)
    (low, low_key, low_name), (high, high_key, high_name) = changes[0], changes[-1]
    if high > 0:
        sentences.append(f"{high_key} {high_name} grew most, by {plural(high, 'customer')}.")
    if low < 0:
        sentences.append(f"{low_key} {low_name} shrank most, by {plural(-low, 'customer')}.")
    return sentences


def _segment(card: SegmentCard, currency: str) -> dict[str, Any]:
    return {
        "key": card.key,
        "name": card.name,
        "count": format_count(card.customer_count),
        "customer_share": format_share(card.customer_share),
        "money": format_money(card.net_revenue_amount, currency),
        "money_share": format_share(card.net_revenue_share),
        "recency": format_days(card.median_recency_days),
        "orders": format_number(card.median_order_count),
        "order_value": format_money(card.median_order_value, currency),
        "change": format_change(card.count_change),
        "meaning": card.meaning,
        "traits": [trait.sentence for trait in card.traits],
        "rules": list(card.rules),
        "rules_note": card.rules_note,
        "changes": list(card.changes),
        "strategy": list(card.strategy.items()),
    }


def _movement(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> dict[str, Any] | None:
    movement = count_movement(snapshot)
    if movement is None:
        return None
    names = segment_names(snapshot, cards)
    return {
        "month_before": format_month(movement.month_before),
        "stayed": plural(movement.stayed_count, "customer"),
        "moved": format_count(movement.moved_count),
        "new": format_count(movement.new_count),
        "left": format_count(movement.left_count) if movement.left_count else "",
        "moves": [
            {
                "source": f"{source} {names.get(source, source)}",
                "target": f"{target} {names.get(target, target)}",
                "count": format_count(count),
            }
            for source, target, count in movement.largest_moves(10)
        ],
    }
