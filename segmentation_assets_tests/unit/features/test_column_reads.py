"""Every feature changes with the columns it declares to read, and with no other.

All columns are tried in one computation: each has copies of the whole shop to itself, in which its values are mixed up
among the rows, and no customer, product or event is in two copies.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.features import registry
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn
from segmentation_assets.features.history import customer_history_sql
from segmentation_assets.features.registry import features_table, prepare_connection
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.storage.engine import Connection, Engine
from segmentation_assets.tables.declaration import Column, Table
from segmentation_assets.tables.raw import RAW_CUSTOMERS, RAW_ENGAGEMENT_EVENTS, RAW_PRODUCTS
from segmentation_assets.tables.silver import CUSTOMER_HISTORY, ORDER_LINES
from segmentation_assets_tests.unit.features.crowd import ADVANCED, crowded_shop
from segmentation_assets_tests.unit.features.shop import (
    ALL_COLUMNS,
    ALL_INPUTS,
    ALL_TABLES,
    AS_OF,
    CUSTOMER_TYPES,
    EVENT_TYPES,
    LINE_TYPES,
    PRODUCT_TYPES,
    Row,
    Shop,
    line,
    load,
    product_row,
    rows_of,
)
from segmentation_assets_tests.unit.perturbation import (
    SEEDS,
    Result,
    Rows,
    changed_columns,
    declared_readers,
    perturbed,
)

TABLES = {
    "order_lines": ORDER_LINES,
    "customer_history": CUSTOMER_HISTORY,
    "products": RAW_PRODUCTS,
    "customers": RAW_CUSTOMERS,
    "engagement_events": RAW_ENGAGEMENT_EVENTS,
}
HALFWAY = AS_OF.replace(year=2024)
HISTORY_SQL = customer_history_sql(
    f"(SELECT * FROM order_lines WHERE order_at >= TIMESTAMP '{HALFWAY}')", "customer_history", AS_OF.date()
)
FEATURES = [column for column in features_table(ADVANCED, ALL_INPUTS).columns if column.name != "customer_id"]

Group = tuple[str, tuple[str, ...]]
"""A table and the columns of it that are mixed up together."""


def groups(readers: Iterable[Column], nouns: Iterable[str]) -> list[Group]:
    """Columns to perturb: each one that some reader declares, and per table all others at once."""
    declared = {name for column in readers for name in column.reads}
    found: list[Group] = []
    for noun in nouns:
        names = [name for name in TABLES[noun].column_names if name != "customer_id"]
        read = [name for name in names if f"{noun}.{name}" in declared]
        found += [(noun, (name,)) for name in read] + [(noun, tuple(name for name in names if name not in read))]
    return found


FEATURE_GROUPS = groups(FEATURES, TABLES)
HISTORY_GROUPS = groups(CUSTOMER_HISTORY.columns, ("order_lines", "customer_history"))

FILLERS: dict[str, Callable[[int], str]] = {
    "BOOLEAN": lambda number: str(number % 2),
    "DATE": lambda number: f"2024-01-{1 + number % 28:02d}",
    "TIMESTAMP": lambda number: f"2024-01-{1 + number % 28:02d} 10:00",
}


def complete(rows: Rows | None, known: dict[str, str], table: Table) -> Rows:
    """Rows with every column of the declared table; what the small shop lacks is arbitrary."""
    rng = np.random.default_rng(7)

    def cell(row: dict[str, Any], name: str, dtype: str) -> Any:
        return row[name] if name in row else FILLERS.get(dtype, str)(int(rng.integers(100)))

    named = (dict(zip(known, row, strict=True)) for row in rows or ())
    return tuple(tuple(cell(row, column.name, column.dtype) for column in table.columns) for row in named)


def _of_one_kind(number: int) -> tuple[Row, ...]:
    """Lines of customers who bought and returned in the ways that few do by chance."""
    gone, new, late, undo, swap, mall = (f"{kind}{number}" for kind in ("gone", "new", "late", "undo", "swap", "mall"))
    day = 10 + number
    return (
        line(gone, "g", f"2023-07-{day} 09:00", "sale", "50.00", 2, "hat-1"),
        line(gone, "h", f"2024-08-{day} 09:00", "return", "-9.00", -1),
        line(new, "n", f"2024-10-{day} 17:00", "sale", f"7{number}.00", 3, "shoe-1"),
        line(new, "m", f"2025-01-{day} 17:00", "sale", f"6{number}.00", 1, "hat-1"),
        line(late, "k", f"2023-07-{day} 09:00", "return", "-9.00", -1),
        line(late, "l", f"2024-10-{day} 17:00", "sale", f"3{number}.00", 3, "shoe-1"),
        line(undo, "u", f"2025-04-{day} 09:00", "sale", "20.00", 1, "hat-1"),
        line(undo, "u", f"2025-04-{day} 09:00", "sale", "20.00", 1, "hat-1"),
        line(undo, "v", f"2025-04-{day} 10:00", "return", "-40.00", -2, "hat-1"),
        line(undo, "w", f"2025-05-{day} 10:00", "sale", "35.00", 2, "shoe-2"),
        line(swap, "s", f"2025-02-{day} 09:00", "sale", "40.00", 2, "boot-2"),
        line(swap, "t", f"2025-02-{day + 4} 09:00", "return", "-20.00", -1, "boot-2"),
        line(swap, "p", f"2025-02-{day + 8} 09:00", "sale", "22.00", 1, "shoe-1"),
        line(swap, "q", f"2025-03-{day} 09:00", "sale", "15.00", 1, "doll-1"),
        line(swap, "r", f"2025-03-{day + 1} 09:00", "return", "-5.00", -1, "doll-1"),
        *(
            line(mall, order, f"2025-04-{day} {hour:02d}:30", "sale", "9.00", 1, "hat-1", store=store)
            for order, hour, store in (("a", 9, "s1"), ("a", 15, "s2"), ("b", 16, "s3"), ("c", 17, "s4"))
        ),
    )


def rich_shop() -> Shop:
    """The crowded shop with more products, events and returns, so that whatever is read can be seen."""
    shop = crowded_shop(3, n_customers=30)
    more = (product_row("boot-2", "Shoes", "Boots", "baby", "L"), product_row("doll-1", "Toys", "Dolls", None, "M"))
    events = tuple(
        (f"{name}{number}", f"2025-0{1 + (number + place) % 5}-1{number} 10:00", kind)
        for number in range(4)
        for place, name in enumerate(("gone", "new", "undo", "swap"))
        for kind in ("visit", "email_open", "email_click", "service_contact")[place:]
    )
    return replace(
        shop,
        lines=(*shop.lines, *(row for number in range(4) for row in _of_one_kind(number))),
        products=(*(shop.products or ()), *more),
        events=(*(shop.events or ()), *events),
    )


def signed(rows: Rows) -> Rows:
    """Order lines with the amounts and quantities of returns below 0 and those of others not, as lines are."""
    names = ORDER_LINES.column_names
    places = {names.index(name) for name in ("amount", "quantity")}
    kind = names.index("line_type")

    def cell(row: Row, place: int) -> Any:
        sizeless = str(row[place]).lstrip("-")
        return row[place] if place not in places else f"-{sizeless}" if row[kind] == "return" else sizeless

    return tuple(tuple(cell(row, place) for place in range(len(row))) for row in rows)


class Bench:
    """All tables that features read, by noun, and what changes when columns of them do."""

    def __init__(self, connection: Connection) -> None:
        shop = rich_shop()
        self.connection = connection
        self.rows = {
            "order_lines": complete(shop.lines, LINE_TYPES, ORDER_LINES),
            "products": complete(shop.products, PRODUCT_TYPES, RAW_PRODUCTS),
            "customers": complete(shop.customers, CUSTOMER_TYPES, RAW_CUSTOMERS),
            "engagement_events": complete(shop.events, EVENT_TYPES, RAW_ENGAGEMENT_EVENTS),
        }
        self.load("order_lines", self.rows["order_lines"])
        self.rows["customer_history"] = tuple(
            connection.execute(customer_history_sql("order_lines", None, HALFWAY.date())).fetchall()
        )

    def load(self, noun: str, rows: Rows) -> None:
        load(self.connection, noun, rows, {column.name: column.dtype for column in TABLES[noun].columns})

    def features(self) -> Result:
        relations = FeatureRelations("order_lines", "customer_history", *ALL_TABLES, ALL_COLUMNS)
        return rows_of(self.connection, relations, AS_OF, ADVANCED)

    def history(self) -> Result:
        cursor = self.connection.execute(HISTORY_SQL)
        names = [entry[0] for entry in cursor.description or ()]
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}

    def changed_by(self, tried: Iterable[Group], compute: Callable[[], Result]) -> dict[Group, set[str]]:
        """Columns of a result that change with each group of columns, in any of its copies of the shop."""
        copies = [(group, seed) for group in tried for seed in SEEDS]
        for noun, rows in self.rows.items():
            changed = (self._copy(noun, rows, group, seed, n) for n, (group, seed) in enumerate(copies))
            self.load(noun, (*renamed(noun, rows, "as it is"), *(row for part in changed for row in part)))
        by_copy = _by_copy(compute())
        found: dict[Group, set[str]] = {group: set() for group in tried}
        for number, (group, _) in enumerate(copies):
            found[group] |= changed_columns(by_copy["as it is"], by_copy[str(number)])
        return found

    def _copy(self, noun: str, rows: Rows, group: Group, seed: int, number: int) -> Rows:
        if group[0] == noun:
            names = TABLES[noun].column_names
            rows = perturbed(rows, [names.index(name) for name in group[1]], seed)
            rows = signed(rows) if noun == "order_lines" else rows
        return renamed(noun, rows, str(number))


def renamed(noun: str, rows: Rows, copy: str) -> Rows:
    """Rows whose customers and products are called by the copy that they are in."""
    places = {place for place, name in enumerate(TABLES[noun].column_names) if name in {"customer_id", "product_id"}}

    def cell(value: Any, place: int) -> Any:
        return f"{copy}|{value}" if place in places and value is not None else value

    return tuple(tuple(cell(value, place) for place, value in enumerate(row)) for row in rows)


def _by_copy(result: Result) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Parts of a result by the copy of the shop, rows by the customer as the shop calls them."""
    parts: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, row in result.items():
        copy, customer = str(name).split("|", 1)
        parts.setdefault(copy, {})[customer] = {key: value for key, value in row.items() if key != "customer_id"}
    return parts


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Engine(EngineSettings(threads=1), tmp_path_factory.mktemp("bench")).connect() as connection:
        prepare_connection(connection)
        yield Bench(connection)


