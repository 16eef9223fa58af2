"""Conformance of every registered feature block, and what the registry derives from them."""

import re
from collections.abc import Collection
from pathlib import Path

import pytest

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.errors import DataError, SettingsError
from segmentation_assets.features import registry
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn, feature_columns
from segmentation_assets.features.registry import (
    absent_features,
    computed_features,
    feature_blocks,
    feature_queries,
    features_table,
    left_out_columns,
)
from segmentation_assets.features.relations import FeatureRelations
from segmentation_assets.storage.contract import check_contract
from segmentation_assets.storage.engine import Connection, conformed_select, copy_to_parquet
from segmentation_assets_tests.unit.features.crowd import ADVANCED, crowded_shop
from segmentation_assets_tests.unit.features.shop import (
    ALL_INPUTS,
    AS_OF,
    LOOKBACK_START,
    SETTINGS,
    Shop,
    compute_rows,
    line,
    load_shop,
    random_shop,
)

BLOCKS = feature_blocks(SETTINGS, ALL_INPUTS)
COLUMNS = {column.name: column for block in BLOCKS for column in block.columns}
TOY_COLUMN = FeatureColumn(name="line_count", dtype="BIGINT", unit="lines", meaning="Lines.", imputation="ordinary")


def _toy_block(settings: FeatureSettings) -> FeatureBlock:
    return FeatureBlock(
        name="toy",
        columns=(TOY_COLUMN,),
        select=lambda snapshot: "SELECT customer_id, count(*) AS line_count FROM snapshot_lines GROUP BY customer_id",
        requires=("products",),
    )


@pytest.mark.parametrize("name", COLUMNS)
def test_column_declaration_is_complete(name: str) -> None:
    column = COLUMNS[name]
    assert column.meaning.endswith(".")
    assert '"' not in f"{column.label} {column.meaning} {column.null_rule}"
    assert column.unit
    assert column.nullable == bool(column.null_rule)
    assert column.imputation != "undefined" or column.undefined_rule is not None
    assert column.undefined_rule is None or (column.imputation in ("undefined", "returns") and column.nullable)


@pytest.mark.parametrize("name", COLUMNS)
def test_column_name_follows_the_style(name: str) -> None:
    column = COLUMNS[name]
    stem = re.sub(r"_\d+d$", "", name)
    assert re.fullmatch(r"[a-z][a-z0-9_]*|btyd_T", name)
    assert name not in {"recency", "frequency", "monetary"}
    assert ("_amount" in name) == column.dtype.startswith("DECIMAL") == (column.unit == "currency")
    if stem.endswith("_count"):
        assert (column.dtype, column.minimum) == ("BIGINT", 0)
    if "_days" in stem or stem.startswith("days_"):
        assert column.unit == "days"
    if re.search(r"_(rate|share)($|_)", stem):
        assert (column.dtype, column.minimum, column.maximum) == ("DOUBLE", 0, 1)


@pytest.mark.parametrize("name", [name for name, column in COLUMNS.items() if column.undefined_rule])
def test_undefined_rule_names_one_replacement_that_is_always_there(name: str) -> None:
    rule = COLUMNS[name].undefined_rule
    assert rule is not None
    assert rule.description
    assert (rule.column is None) != (rule.value is None)
    assert rule.column is None or COLUMNS[rule.column].imputation != "undefined"
    assert rule.zero_column is None or not COLUMNS[rule.zero_column].nullable
    assert COLUMNS[name].imputation != "returns" or rule.value == 0


CAN_BE_MISSING = {
    "main_department", "main_channel", "main_channel_share", "main_country", "main_country_share", "main_store",
    "night_order_share", "morning_order_share", "afternoon_order_share", "evening_order_share",
    "discount_share", "discounted_line_share", "deal_line_share", "deal_revenue_share", "deal_order_share",
    "account_age_days", "age_years", "household_size", "gender", "acquisition_channel",
    "gross_margin_amount", "gross_margin_ratio",
}  # fmt: skip
"""Features that a customer with a sale can have and lack all the same, as it was not delivered: they are ordinary."""


NOT_OF_BUYERS = {"no sale in the lookback", "no order in the lookback", "never bought, only returned"}
"""What holds for customers without core metrics only, who are set aside."""


