"""Who and what counts, line by line."""

import re

import pytest
from pydantic import ValidationError

from segmentation_assets.config.population import PopulationSettings
from segmentation_assets.config.settings import CalendarSettings, Settings
from segmentation_assets.config.source import CustomersTable, OrderLinesTable, SourceSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.population import check_population, excluded_accounts_sql, require_known_values
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.raw_lines import raw_lines_relation

NAMES = ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price")


def line(**given):
    usual = {
        "order_id": "O1",
        "order_at": "2025-03-05 10:00:00",
        "customer_id": "C1",
        "product_id": "P1",
        "quantity": 1,
        "unit_price": "2.50",
    }
    return usual | given


def reasons(connection: Connection, population: PopulationSettings, *lines, customers: str | None = None) -> list[str]:
    accounts = excluded_accounts_sql(population, customers)
    sql = classified_lines_sql(raw_lines_relation(*lines), SourceSettings(), population, accounts)
    found = connection.execute(f"SELECT line_type, line_reason FROM ({sql}) ORDER BY source_row").fetchall()
    assert all((kind == "excluded") == (reason not in ("sale", "return", "free_item")) for kind, reason in found)
    return [reason for _, reason in found]


@pytest.mark.parametrize(
    ("setting", "column", "reason"),
    [
        ("countries", "country", "other_country"),
        ("channels", "channel", "other_channel"),
        ("brands", "brand", "other_brand"),
        ("stores", "store_id", "other_store"),
    ],
)
def test_lines_of_other_markets_are_excluded_and_so_are_those_of_none(
    connection: Connection, setting: str, column: str, reason: str
) -> None:
    population = PopulationSettings(**{setting: ("ours", "also ours")})
    lines = [line(**{column: value}) for value in ("ours", "theirs", None, "also ours")]
    assert reasons(connection, population, *lines) == ["sale", reason, reason, "sale"]


def test_exclusion_comes_before_what_the_line_is(connection: Connection) -> None:
    population = PopulationSettings(countries=("NL",), exclude_customers=("C9",))
    lines = (
        line(country="BE", quantity=-1),
        line(country="BE", customer_id="C9"),
        line(country="NL", customer_id="C9"),
        line(country="NL", quantity=-1),
        line(country="NL", unit_price="0"),
    )
    assert reasons(connection, population, *lines) == [
        "other_country",
        "other_country",
        "excluded_account",
        "return",
        "free_item",
    ]


def test_accounts_are_left_out_by_kind_and_by_name_and_guests_count(connection: Connection) -> None:
    population = PopulationSettings(exclude_account_types=("Staff", "test"), exclude_customers=("C4", "O'Hara"))
    customers = (
        "(VALUES ('C1', 'consumer'), ('C2', ' STAFF '), ('C3', 'test'), ('C5', NULL)) AS c(customer_id, account_type)"
    )
    ids = ("C1", "C2", "C3", "C4", "O'Hara", "C5", "unknown", None)
    lines = [line(customer_id=customer) for customer in ids]
    found = reasons(connection, population, *lines, customers=customers)
    assert dict(zip(ids, found, strict=True)) == {
        "C1": "sale",
        "C2": "excluded_account",
        "C3": "excluded_account",
        "C4": "excluded_account",
        "O'Hara": "excluded_account",
        "C5": "sale",
        "unknown": "sale",
        None: "sale",
    }


def test_everyone_counts_by_default(connection: Connection) -> None:
    assert excluded_accounts_sql(PopulationSettings(), "customers") is None
    assert reasons(connection, PopulationSettings(), line(country=None), line(country="BE")) == ["sale", "sale"]


@pytest.mark.parametrize(
    ("countries", "hint"),
    [(("NL", "BE", "FR"), "the lines have BE, NL."), (("Netherlands",), "the lines have BE, NL.")],
)
def test_value_that_no_line_has_is_refused(connection: Connection, countries: tuple[str, ...], hint: str) -> None:
    lines = raw_lines_relation(line(country="NL"), line(country="BE"), line(country=None))
    unknown = countries[-1]
    expected = f"population.countries names '{unknown}', which no order line has in country\nHint: {hint}"
    with pytest.raises(SettingsError, match=expected):
        require_known_values(connection, lines, PopulationSettings(countries=countries))
    require_known_values(connection, lines, PopulationSettings(countries=("BE", "NL")))


def test_closest_of_many_values_is_offered(connection: Connection) -> None:
    lines = raw_lines_relation(*(line(country=name) for name in ("Germany", *"ABCDEFGHIJKLMN")))
    with pytest.raises(SettingsError, match="did you mean 'Germany'"):
        require_known_values(connection, lines, PopulationSettings(countries=("Germani",)))


def test_column_without_values_says_so(connection: Connection) -> None:
    with pytest.raises(SettingsError, match="no value in that column at all"):
        require_known_values(connection, raw_lines_relation(line()), PopulationSettings(brands=("A",)))


@pytest.mark.parametrize(
    ("kinds", "hint"),
    [("'staff', ' B2B '", "the customers have b2b, staff; did you mean 'staff'?"),
     ("'b2b', NULL", "the customers have b2b."), ("NULL", "the delivered customers have no value in that column")],
)  # fmt: skip
def test_account_type_that_no_customer_has_is_refused(connection: Connection, kinds: str, hint: str) -> None:
    customers = f"(SELECT unnest([{kinds}]) AS account_type)"
    population = PopulationSettings(exclude_account_types=("stafff",))
    expected = re.escape(
        f"population.exclude_account_types names 'stafff', which no customer has in account_type\nHint: {hint}"
    )
    with pytest.raises(SettingsError, match=expected):
        check_population(connection, raw_lines_relation(line()), customers, population)


def test_account_types_are_known_in_any_case(connection: Connection) -> None:
    customers = "(VALUES (' STAFF ')) AS c(account_type)"
    population = PopulationSettings(exclude_account_types=("Staff",))
    assert check_population(connection, raw_lines_relation(line()), customers, population) == ()


def test_customers_to_leave_out_without_a_line_are_told(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    lines = raw_lines_relation(line(customer_id="C1"), line(customer_id=None))
    population = PopulationSettings(exclude_customers=("C99", "C1", "C98"))
    assert check_population(connection, lines, None, population) == ("C98", "C99")
    assert caplog.messages == ["population.exclude_customers: no order line is of C98, C99"]


def test_customers_to_leave_out_are_known_by_their_delivered_id_too(connection: Connection) -> None:
    lines = f"(SELECT *, 'old' AS delivered_customer_id FROM {raw_lines_relation(line(customer_id='new'))})"
    population = PopulationSettings(exclude_customers=("old", "new", "other"), crosswalk="x.csv")
    assert check_population(connection, lines, None, population) == ("other",)


@pytest.mark.parametrize(
    ("population", "message"),
    [
        ({"brands": ("A",)}, "filters by brand, which source.order_lines.columns does not map"),
        ({"exclude_account_types": ("staff",)}, "needs account_type in source.customers.columns"),
    ],
)
def test_filter_without_its_column_is_refused(population: dict[str, tuple[str, ...]], message: str) -> None:
    source = SourceSettings(
        kind="files",
        order_lines=OrderLinesTable(files=("*.csv",), columns={name: name for name in NAMES}),
        customers=CustomersTable(files=("c.csv",), columns={"customer_id": "id"}),
    )
    calendar = CalendarSettings(first_snapshot="2025-03")
    with pytest.raises(ValidationError, match=message):
        Settings(calendar=calendar, source=source, population=PopulationSettings(**population))