@pytest.fixture(scope="module")
def features_changed(bench: Bench) -> dict[Group, set[str]]:
    return bench.changed_by(FEATURE_GROUPS, bench.features)


@pytest.fixture(scope="module")
def history_changed(bench: Bench) -> dict[Group, set[str]]:
    return bench.changed_by(HISTORY_GROUPS, bench.history)


def named(group: Group) -> str:
    return f"{group[0]}-{'-'.join(group[1])}"


def names_of(noun: str, columns: Iterable[str]) -> list[str]:
    return [f"{noun}.{column}" for column in columns]


def test_every_column_holds_different_values(bench: Bench) -> None:
    same = [
        f"{noun}.{name}"
        for noun, rows in bench.rows.items()
        for name, *values in zip(TABLES[noun].column_names, *rows, strict=True)
        if len(set(values)) < 2
    ]
    assert same == []


@pytest.mark.parametrize("group", FEATURE_GROUPS, ids=named)
def test_columns_change_exactly_the_features_that_declare_to_read_them(
    features_changed: dict[Group, set[str]], group: Group
) -> None:
    assert features_changed[group] == declared_readers(FEATURES, *names_of(*group))


@pytest.mark.parametrize("group", HISTORY_GROUPS, ids=named)
def test_columns_change_exactly_the_parts_of_the_history_that_declare_to_read_them(
    history_changed: dict[Group, set[str]], group: Group
) -> None:
    assert history_changed[group] == declared_readers(CUSTOMER_HISTORY.columns, *names_of(*group))


@pytest.mark.parametrize("column", FEATURES, ids=lambda column: column.name)
def test_feature_declares_columns_that_there_are(column: FeatureColumn) -> None:
    assert column.reads
    assert set(column.reads) <= {
        found for noun, table in TABLES.items() for found in names_of(noun, table.column_names)
    }


def test_undeclared_and_needlessly_declared_columns_come_to_light(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = FeatureColumn(
        name="toy", dtype="DOUBLE", meaning="Toy.", imputation="ordinary", reads=("order_lines.quantity",)
    )
    sql = "SELECT customer_id, max(amount) AS toy FROM snapshot_lines GROUP BY customer_id"

    def block(_settings: FeatureSettings) -> FeatureBlock:
        return FeatureBlock(name="toy", columns=(toy,), select=lambda _snapshot: sql)

    monkeypatch.setattr(registry, "BLOCKS", (*registry.BLOCKS, block))
    amount, quantity = ("order_lines", ("amount",)), ("order_lines", ("quantity",))
    found = bench.changed_by([amount, quantity], bench.features)
    assert "toy" in found[amount]
    assert "toy" not in found[quantity]
    assert declared_readers((toy,), "order_lines.quantity") == {"toy"}
