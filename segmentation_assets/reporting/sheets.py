"""The tables of the workbook: segments, customers, their features, what was filled in, and what each feature is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.config.settings import WorkbookSettings
from segmentation_assets.features.imputation import FLAG_PREFIX, REASONS_COLUMN
from segmentation_assets.reporting.segment_cards import STRATEGY, SegmentCard
from segmentation_assets.reporting.tabular import export_frame, is_money, known_cells

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.reporting.snapshot import Snapshot

WHOLE, MONEY, SHARE, DECIMALS, DATE, TEXT = "#,##0", "#,##0.00", "0.0%", "0.00", "yyyy-mm-dd", "General"
_FORMATS = {"currency": MONEY, "share": SHARE, "rate": SHARE}


@dataclass(frozen=True)
class Sheet:
    """A table to be written: per column a header, a number format, a width and the values.

    Parameters
    ----------
    name : str
    header : sequence of str
    formats : sequence of str
    widths : sequence of float
    columns : sequence of sequence
    titles : sequence of sequence of str
        Rows above the header, such as labels of the columns.
    """

    name: str
    header: Sequence[str]
    formats: Sequence[str]
    widths: Sequence[float]
    columns: Sequence[Sequence[Any]]
    titles: Sequence[Sequence[str]] = ()


def list_sheets(snapshot: Snapshot, cards: tuple[SegmentCard, ...], settings: WorkbookSettings) -> Iterator[Sheet]:
    """Yield the tables of a month in the order of the workbook.

    Parameters
    ----------
    snapshot : Snapshot
    cards : tuple of SegmentCard
    settings : WorkbookSettings
        Most customers listed; above it a sheet says where they are.

    Yields
    ------
    Sheet
        ``segments``; ``strategies``; ``customers`` with the features that clusterings are offered; ``features`` with
        all of them, by block; ``filled_in`` with the flags of the features in which a customer has one; ``dictionary``.
    """
    yield _segments(snapshot, cards)
    if any(card.strategy for card in cards):
        yield _strategies(cards)
    count = len(snapshot.customer_segments)
    if count > settings.max_customers:
        note = (
            f"{count:,} customers are more than the {settings.max_customers:,} this sheet lists at most "
            "(reports.workbook.max_customers). They are all in customer_segments.csv and customer_segments.parquet."
        )
        yield Sheet("customers", ["note"], [TEXT], [120], [[note]])
    else:
        yield from _customer_sheets(snapshot)
    yield _dictionary(snapshot)


def _strategies(cards: tuple[SegmentCard, ...]) -> Sheet:
    """One row per segment with customers: what to do, the segment of the highest priority first."""
    advised = sorted((card for card in cards if card.strategy), key=lambda card: (card.priority or 0, card.key))
    columns = {
        "priority": (WHOLE, 10, [card.priority for card in advised]),
        "segment_key": (TEXT, 12, [card.key for card in advised]),
        "segment_name": (TEXT, 30, [card.name for card in advised]),
        "expected_value_amount": (MONEY, 20, [card.expected_value_amount for card in advised]),
        **{
            heading.lower().replace(" ", "_"): (
                TEXT,
                20 if place == 0 else 50,
                [card.strategy[heading] for card in advised],
            )
            for place, heading in enumerate(STRATEGY.values())
        },
    }
    formats, widths, values = (list(part) for part in zip(*columns.values(), strict=True))
    return Sheet("strategies", list(columns), formats, widths, values)


def _segments(snapshot: Snapshot, cards: tuple[SegmentCard, ...]) -> Sheet:
    """One row per segment with its key statistics."""
    columns = [
        ("segment_key", TEXT, 12),
        ("segment_name", TEXT, 30),
        ("customer_count", WHOLE, 16),
        ("customer_share", SHARE, 16),
        (f"net_revenue_amount ({snapshot.currency})", MONEY, 26),
        ("net_revenue_share", SHARE, 19),
        (f"net_revenue_per_customer ({snapshot.currency})", MONEY, 32),
        ("median_recency_days", WHOLE, 22),
        ("median_order_count", DECIMALS, 21),
        (f"median_order_value ({snapshot.currency})", MONEY, 26),
        ("previous_customer_count", WHOLE, 25),
        ("customer_count_change", WHOLE, 24),
        ("mean_recency_score", DECIMALS, 21),
        ("mean_frequency_score", DECIMALS, 22),
        ("mean_monetary_score", DECIMALS, 21),
        ("meaning", TEXT, 60),
        ("what_sets_it_apart", TEXT, 150),
    ]
    rows = [
        (
            card.key,
            card.name,
            card.customer_count,
            card.customer_share,
            card.net_revenue_amount,
            card.net_revenue_share,
            card.revenue_per_customer,
            card.median_recency_days,
            card.median_order_count,
            card.median_order_value,
            card.previous_count,
            card.count_change,
            *(card.mean_scores or (None, None, None)),
            card.meaning,
            "; ".join(trait.sentence for trait in card.traits),
        )
        for card in cards
    ]
    header, formats, widths = zip(*columns, strict=True)
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return Sheet("segments", header, formats, widths, values)


def _customer_sheets(snapshot: Snapshot) -> Iterator[Sheet]:
    """One row per customer on each."""
    frame = export_frame(snapshot)
    names = [str(name) for name in frame.columns]
    flags = [name for name in names if name.startswith(FLAG_PREFIX)]
    features = [name for name in names if name in snapshot.features.columns and name != "customer_id"]
    others = [name for name in features if not snapshot.feature_text(name).is_main]
    yield _of_columns("customers", frame, snapshot, [name for name in names if name not in (*flags, *others)])
    yield _of_columns("features", frame, snapshot, ["customer_id", *features], with_blocks=True)
    if flags:
        met = [name for name in flags if frame[name].fillna(value=False).any()]
        reasons = [name for name in names if name == REASONS_COLUMN]
        yield _of_columns("filled_in", frame, snapshot, ["customer_id", *reasons, *met])


def _of_columns(
    sheet: str, frame: pd.DataFrame, snapshot: Snapshot, names: Sequence[str], *, with_blocks: bool = False
) -> Sheet:
    """Take columns of the customer file, with their labels above them."""
    columns = [known_cells(frame[name]) for name in names]
    formats = [_number_format(name, snapshot, values) for name, values in zip(names, columns, strict=True)]
    labels = [_label(name, snapshot) for name in names]
    blocks = [snapshot.feature_text(name).block for name in names]
    widths = [min(max(len(name) + 4, 12), 40) for name in names]
    return Sheet(sheet, names, formats, widths, columns, (blocks, labels) if with_blocks else (labels,))


def _label(name: str, snapshot: Snapshot) -> str:
    """Call a column as people do; flags by their feature, amounts with the currency."""
    feature = name.removeprefix(FLAG_PREFIX)
    label = snapshot.feature_text(feature).label.replace("Rfm ", "RFM ")
    if feature != name:
        return f"Filled in: {label}"
    return f"{label} ({snapshot.currency})" if snapshot.feature_text(name).unit == "currency" else label


def _number_format(name: str, snapshot: Snapshot, values: list[Any]) -> str:
    """Choose the number format of a column by its values, then by its unit, or by its name where none is declared."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, str | bool) or first is None:
        return TEXT
    if isinstance(first, dt.date):
        return DATE
    unit = snapshot.feature_text(name).unit
    if unit in _FORMATS:
        return _FORMATS[unit]
    if not unit and is_money(name):
        return MONEY
    if not unit and ("_share" in name or "_rate" in name):
        return SHARE
    return WHOLE if isinstance(first, int) else DECIMALS