def test_only_what_was_not_delivered_is_filled_from_other_customers() -> None:
    ordinary = {
        name
        for name, column in COLUMNS.items()
        if column.nullable and column.imputation == "ordinary" and column.null_rule not in NOT_OF_BUYERS
    }
    assert ordinary == CAN_BE_MISSING


def test_column_and_block_names_are_unique() -> None:
    names = [column.name for block in BLOCKS for column in block.columns]
    assert len(names) == len(set(names)) == len(COLUMNS)
    assert len({block.name for block in BLOCKS}) == len(BLOCKS) == len(registry.BLOCKS)


def test_core_metrics_are_the_four_agreed_ones() -> None:
    core = [name for name, column in COLUMNS.items() if column.imputation == "core"]
    assert core == ["recency_days", "order_count", "net_revenue_amount", "average_order_value_amount"]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_block_yields_its_declared_columns_and_types(connection: Connection, block: FeatureBlock) -> None:
    relations = load_shop(connection, random_shop(0))
    with computed_features(connection, SETTINGS, relations, AS_OF, LOOKBACK_START) as sql:
        described = dict(connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {sql})").fetchall())
    assert {c.name: described[c.name] for c in block.columns} == {c.name: c.dtype for c in block.columns}


@pytest.mark.parametrize(
    "available", [(), ("products",), ("customers", "engagement_events", "order_lines.cost_price"), ALL_INPUTS]
)
def test_query_yields_the_columns_of_the_table_in_order(connection: Connection, available: Collection[str]) -> None:
    everything = load_shop(connection, random_shop(0))
    tables = {name: name for name in available if "." not in name}
    columns = [name for name in available if "." in name]
    relations = FeatureRelations(everything.order_lines, everything.history, columns=columns, **tables)
    with computed_features(connection, SETTINGS, relations, AS_OF, LOOKBACK_START) as sql:
        described = [row[0] for row in connection.execute(f"DESCRIBE {sql}").fetchall()]
    assert tuple(described) == features_table(SETTINGS, available).column_names
    assert relations.available == tuple(name for name in ALL_INPUTS if name in available)


@pytest.mark.parametrize("seed", range(2))
def test_stored_features_keep_the_contract(connection: Connection, tmp_path: Path, seed: int) -> None:
    relations = load_shop(connection, crowded_shop(seed))
    table = features_table(ADVANCED, ALL_INPUTS)
    with computed_features(connection, ADVANCED, relations, AS_OF, LOOKBACK_START) as sql:
        copy_to_parquet(connection, conformed_select(sql, table), tmp_path / "features.parquet")
    result = check_contract(connection, [tmp_path / "features.parquet"], table)
    assert result.row_count > 5
    assert result.violations == {}


def test_nullable_column_is_null_somewhere(connection: Connection) -> None:
    only_returned = line("cid", "r2", "2025-05-10 08:00", "return", "-7.00", -1)
    only_bought = line("bob", "o1", "2025-05-10 08:00", "sale", "7.00")
    rows = compute_rows(connection, Shop((only_returned, only_bought))).values()
    nullable = [name for name, column in COLUMNS.items() if column.nullable]
    assert [name for name in nullable if None not in [row[name] for row in rows]] == []


def test_absent_features_are_listed_with_the_reason() -> None:
    assert absent_features(SETTINGS, ALL_INPUTS) == {}
    assert absent_features(FeatureSettings(), ["products"]) == {
        "class_count": "the source delivers no products.class",
        "class_entropy": "the source delivers no products.class",
        "fit": "the source delivers no products.child_age",
        "discounts": "the source delivers no order_lines.list_price",
        "channels": "the source delivers no order_lines.channel",
        "departments": "features.departments names no department",
        "profile": "the source delivers no customers",
        "engagement": "the source delivers no engagement_events",
        "margin": "the source delivers no order_lines.cost_price",
    }
    assert absent_features(SETTINGS, [])["departments"] == "the source delivers no products"
    present = {block.name for block in feature_blocks(SETTINGS, [])}
    assert present == {
        "rfm", "windows", "trend", "cadence", "returns", "return_habits", "variety", "basket", "calendar", "lifetime",
        "scores",
    }  # fmt: skip


