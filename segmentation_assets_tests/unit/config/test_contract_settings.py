"""Rules for delivered columns that cannot be meant are refused when the settings are read."""

import datetime as dt
import re
from typing import Any

import pytest
from pydantic import ValidationError

from segmentation_assets.config.contract import DATE_COLUMNS, NUMBER_COLUMNS, ColumnRule, ContractSettings
from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.source import DELIVERED_COLUMNS
from segmentation_assets.errors import SettingsError
from segmentation_assets.tables.raw import TABLES


def test_kinds_of_columns_are_those_of_the_declared_tables() -> None:
    kinds = {"DATE": "date", "TIMESTAMP": "date", "VARCHAR": "text"}
    declared = {
        column.name: kinds.get(column.dtype, "number")
        for table in TABLES
        if table.key.removeprefix("raw/") in DELIVERED_COLUMNS
        for column in table.columns
        if column.name not in ("source_file", "source_row")
    }
    assert {name for name, kind in declared.items() if kind == "number"} == NUMBER_COLUMNS
    assert {name for name, kind in declared.items() if kind == "date"} == DATE_COLUMNS


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"column": "country"}, "nothing is asked of country"),
        ({"column": "country", "minimum": 1}, "country is text and has no minimum"),
        ({"column": "quantity", "allowed_values": ("1",)}, "quantity is no text and has no allowed_values"),
        (
            {"column": "quantity", "maximum": dt.date(2020, 1, 1)},
            "must be a number, as quantity holds numbers",
        ),
        ({"column": "order_at", "minimum": 2020}, "must be an existing date written YYYY-MM-DD, as order_at holds"),
        ({"column": "quantity", "minimum": 3, "maximum": 2}, "minimum 3 of quantity is above its maximum 2"),
        ({"column": "quantity", "minimum": 3, "max_share": 1.5}, "less than or equal to 1"),
    ],
)
def test_rule_that_cannot_be_meant_is_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ColumnRule(**rule)


@pytest.mark.parametrize(
    ("table", "rules", "message"),
    [
        (
            "customers",
            [{"column": "quantity", "minimum": 1}],
            "customers has no column 'quantity'",
        ),
        ("order_lines", [{"column": "order_id", "unique": True}], "nothing of order_lines can be unique"),
        (
            "products",
            [{"column": "class", "required": True}, {"column": "class", "unique": True}],
            "there are several rules for class",
        ),
    ],
)
def test_rules_that_do_not_fit_the_table_are_refused(table: str, rules: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ContractSettings(**{table: tuple(ColumnRule(**rule) for rule in rules)})


def test_rules_are_read_from_the_settings_file(tmp_path) -> None:
    file = tmp_path / "segmentation.yaml"
    file.write_text(
        "contract:\n"
        "  order_lines:\n"
        "    - {column: country, required: true, allowed_values: [NL, BE], max_share: 0.05}\n"
        "    - {column: order_at, minimum: 2020-01-01}\n"
        "    - {column: quantity, maximum: 1000}\n"
    )
    rules = load_settings(config=file, profile="demo").settings.contract.order_lines
    assert rules == (
        ColumnRule(column="country", required=True, allowed_values=("NL", "BE"), max_share=0.05),
        ColumnRule(column="order_at", minimum=dt.date(2020, 1, 1)),
        ColumnRule(column="quantity", maximum=1000),
    )


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (
            "contract.order_lines",
            [{"column": "country", "required": True}],
            "contract.order_lines has a rule for country, which source.order_lines.columns does not map.\nHint: mapped "
            "are order_id, order_at, customer_id, product_id, quantity, unit_price.",
        ),
        (
            "contract.customers",
            [{"column": "gender", "required": True}],
            "contract.customers has a rule for gender, which source.customers.columns does not map.\nHint: the source "
            "has no such table; add it first.",
        ),
        (
            "population.brands",
            ["A"],
            "population filters by brand, which source.order_lines.columns does not map.\nHint: mapped are order_id,",
        ),
        (
            "population.exclude_account_types",
            ["staff"],
            "needs account_type in source.customers.columns.\nHint: the source has no such table; add it first.",
        ),
        (
            "source.order_lines.order_id_within",
            "store_id",
            "order_id_within is store_id, which columns does not map.\nHint: mapped are order_id, order_at",
        ),
        (
            "money.vat",
            {"prices": "include", "analyse": "net"},
            "a mapped column vat_rate to take VAT off or put it on.\nHint: mapped are order_id, order_at",
        ),
    ],
)
def test_setting_for_a_column_that_is_not_mapped_says_which_are(setting: str, value: object, message: str) -> None:
    mapping = {"files": ["*.csv"], "columns": {name: name for name in DELIVERED_COLUMNS["order_lines"][0]}}
    overrides = {
        "source.kind": "files",
        "source.order_lines": mapping,
        "calendar.first_snapshot": "2025-03",
        setting: value,
    }
    with pytest.raises(SettingsError, match=re.escape(message)):
        load_settings(profile="demo", overrides=overrides)
