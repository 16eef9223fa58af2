"""Entries of the settings that no order line calls for are told by name, and those that are called for are not."""

from pathlib import Path

import pytest

from segmentation_assets.config.money import VatRule
from segmentation_assets.ingestion.crosswalk import read_crosswalk
from segmentation_assets.ingestion.unused import find_unused_currencies, find_unused_entries, find_unused_rules
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.raw_lines import raw_lines_relation

FILES = "(VALUES ('web.csv')) AS files(file_name)"
PRODUCTS = "(SELECT 'P1' AS product_id, 'Books' AS department, 'Novels' AS \"class\")"


def line(**values: object) -> dict[str, object]:
    return {"order_id": "O1", "order_at": "2025-03-05 10:00:00", "customer_id": "C1", "product_id": "P1",
            "quantity": 1, "unit_price": 2, "country": "NL", "currency": "EUR", "source_file": "web.csv",
            **values}  # fmt: skip


LINES = raw_lines_relation(line(), line(customer_id=None, country="BE", currency=None, order_at="2025-03-09 10:00:00"))


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (["C1,A,,,"], []),
        (["C9,A,,,"], ["entry of population.crosswalk fits no order line in the lookback: 'C9'"]),
        (["C9,A,,,", "C8,A,,,"], ["entries of population.crosswalk fit no order line in the lookback: 'C8'; 'C9'"]),
        (["C1,A,store*,,"], ["entry of population.crosswalk fits no order line in the lookback: 'C1'"]),
        (["C1,A,,2025-03-06,"], ["entry of population.crosswalk fits no order line in the lookback: 'C1'"]),
        (["C9,A,,2025-03-10,"], []),
        (["C9,A,,,2025-03-04"], []),
        (
            [f"X{number},A,,," for number in range(7)],
            [
                "entries of population.crosswalk fit no order line in the lookback, among them "
                "'X0'; 'X1'; 'X2'; 'X3'; 'X4'"
            ],
        ),
    ],
    ids=["used", "misspelt", "two", "other file", "no line on its days", "after the lines", "before the lines", "many"],
)
def test_crosswalk_entries_without_a_line(connection: Connection, tmp_path: Path, entries, words) -> None:
    file = tmp_path / "crosswalk.csv"
    file.write_text("\n".join(["delivered_id,customer_id,source,valid_from,valid_to", *entries]), encoding="utf-8")
    crosswalk = read_crosswalk(connection, file, FILES)
    found = find_unused_entries(connection, LINES, crosswalk)
    assert [each.words for each in found] == words
    assert [each.count for each in found] == ([len(entries)] if words else [])


@pytest.mark.parametrize(
    ("conditions", "name"),
    [
        ({"country": "NL"}, None),
        ({"country": "Holland"}, "country 'Holland'"),
        ({"department": "Books", "product_class": "Novels"}, None),
        ({"department": "Books", "product_class": "Comics"}, "department 'Books' and product_class 'Comics'"),
    ],
)
def test_vat_rate_for_what_no_line_has(connection: Connection, conditions: dict[str, str], name: str | None) -> None:
    found = find_unused_rules(connection, LINES, PRODUCTS, (VatRule(rate=0.07, **conditions),))
    expected = [f"VAT rate of money.vat.rates fits no order line in the lookback: {name}"] if name else []
    assert [each.words for each in found] == expected


def test_currencies_with_a_rate_that_no_line_is_in(connection: Connection) -> None:
    assert find_unused_currencies(connection, LINES, ["EUR"]) == []
    (found,) = find_unused_currencies(connection, LINES, ["EUR", "USD", "GBP"])
    expected = "currencies of money.exchange fit no order line in the lookback: GBP; USD"
    assert (found.setting, found.count, found.words) == ("money.exchange", 2, expected)