def test_table_has_customer_id_first_and_more_than_85_features() -> None:
    table = features_table(SETTINGS, ALL_INPUTS)
    assert (table.key, table.primary_key, table.column_names[0]) == (
        "silver/customer_features",
        ("customer_id",),
        "customer_id",
    )
    dates = ("first_order_date", "last_order_date")
    assert tuple(c.name for c in feature_columns(table)) == tuple(n for n in table.column_names[1:] if n not in dates)
    assert len(feature_columns(table)) > 85


def test_block_is_added_by_registering_it(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BLOCKS", (*registry.BLOCKS, _toy_block))
    shop = Shop((line("ann", "o1", "2025-05-10", "sale", "7.00"), line("ann", "o1", "2025-05-10", "sale", "7.00")))
    assert features_table(SETTINGS, ALL_INPUTS).columns[-1] == TOY_COLUMN
    assert compute_rows(connection, shop)["ann"]["line_count"] == 2
    assert absent_features(SETTINGS, [])["toy"] == "the source delivers no products"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            FeatureSettings(event_kinds={"order": ("placed",)}),
            "^two features would be named order_count_90d: Orders .* And: Events of the type placed .*\n"
            "Hint: give one of them another name under features",
        ),
        (
            FeatureSettings(interactions=(("order_count", "return_rate"), ("return_rate", "order_count"))),
            r"^features.interactions lists \[return_rate, order_count\] and \[order_count, return_rate\], which have "
            "the same product\nHint: list each pair once",
        ),
    ],
)
def test_column_made_twice_is_refused(settings: FeatureSettings, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        features_table(settings, ALL_INPUTS)


def test_columns_that_are_not_stored_are_told_with_the_reason() -> None:
    settings = FeatureSettings(departments=("Shoes",), sizes=("M",))
    reasons = left_out_columns(settings, ["products", "engagement_events"])
    assert set(reasons.values()) == {
        f"the source delivers no {name}"
        for name in (
            *("customers", "engagement_events.event_type", "order_lines.channel", "order_lines.country"),
            *(
                "order_lines.cost_price",
                "order_lines.list_price",
                "order_lines.store_id",
                "products.child_age",
                "products.class",
                "products.size",
            ),
        )
    }
    assert reasons["size_unit_count_m"] == "the source delivers no products.size"
    assert "department_share_shoes" not in reasons
    basic = left_out_columns(settings.model_copy(update={"set": "basic"}), ["products", "engagement_events"])
    assert basic["department_share_shoes"] == "features.set is basic"
    assert (basic.keys() | {"recency_days"}) >= reasons.keys()


def test_relations_may_be_bracketed_queries_named_like_ours(connection: Connection) -> None:
    loaded = load_shop(connection, random_shop(0))
    relations = FeatureRelations(
        f"(SELECT * FROM {loaded.order_lines})", "(SELECT * FROM history)", products="products"
    )
    found = []
    for given in (relations, FeatureRelations("order_lines", "history", "products")):
        with computed_features(connection, SETTINGS, given, AS_OF, LOOKBACK_START) as sql:
            found.append(connection.execute(f"SELECT * FROM ({sql}) ORDER BY customer_id").fetchall())
    assert found[0] == found[1]


def test_nothing_is_left_behind_on_the_connection(connection: Connection) -> None:
    relations = load_shop(connection, random_shop(0))
    before = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
    with computed_features(connection, SETTINGS, relations, AS_OF, LOOKBACK_START):
        pass
    assert connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall() == before


def test_as_of_with_a_zone_is_refused() -> None:
    from datetime import UTC

    with pytest.raises(DataError, match=r"local shop time without a zone.*\nHint: turn it into the time zone"):
        feature_queries(SETTINGS, FeatureRelations("l", "h"), AS_OF.replace(tzinfo=UTC), LOOKBACK_START)


def test_lookback_after_as_of_is_refused() -> None:
    with pytest.raises(DataError, match=r"lookback_start 2025-06-02 lies after as_of 2025-06-01T00:00:00"):
        feature_queries(SETTINGS, FeatureRelations("l", "h"), AS_OF, AS_OF.date().replace(day=2))
