"""Exact comparison of rows, money and customers from one layer to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from segmentation_assets.errors import noun
from segmentation_assets.ingestion.accounts import PartAccount, add_up
from segmentation_assets.ingestion.ingest import IngestedTable
from segmentation_assets.ingestion.money import AS_DELIVERED, Conversion, factors_sql, priced_lines
from segmentation_assets.ingestion.scratch import line_amount_sql
from segmentation_assets.storage.engine import Connection, fetch_row, quote_text
from segmentation_assets.tables.monitoring import WITHOUT_CURRENCY
from segmentation_assets.tables.silver import LINE_TYPES

_MOST_NAMED = 5


@dataclass(frozen=True)
class Reconciliation:
    """Outcome of a comparison.

    Parameters
    ----------
    passed : bool
        Whether everything adds up exactly.
    sentence : str
        What was compared, with the numbers.
    figures : dict of str to int or float
        The numbers; money as the nearest double, compared beforehand as exact decimals.
    comparison : tuple of (str, number, number)
        What was compared: measure, expected and found.
    """

    passed: bool
    sentence: str
    figures: dict[str, int | float]
    comparison: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class LayerTotals:
    """Rows, money and customers of some order lines."""

    rows: int
    amount: Decimal
    customers: int


def reconcile_delivery(ingested: IngestedTable) -> Reconciliation:
    """Compare delivered rows and money with what was stored, set aside, and delivered again.

    Parameters
    ----------
    ingested : IngestedTable

    Returns
    -------
    Reconciliation
        Compared are the rows and, of order lines, the money of everything, of each part, and of each currency.
    """
    parts = ("stored", "quarantined", "redelivered")
    rows = {part: int(getattr(ingested, f"{part}_rows")) for part in ("delivered", *parts)}
    figures: dict[str, int | float] = {f"{part}_rows": count for part, count in rows.items()}
    passed = rows["delivered"] == sum(rows[part] for part in parts)
    sentence = (
        f"{ingested.key}: {rows['delivered']} delivered {noun(rows['delivered'], 'row')}, of which {rows['stored']} "
        f"stored, {rows['quarantined']} set aside, {rows['redelivered']} delivered again in another file"
    )
    if ingested.delivered_amount is not None:
        money = {part: Decimal(getattr(ingested, f"{part}_amount")) for part in ("delivered", *parts)}
        figures |= {f"{part}_amount": float(amount) for part, amount in money.items()}
        passed = passed and money["delivered"] == sum(money[part] for part in parts)
        sentence += (
            f"; amount {money['delivered']:.4f}, of which {money['stored']:.4f} stored, "
            f"{money['quarantined']:.4f} set aside, {money['redelivered']:.4f} delivered again"
        )
    comparison: list[tuple[str, float, float]] = [("rows", rows["delivered"], sum(rows[part] for part in parts))]
    if ingested.delivered_amount is not None:
        comparison.append(("amount", figures["delivered_amount"], float(sum(money[part] for part in parts))))
    comparison += _by_currency(ingested.parts)
    differing = [part for part in ingested.parts if part.delivered != part.found]
    passed = passed and not differing
    sentence += "".join(_difference(part) for part in differing[:_MOST_NAMED])
    return Reconciliation(passed, f"{sentence}: {_verdict(passed=passed)}.", figures, tuple(comparison))


def _by_currency(parts: Sequence[PartAccount]) -> list[tuple[str, float, float]]:
    """Delivered money of each currency, where there are several, and what was found of it."""
    delivered = add_up(part.delivered for part in parts).amounts
    found = add_up(part.found for part in parts).amounts
    codes = sorted({*delivered, *found})
    if len(codes) < 2:
        return []
    return [(amount_in(code), float(delivered.get(code, 0)), float(found.get(code, 0))) for code in codes]


def _difference(part: PartAccount) -> str:
    """Say by how much what was found of a part differs from what was delivered."""
    codes = sorted({*part.delivered.amounts, *part.found.amounts})
    money = [
        f", {amount_in(code)} {part.found.amounts.get(code, 0):.4f} of {part.delivered.amounts.get(code, 0):.4f}"
        for code in codes
        if part.found.amounts.get(code, 0) != part.delivered.amounts.get(code, 0)
    ]
    of = part.delivered.rows
    return f"; of {part.name} were found {part.found.rows} of {of} {noun(of, 'row')}{''.join(money)}"


def reconcile_layers(
    connection: Connection, raw: str, silver: str, conversion: Conversion = AS_DELIVERED
) -> Reconciliation:
    """Compare raw order lines with classified ones.

    Parameters
    ----------
    connection : Connection
    raw, silver : str
        SQL table expressions with the columns of ``raw/order_lines`` and ``silver/order_lines``.
    conversion : Conversion
        How the analysed amounts were made of the delivered money.

    Returns
    -------
    Reconciliation
        As `compare_layers`, of delivered money. Where amounts are converted, also per delivered currency, and the sum
        of the analysed amounts against the delivered money of each rate times the rate, to half of the last decimal
        per line.
    """
    delivered = line_amount_sql() if conversion.changes_amounts else "amount"
    totals = fetch_row(connection, f"SELECT count(*), sum({line_amount_sql()}), count(DISTINCT customer_id) FROM {raw}")
    by_type = connection.execute(
        f"SELECT line_type, count(*), sum({delivered}), count(DISTINCT customer_id) FROM {silver} GROUP BY line_type"
    ).fetchall()
    (customers,) = fetch_row(connection, f"SELECT count(DISTINCT customer_id) FROM {silver}")
    classified = {str(name): _layer_totals(*values) for name, *values in by_type}
    result = compare_layers(_layer_totals(*totals), classified, int(customers))
    if not conversion.changes_amounts:
        return result
    currencies = _compare_currencies(connection, raw, silver)
    return _with_conversion(result, currencies, *_compare_converted(connection, raw, silver, conversion))


def _compare_currencies(connection: Connection, raw: str, silver: str) -> list[tuple[str, Decimal, Decimal]]:
    """Delivered money by currency, of the raw and of the classified lines."""
    sums = [
        dict(
            connection.execute(
                f"SELECT coalesce(currency, {quote_text(WITHOUT_CURRENCY)}), sum({line_amount_sql()}) FROM {lines} "
                "GROUP BY ALL"
            ).fetchall()
        )
        for lines in (raw, silver)
    ]
    codes = sorted({*sums[0], *sums[1]})
    none = Decimal(0)
    return [(amount_in(code), sums[0].get(code, none), sums[1].get(code, none)) for code in codes]


def _compare_converted(
    connection: Connection, raw: str, silver: str, conversion: Conversion
) -> tuple[Decimal, Decimal, Decimal]:
    """Expected and found sum of the analysed amounts, and by how much rounding may let them differ."""
    above, below = factors_sql(conversion)
    groups = connection.execute(
        f"SELECT {above}, {below}, sum({line_amount_sql()}), count(*) FROM {priced_lines(raw, conversion)} GROUP BY ALL"
    ).fetchall()
    known = [group for group in groups if group[0] is not None and group[1] is not None]
    exact = sum((Fraction(amount) * int(top) / int(bottom) for top, bottom, amount, _ in known), Fraction(0))
    (found,) = fetch_row(connection, f"SELECT sum(amount) FROM {silver}")
    lines = sum(int(count) for *_, count in known)
    expected = Decimal(exact.numerator) / Decimal(exact.denominator)
    return expected, found or Decimal(0), lines * Decimal("0.00005")


def _with_conversion(
    result: Reconciliation,
    currencies: list[tuple[str, Decimal, Decimal]],
    expected: Decimal,
    found: Decimal,
    tolerance: Decimal,
) -> Reconciliation:
    is_equal = all(raw == silver for _, raw, silver in currencies) and abs(expected - found) <= tolerance
    passed = result.passed and is_equal
    delivered = result.sentence.rsplit(": ", 1)[0]
    return replace(
        result,
        passed=passed,
        sentence=f"{delivered}; analysed amount {found:.4f} of {expected:.4f}, which rounding may change by "
        f"{tolerance:.4f}: {_verdict(passed=passed)}.",
        figures={**result.figures, "analysed_amount": float(found)},
        comparison=(
            *result.comparison,
            *((measure, float(raw), float(silver)) for measure, raw, silver in currencies),
            ("analysed amount", round(float(expected), 2), round(float(found), 2)),
        ),
    )


def compare_layers(raw: LayerTotals, classified: dict[str, LayerTotals], classified_customers: int) -> Reconciliation:
    """Compare the totals of raw order lines with those of classified ones by line type.

    Parameters
    ----------
    raw : LayerTotals
    classified : dict of str to LayerTotals
        By line type; types without a line may be left out.
    classified_customers : int
        Different customers over all types; one customer may have lines of several.

    Returns
    -------
    Reconciliation
        Passed where rows, money and customers are equal.
    """
    rows = sum(totals.rows for totals in classified.values())
    amount = sum((totals.amount for totals in classified.values()), Decimal(0))
    passed = (raw.rows, raw.amount, raw.customers) == (rows, amount, classified_customers)
    none = LayerTotals(0, Decimal(0), 0)
    figures: dict[str, int | float] = {"raw_rows": raw.rows, "classified_rows": rows}
    figures |= {"raw_amount": float(raw.amount), "classified_amount": float(amount)}
    figures |= {"raw_customers": raw.customers, "classified_customers": classified_customers}
    for line_type in LINE_TYPES:
        totals = classified.get(line_type, none)
        figures |= {f"{line_type}_rows": totals.rows, f"{line_type}_amount": float(totals.amount)}
    shares = ", ".join(f"{classified.get(name, none).rows} {name}" for name in LINE_TYPES)
    sentence = (
        f"{raw.rows} raw {noun(raw.rows, 'line')} of {raw.customers} {noun(raw.customers, 'customer')} with amount "
        f"{raw.amount:.4f} became {rows} classified {noun(rows, 'line')} of {classified_customers} "
        f"{noun(classified_customers, 'customer')} with amount {amount:.4f} ({shares}): {_verdict(passed=passed)}."
    )
    comparison = (
        ("rows", raw.rows, rows),
        ("amount", float(raw.amount), float(amount)),
        ("customers", raw.customers, classified_customers),
    )
    return Reconciliation(passed, sentence, figures, comparison)


def amount_in(code: str) -> str:
    """Name the money of a currency."""
    return "amount without a currency" if code == WITHOUT_CURRENCY else f"amount in {code}"


def _layer_totals(rows: int, amount: Decimal | None, customers: int) -> LayerTotals:
    return LayerTotals(int(rows), amount or Decimal(0), int(customers))


def _verdict(*, passed: bool) -> str:
    return "adds up exactly" if passed else "does not add up"
