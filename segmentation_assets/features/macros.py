"""The few SQL macros in which engines differ; block SQL is otherwise the same on every engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Engine = Literal["duckdb"]


@dataclass(frozen=True)
class Macro:
    """One macro with a body per engine.

    Parameters
    ----------
    name : str
    parameters : tuple of str
    meaning : str
        What every body must yield.
    bodies : mapping of Engine to str
        The SQL expression, by engine.
    """

    name: str
    parameters: tuple[str, ...]
    meaning: str
    bodies: Mapping[Engine, str]


MACROS = (
    Macro(
        "days_between",
        ("earlier", "later"),
        "Calendar days between the dates of two instants, as BIGINT.",
        {"duckdb": "CAST(CAST(later AS DATE) - CAST(earlier AS DATE) AS BIGINT)"},
    ),
    Macro(
        "elapsed_days",
        ("earlier", "later"),
        "Whole periods of 24 hours between two instants, the first not after the second, as BIGINT.",
        {"duckdb": "(epoch_us(later) - epoch_us(earlier)) // 86400000000"},
    ),
    Macro(
        "safe_div",
        ("part", "whole"),
        "Quotient as DOUBLE of two exact numbers; null where the second is null or 0.",
        {"duckdb": "CASE WHEN whole <> 0 THEN CAST(part AS DOUBLE) / CAST(whole AS DOUBLE) END"},
    ),
    Macro(
        "capped_share",
        ("part", "whole"),
        "As safe_div, at most 1; null where the second is null, 0 or negative.",
        {
            "duckdb": "CASE WHEN whole > 0 THEN "
            "CASE WHEN part >= whole THEN 1.0::DOUBLE ELSE CAST(part AS DOUBLE) / CAST(whole AS DOUBLE) END END"
        },
    ),
    Macro(
        "at_list_price",
        ("amount", "list_price", "unit_price"),
        "What goods sold for an amount would have cost at list price, as DECIMAL(18,4); prices above 0.",
        {
            "duckdb": "CAST(CAST(amount AS DOUBLE) * CAST(list_price AS DOUBLE) / CAST(unit_price AS DOUBLE) "
            "AS DECIMAL(18,4))"
        },
    ),
    Macro(
        "squared",
        ("amount",),
        "Exact square of an amount of money; of 19 digits, as DuckDB holds products of fewer in 18.",
        {"duckdb": "CAST(amount AS DECIMAL(19,4)) * CAST(amount AS DECIMAL(19,4))"},
    ),
    Macro(
        "entropy_term",
        ("part", "whole"),
        "-p ln p of the share p of a part, as DECIMAL(18,15) so that sums of it do not depend on the order; 0 of 0.",
        {
            "duckdb": "CASE WHEN part > 0 THEN CAST(CAST(part AS DOUBLE) / CAST(whole AS DOUBLE) * "
            "ln(CAST(whole AS DOUBLE) / CAST(part AS DOUBLE)) AS DECIMAL(18,15)) ELSE 0 END"
        },
    ),
    Macro(
        "exact_median",
        ("value",),
        "Aggregate: median as DOUBLE, the mean of the two middle values of an even number.",
        {"duckdb": "quantile_cont(CAST(value AS DOUBLE), 0.5)"},
    ),
    Macro(
        "iso_dow",
        ("instant",),
        "Day of the week, 1 for Monday to 7 for Sunday.",
        {"duckdb": "isodow(instant)"},
    ),
    Macro(
        "money_per",
        ("amount", "divisor"),
        "Non-negative DECIMAL(38,4) money per unit as DECIMAL(18,2), rounded half up in whole numbers; null per 0.",
        {
            "duckdb": "CASE WHEN divisor > 0 THEN CAST(CAST("
            "(CAST(amount * 20000 AS HUGEINT) + 100 * divisor) // (200 * divisor) AS DECIMAL(18,0)) * 0.01 "
            "AS DECIMAL(18,2)) END"
        },
    ),
)


def create_macros_sql(engine: Engine = "duckdb") -> str:
    """Statements that create the macros on an engine."""
    return "\n".join(
        f"CREATE OR REPLACE TEMP MACRO {macro.name}({', '.join(macro.parameters)}) AS {macro.bodies[engine]};"
        for macro in MACROS
    )
