"""The texts and tables of the dashboard, ready to print; escaping is the template's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import plural
from segmentation_assets.reporting.caveats import count_quarantine, list_notices
from segmentation_assets.reporting.exceptional_customers import describe_exceptional
from segmentation_assets.reporting.flow_table import flow_table
from segmentation_assets.reporting.formatting import (
    UNKNOWN,
    format_change,
    format_count,
    format_days,
    format_feature,
    format_money,
    format_money_compact,
    format_month,
    format_number,
    format_points,
    format_scores,
    format_share,
    is_known,
)
from segmentation_assets.reporting.movement import NEW, Movement, count_movement, moves_by_cause
from segmentation_assets.reporting.palette import segment_colour
from segmentation_assets.segments.profiles import WARN_IMPUTED_SHARE
from segmentation_assets.tables.gold import CUSTOMER_STATES, STATES_WITH_SEGMENT

if TYPE_CHECKING:
    from segmentation_assets.reporting.segment_cards import SegmentCard
    from segmentation_assets.reporting.snapshot import Snapshot

FULL_EFFECT = 2.0
"""Effect size at which a cell of the profile has its full colour."""

View = dict[str, Any]


def card_views(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> list[View]:
    """Write the segment cards."""
    return [_card_view(card, snapshot.currency) for card in cards]


def _card_view(card: SegmentCard, currency: str) -> View:
    facts = [
        ("Net revenue", "", format_money_compact(card.net_revenue_amount, currency)),
        ("Per customer", "mean", format_money(card.revenue_per_customer, currency)),
        ("Last order", "median", _ago(card.median_recency_days)),
        ("Orders", "median", format_number(card.median_order_count)),
        ("Order value", "median", format_money(card.median_order_value, currency)),
        ("RFM scores", "mean", format_scores(card.mean_scores)),
    ]
    return {
        "key": card.key,
        "name": card.name,
        "colour": segment_colour(card.key),
        "count": format_count(card.customer_count),
        "noun": "customer" if card.customer_count == 1 else "customers",
        "meaning": card.meaning,
        "customer_share": format_share(card.customer_share),
        "customer_width": _width(card.customer_share),
        "money_share": format_share(card.net_revenue_share),
        "money_width": _width(card.net_revenue_share),
        "facts": [fact for fact in facts if fact[2] != UNKNOWN] if card.customer_count else [],
        "change": _change_words(card),
        "trend": _trend(card.count_change),
        "traits": card.traits,
        "rules": card.rules,
        "rules_note": card.rules_note,
        "changes": card.changes,
        "strategy": list(card.strategy.items()),
    }


def exceptional_view(snapshot: Snapshot) -> View | None:
    """Write the card of the customers in no segment; None where every customer with a sale has one."""
    found = describe_exceptional(snapshot)
    if found is None:
        return None
    return {
        "count": format_count(found.customer_count),
        "noun": "customer" if found.customer_count == 1 else "customers",
        "sentence": found.sentence,
        "customer_share": format_share(found.customer_share),
        "customer_width": _width(found.customer_share),
        "money": format_money_compact(found.net_revenue_amount, snapshot.currency),
        "money_share": format_share(found.net_revenue_share),
        "money_width": _width(found.net_revenue_share),
        "has_money": found.net_revenue_amount is not None,
        "groups": [(format_count(count), words) for words, count in found.groups],
    }


def _ago(days: float | None) -> str:
    return UNKNOWN if days is None else f"{format_days(days)} ago"


def _width(share: float | None) -> str:
    """Return a bar length in percent."""
    return f"{min(max(share or 0.0, 0.0), 1.0) * 100:.1f}"


def _trend(change: int | None) -> str:
    return "none" if not change else "up" if change > 0 else "down"


def _change_words(card: SegmentCard) -> str:
    if card.count_change is None:
        return "no earlier month to compare"
    if card.count_change == 0:
        return "as many customers as a month earlier"
    return f"{format_change(card.count_change)} since last month (share {format_points(card.share_change)})"


def profile_view(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> View:
    """Arrange effect sizes as a feature × segment table with warnings on filled-in values.

    Features are ordered by their largest absolute effect that does not rest on filled-in values, then by name; those
    in which no segment differs are listed apart, as are those that are not offered to the clusterings.
    """
    profiles = snapshot.segment_profiles
    cells = {(str(row.feature), str(row.segment_key)): row for row in profiles.itertuples()}
    sizes = profiles.assign(size=profiles["effect_size"].astype("float64").abs())
    differs = sizes.groupby("feature")["size"].max().fillna(0.0) > 0
    own = sizes["size"].where(sizes["imputed_share"].astype("float64") < WARN_IMPUTED_SHARE)
    strength = own.groupby(sizes["feature"]).max().fillna(0.0)
    features = sorted(map(str, strength.index), key=lambda name: (-float(strength[name]), name))
    shown = [card for card in cards if card.customer_count > 0]
    rows = [_profile_row(snapshot, name, shown, cells) for name in features if differs[name] or len(shown) == 1]
    return {
        "same": []
        if len(shown) == 1
        else [snapshot.feature_text(name).label for name in features if not differs[name]],
        "segments": [{"key": card.key, "name": card.name, "colour": segment_colour(card.key)} for card in shown],
        "rows": [row for row in rows if row["is_main"]],
        "more": [row for row in rows if not row["is_main"]],
        "has_warnings": any(cell["warning"] for row in rows for cell in row["cells"]),
        "warn_share": format_share(WARN_IMPUTED_SHARE, digits=0),
    }


def _profile_row(
    snapshot: Snapshot, feature: str, shown: list[SegmentCard], cells: Mapping[tuple[str, str], Any]
) -> View:
    """Write the row of one feature; means stand in for medians that are all the same."""
    own = [_profile_cell(snapshot, feature, card, cells.get((feature, card.key)), "median") for card in shown]
    text = snapshot.feature_text(feature)
    by_mean = len(shown) > 1 and len({cell["value"] for cell in own}) == 1
    if by_mean:
        own = [_profile_cell(snapshot, feature, card, cells.get((feature, card.key)), "mean") for card in shown]
    return {
        "label": text.label,
        "name": feature,
        "meaning": text.meaning,
        "is_main": text.is_main,
        "by_mean": by_mean,
        "cells": own,
    }


def _profile_cell(snapshot: Snapshot, feature: str, card: SegmentCard, row: Any, statistic: str) -> View:
    """Write one cell: effect size, median or mean, and a warning where many values are filled in."""
    if row is None:
        return {"key": card.key, "effect": UNKNOWN, "side": "none", "weight": "0", "value": UNKNOWN, "warning": ""}
    unit = snapshot.feature_text(feature).unit
    value = getattr(row, statistic)
    effect = float(row.effect_size) if is_known(row.effect_size) else None
    imputed = float(row.imputed_share) if is_known(row.imputed_share) else 0.0
    side = "none" if effect is None else "above" if effect > 0 else "below"
    return {
        "key": card.key,
        "effect": UNKNOWN if effect is None else _signed_effect(effect),
        "side": side,
        "weight": f"{min(abs(effect or 0.0) / FULL_EFFECT, 1.0) * 70:.0f}",
        "value": format_feature(value, feature=feature, unit=unit, currency=snapshot.currency),
        "warning": f"{format_share(imputed, digits=0)} filled in" if imputed >= WARN_IMPUTED_SHARE else "",
    }


def _signed_effect(effect: float) -> str:
    text = f"{effect:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text.replace("-", "−")


def movement_view(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> View | None:
    """Arrange last month's segments against this month's, or None in a first snapshot."""
    movement = count_movement(snapshot)
    if movement is None:
        return None
    names = segment_names(snapshot, cards)
    largest = movement.largest_moves(3)
    return {
        "month_before": format_month(movement.month_before),
        "columns": [_segment_view(str(key), names) for key in movement.counts.columns],
        "rows": [_movement_row(movement, str(key), names) for key in movement.counts.index],
        "stayed": format_count(movement.stayed_count),
        "moved": format_count(movement.moved_count),
        "moved_share": format_share(movement.moved_share),
        "new": format_count(movement.new_count),
        "left": format_count(movement.left_count),
        "has_left": movement.left_count > 0,
        "has_flows": len(snapshot.flows) > 0,
        "causes": [
            (moves.words, format_count(moves.customer_count), format_money(moves.revenue_amount, snapshot.currency))
            for moves in moves_by_cause(snapshot.flows)
        ],
        "directions": [(words, format_count(snapshot.directions.get(name, 0))) for name, words in _DIRECTIONS.items()]
        if snapshot.directions
        else [],
        "events": [str(sentence) for sentence in snapshot.events.get("explanation", [])],
        "largest": [
            {"from": _segment_view(source, names), "to": _segment_view(target, names), "count": format_count(count)}
            for source, target, count in largest
        ],
    }


_DIRECTIONS = {
    "upgrade": "to a segment whose customers bring more",
    "downgrade": "to a segment whose customers bring less",
    "entry": "into a segment",
    "exit": "out of all segments",
}


def segment_names(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> dict[str, str]:
    """Return the name of every segment key, retired ones included; the present name wins."""
    names = {str(row.segment_key): str(row.segment_name) for row in snapshot.shares.itertuples()}
    return names | {card.key: card.name for card in cards}


def _segment_view(key: str, names: dict[str, str]) -> View:
    return {"key": key, "name": names.get(key, key), "colour": segment_colour(key)}


def _movement_row(movement: Movement, key: str, names: dict[str, str]) -> View:
    counts = movement.counts.loc[key]
    total = max(int(counts.sum()) + movement.left.get(key, 0), 1)
    cells = [
        {
            "key": str(target),
            "count": format_count(count) if count else "",
            "weight": f"{int(count) / total * 60:.0f}" if count else "0",
            "stayed": target == key,
        }
        for target, count in counts.items()
    ]
    return {
        "segment": None if key == NEW else _segment_view(key, names),
        "cells": cells,
        "left": format_count(movement.left[key]) if movement.left.get(key) else "",
    }


def data_view(snapshot: Snapshot) -> View:
    """Write what is known about the data: reconciliation, quarantine, imputation, what is absent."""
    reconciliation = [
        {
            "layer": str(row.layer),
            "measure": str(row.measure),
            "expected": _cell(row.expected),
            "found": _cell(row.found),
            "passed": bool(row.passed),
        }
        for row in snapshot.reconciliation.itertuples()
    ]
    quarantine = [
        {"table": str(row.table_name), "explanation": str(row.explanation), "count": format_count(row.row_count)}
        for row in snapshot.quarantine_counts.itertuples()
    ]
    imputation = [
        {
            "label": snapshot.feature_text(str(row.feature)).label,
            "name": str(row.feature),
            "reason": str(row.reason).replace("_", " "),
            "rule": str(row.rule),
            "count": format_count(row.filled_count),
            "share": format_share(int(row.filled_count) / max(len(snapshot.features), 1)),
        }
        for row in sorted(snapshot.imputation.itertuples(), key=_filled_first)
        if _filled(row)
    ]
    flow = flow_table(snapshot)
    aside = snapshot.customer_segments["state"].astype(str)
    states = aside[~aside.isin(list(STATES_WITH_SEGMENT))].value_counts()
    return {
        "reconciliation": reconciliation,
        "amounts": snapshot.amounts,
        "all_reconciled": all(row["passed"] for row in reconciliation) and flow.passed,
        "flow": flow,
        "quarantine": quarantine,
        "quarantine_words": _quarantine_words(snapshot),
        "findings": [(table, sentence) for table, _, sentence in snapshot.findings],
        "repairs": [(table, sentence) for table, _, sentence in snapshot.repairs],
        "imputation": imputation,
        "notices": list_notices(snapshot),
        "absent": sorted(snapshot.absent_features.items()),
        "aside": [(CUSTOMER_STATES.get(str(state), str(state)), format_count(n)) for state, n in states.items()],
        "aside_total": plural(int(states.sum()), "customer"),
        "aside_money": _aside_money(snapshot),
    }


def _filled(row: Any) -> int:
    return int(row.filled_count) if is_known(row.filled_count) else 0


def _filled_first(row: Any) -> tuple[int, str, str]:
    """Order by the customers filled in, most first."""
    return -_filled(row), str(row.feature), str(row.reason)


def _aside_money(snapshot: Snapshot) -> str:
    """Write the net revenue of the customers without a segment; empty where it is not known."""
    aside = snapshot.customer_segments.loc[snapshot.customer_segments["segment_key"].isna(), "customer_id"]
    if "net_revenue_amount" not in snapshot.features.columns:
        return ""
    amounts = snapshot.features.loc[snapshot.features["customer_id"].isin(aside), "net_revenue_amount"]
    return format_money(float(amounts.astype("float64").sum()), snapshot.currency)


def _quarantine_words(snapshot: Snapshot) -> str:
    """Say how many rows were set aside, and how many another file holds as well."""
    rows, replaced = count_quarantine(snapshot)
    again = f"{plural(replaced, 'row')} delivered again in another file" if replaced else ""
    return ", ".join(part for part in (f"{plural(rows, 'row')} set aside" if rows else "", again) if part)


def _cell(value: object) -> str:
    """Write a number readably and a text as it is."""
    if isinstance(value, str):
        return value
    if not is_known(value):
        return UNKNOWN
    number = float(value)  # type: ignore[arg-type]
    return f"{number:,.2f}" if number != round(number) and abs(number) >= 100 else format_number(number)
