"""The way of rows and money from the delivered files to the segments, as lines of which each sum is checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from segmentation_assets.errors import noun, plural
from segmentation_assets.ingestion.accounts import Holding, PartAccount, add_up
from segmentation_assets.ingestion.reconciliation import amount_in
from segmentation_assets.ingestion.scratch import line_amount_sql
from segmentation_assets.storage.engine import Connection, quote_text
from segmentation_assets.tables.gold import CUSTOMER_STATES
from segmentation_assets.tables.monitoring import WITHOUT_CURRENCY
from segmentation_assets.tables.raw import QUARANTINE_REASONS, REDELIVERED_REASONS
from segmentation_assets.tables.silver import LINE_REASONS

ROWS, ANALYSED = "rows", "analysed amount"
"""Measures of a line beside its delivered money, which has one measure per currency."""

_GROUPS = ("delivered", "raw", "lines", "counted")
_FIRST, _LAST = ("raw", "lookback", "counted", "assigned"), (*REDELIVERED_REASONS, "rounding")

_LEFT_OUT = {
    "guest": "nobody was identified (guests)",
    "outside": "before the lookback or on a day that the snapshot does not see yet",
    "below_min_orders": "the customer has fewer orders than population.min_orders",
}
"""Why a sale or return does not count in the features: code → sentence."""


@dataclass(frozen=True)
class FlowLine:
    """One line of the way: a sum, or a part of one.

    Parameters
    ----------
    code : str
        ``group`` of a sum, ``group:part`` of a part of it.
    words : str
    found : mapping of str to Decimal
        Measure → value.
    expected : mapping of str to Decimal
        Of a sum: measure → what its parts add up to.
    """

    code: str
    words: str
    found: Mapping[str, Decimal]
    expected: Mapping[str, Decimal] = field(default_factory=dict)

    def is_equal(self, measure: str) -> bool:
        """Whether a sum equals its parts."""
        return self.found[measure] == self.expected[measure]


@dataclass(frozen=True)
class LineShare:
    """Classified order lines of one fate, with their delivered and their analysed money."""

    held: Holding = field(default_factory=Holding)
    analysed: Decimal = Decimal(0)


@dataclass(frozen=True)
class SegmentMoney:
    """What the segments hold.

    Parameters
    ----------
    by_state : mapping of str to (int, Decimal)
        Customers and net revenue, every customer's to the cent, by the state of `gold/customer_segments`.
    rounding : Decimal
        What rounding every customer's money to the cent adds.
    """

    by_state: Mapping[str, tuple[int, Decimal]]
    rounding: Decimal


def flow_order(code: str) -> tuple[int, int, str]:
    """Return where a line stands: by group, the sum before its parts, and what is left out in the middle."""
    group, _, part = code.partition(":")
    return _GROUPS.index(group), 0 if not part else 1 if part in _FIRST else 3 if part in _LAST else 2, part


def share_lines(
    connection: Connection, lines: str, since: dt.date, until: dt.date, min_orders: int
) -> dict[str, LineShare]:
    """Share classified order lines out by whether and why they count in the features.

    Parameters
    ----------
    connection : Connection
    lines : str
        SQL table expression with the columns of ``silver/order_lines``.
    since, until : date
        First day that counts, and the first one that no longer does.
    min_orders : int
        Orders that a customer needs.

    Returns
    -------
    dict of str to LineShare
        By fate: ``counted``, a code of `_LEFT_OUT`, or the reason of a line that is no sale or return.
    """
    is_seen = f"order_at >= TIMESTAMP '{since}' AND order_at < TIMESTAMP '{until}'"
    buyers = (
        f"(SELECT customer_id FROM {lines} WHERE line_type = 'sale' AND {is_seen} AND customer_id IS NOT NULL "
        f"GROUP BY customer_id HAVING count(DISTINCT order_id) >= {min_orders})"
    )
    is_below = f"customer_id NOT IN {buyers}" if min_orders else "false"
    fate = (
        "CASE WHEN line_type NOT IN ('sale', 'return') THEN line_reason WHEN customer_id IS NULL THEN 'guest' "
        f"WHEN NOT ({is_seen}) THEN 'outside' WHEN {is_below} THEN 'below_min_orders' ELSE 'counted' END"
    )
    counted = connection.execute(
        f"SELECT {fate} AS fate, coalesce(currency, {quote_text(WITHOUT_CURRENCY)}), count(*), "
        f"coalesce(sum({line_amount_sql()}), 0), coalesce(sum(amount), 0) FROM {lines} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    shares: dict[str, LineShare] = {}
    for name, code, rows, delivered, analysed in counted:
        share = shares.get(name, LineShare())
        held = share.held + Holding(int(rows), {code: Decimal(delivered)})
        shares[name] = LineShare(held, share.analysed + Decimal(analysed))
    return shares


def hold_lines(connection: Connection, lines: str) -> Holding:
    """Count raw order lines and their money by currency."""
    counted = connection.execute(
        f"SELECT coalesce(currency, {quote_text(WITHOUT_CURRENCY)}), count(*), coalesce(sum({line_amount_sql()}), 0) "
        f"FROM {lines} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return add_up(Holding(int(rows), {code: Decimal(amount)}) for code, rows, amount in counted)


def trace_flow(
    parts: Sequence[PartAccount],
    raw: Holding,
    shares: Mapping[str, LineShare],
    segments: SegmentMoney,
    currency: str,
) -> tuple[FlowLine, ...]:
    """Follow rows and money from the delivered files to the segments.

    Parameters
    ----------
    parts : sequence of PartAccount
        Delivered parts, as far as the lookback shows them.
    raw : Holding
        Raw order lines of the lookback.
    shares : mapping of str to LineShare
        Classified order lines of the lookback, as `share_lines` gives them.
    segments : SegmentMoney
    currency : str
        Currency of the settings; of delivered money where no line names one.

    Returns
    -------
    tuple of FlowLine
        In the order of `flow_order`. A sum is compared with its parts to the last decimal.
    """
    codes = {code for part in parts for code in part.delivered.amounts} | set(raw.amounts)
    names = {code: amount_in(currency if codes == {WITHOUT_CURRENCY} else code) for code in sorted(codes)}
    counted = shares.get("counted", LineShare())
    lines = (
        *_delivered_lines(parts, names),
        *_raw_lines(parts, raw, names),
        *_classified_lines(raw, shares, names),
        *_segment_lines(counted.analysed, segments),
    )
    return tuple(sorted(lines, key=lambda line: flow_order(line.code)))


def _delivered_lines(parts: Sequence[PartAccount], names: Mapping[str, str]) -> list[FlowLine]:
    stored = add_up(holding for part in parts for holding in part.raw.values())
    reasons = sorted({reason for part in parts for reason in part.set_aside})
    pieces = {"raw": stored} | {
        reason: add_up(held for part in parts for held in part.set_aside.get(reason, {}).values()) for reason in reasons
    }
    words = {"raw": "taken into raw/order_lines"} | {
        reason: f"{'delivered again' if reason in REDELIVERED_REASONS else 'set aside'}: {QUARANTINE_REASONS[reason]}"
        for reason in reasons
    }
    files = plural(len(parts), "file, sheet or table", "files, sheets or tables")
    total = add_up(part.delivered for part in parts)
    heading = f"Delivered in {files}, of the months of the lookback or of a day that cannot be read"
    return _sum_of("delivered", heading, total, pieces, words, names)


def _raw_lines(parts: Sequence[PartAccount], raw: Holding, names: Mapping[str, str]) -> list[FlowLine]:
    total = add_up(holding for part in parts for holding in part.raw.values())
    heading = "Of these in raw/order_lines"
    return _sum_of("raw", heading, total, {"lookback": raw}, {"lookback": "in the months of the lookback"}, names)


def _classified_lines(raw: Holding, shares: Mapping[str, LineShare], names: Mapping[str, str]) -> list[FlowLine]:
    pieces = {fate: share.held for fate, share in shares.items()}
    words = {"counted": "count in silver/customer_features"} | {
        fate: f"left out: {_LEFT_OUT.get(fate) or LINE_REASONS[fate]}" for fate in shares if fate != "counted"
    }
    heading = "Raw order lines in the lookback, all of them in silver/order_lines"
    total, *others = _sum_of("lines", heading, raw, pieces, words, names)
    analysed = {f"lines:{fate}": share.analysed for fate, share in shares.items()}
    return [total, *(FlowLine(line.code, line.words, {**line.found, ANALYSED: analysed[line.code]}) for line in others)]


def _segment_lines(counted: Decimal, segments: SegmentMoney) -> list[FlowLine]:
    parts = {
        state: (f"{plural(customers, 'customer')}: {CUSTOMER_STATES[state]}", amount)
        for state, (customers, amount) in segments.by_state.items()
    }
    if segments.rounding:
        parts["rounding"] = ("rounding of every customer's money to the cent", -segments.rounding)
    customers = sum(count for count, _ in segments.by_state.values())
    heading = f"Money of the lines that count, the net revenue of {plural(customers, 'customer')}"
    expected = sum((amount for _, amount in parts.values()), Decimal(0))
    return [
        FlowLine("counted", heading, {ANALYSED: counted}, {ANALYSED: expected}),
        *(FlowLine(f"counted:{name}", words, {ANALYSED: amount}) for name, (words, amount) in parts.items()),
    ]


def _sum_of(
    group: str,
    heading: str,
    total: Holding,
    pieces: Mapping[str, Holding],
    words: Mapping[str, str],
    names: Mapping[str, str],
) -> list[FlowLine]:
    """Make the line of a sum and those of its parts."""
    measured = _measures(total, names)
    expected = _measures(add_up(pieces.values()), names)
    parts = [FlowLine(f"{group}:{name}", words[name], _measures(held, names)) for name, held in pieces.items()]
    return [FlowLine(group, heading, measured, expected), *parts]


def _measures(held: Holding, names: Mapping[str, str]) -> dict[str, Decimal]:
    return {ROWS: Decimal(held.rows)} | {names[code]: held.amounts.get(code, Decimal(0)) for code in names}


def describe_flow(lines: Iterable[FlowLine]) -> str:
    """Say whether every sum of the way adds up, and which does not."""
    sums = [(line, measure) for line in lines for measure in line.expected]
    differing = [
        f"{line.words} ({measure} {line.found[measure]:,.4f}, of which {line.expected[measure]:,.4f} were found)"
        for line, measure in sums
        if not line.is_equal(measure)
    ]
    if not differing:
        return f"All {len(sums)} sums from the delivered files to the segments add up."
    count = len(differing)
    return f"{count} of {len(sums)} sums {noun(count, 'does', 'do')} not add up: {'; '.join(differing)}."