def _dictionary(snapshot: Snapshot) -> Sheet:
    """One row per feature: what it is, and for how many customers it was filled in."""
    filled = snapshot.imputation.groupby("feature", sort=False).agg({"rule": "first", "filled_count": "sum"})
    rules = {str(name): (str(rule), int(count)) for name, rule, count in filled.itertuples()}
    rows = [
        (
            text.block,
            name,
            text.label,
            snapshot.currency if text.unit == "currency" else text.unit,
            text.meaning,
            text.null_rule,
            text.direction.replace("_", " "),
            "yes" if text.is_main else "no",
            *rules.get(name, ("", None)),
        )
        for name, text in snapshot.feature_columns.items()
    ]
    columns = [
        ("block", TEXT, 16),
        ("feature", TEXT, 40),
        ("label", TEXT, 44),
        ("unit", TEXT, 16),
        ("definition", TEXT, 100),
        ("empty_means", TEXT, 50),
        ("direction", TEXT, 16),
        ("offered_to_clusterings", TEXT, 24),
        ("filled_in_by", TEXT, 60),
        ("customers_filled_in", WHOLE, 22),
    ]
    header, formats, widths = zip(*columns, strict=True)
    return Sheet("dictionary", header, formats, widths, list(zip(*rows, strict=True)) or [()] * len(columns))
