"""Which customer a delivered id stands for: merged, split by day or by file, and never two at once."""

from pathlib import Path

import pytest

from segmentation_assets.config.population import PopulationSettings
from segmentation_assets.config.source import SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.classification import classified_lines_sql
from segmentation_assets.ingestion.crosswalk import (
    count_reassigned,
    entries_of_sql,
    read_crosswalk,
    resolved_profiles_sql,
    resolved_sql,
)
from segmentation_assets.ingestion.population import excluded_accounts_sql
from segmentation_assets.storage.engine import Connection
from segmentation_assets_tests.unit.raw_lines import raw_lines_relation

FILES = "(VALUES ('web-1.csv'), ('store.xlsx')) AS files(file_name)"
DAY = "CAST(line.order_at AS DATE)"


@pytest.fixture
def read(connection: Connection, tmp_path: Path):
    def from_text(*rows: str) -> str:
        path = tmp_path / "crosswalk.csv"
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return read_crosswalk(connection, path, FILES)

    return from_text


def line(customer_id: str | None, order_at: str = "2025-03-05", source_file: str = "web-1.csv") -> dict[str, object]:
    return {"customer_id": customer_id, "order_at": order_at, "source_file": source_file, "order_id": "O1",
            "product_id": "P1", "quantity": 1, "unit_price": 2}  # fmt: skip


def customers_of(connection: Connection, crosswalk: str, *lines: dict[str, object]) -> list[str | None]:
    sql = resolved_sql(raw_lines_relation(*lines), crosswalk, DAY)
    return [row[0] for row in connection.execute(f"SELECT customer_id FROM {sql} ORDER BY source_row").fetchall()]


def test_ids_are_merged_and_all_others_and_guests_stay(connection: Connection, read) -> None:
    crosswalk = read("customer_id,delivered_id", " C1 ,C2", "C1,13085.0")
    lines = [line(customer) for customer in ("C1", "C2", "13085", "C4", None)]
    assert customers_of(connection, crosswalk, *lines) == ["C1", "C1", "C1", "C4", None]


def test_id_is_split_by_day_with_both_days_included(connection: Connection, read) -> None:
    crosswalk = read("delivered_id,customer_id,valid_from,valid_to", "X,A,,2025-02-28", "X,B,2025-03-01,2025-03-31")
    days = ("2025-02-28 23:59:59", "2025-03-01 00:00:00", "2025-03-31 23:59:59", "2025-04-01 00:00:00")
    assert customers_of(connection, crosswalk, *(line("X", day) for day in days)) == ["A", "B", "B", "X"]


def test_entry_for_a_source_counts_before_one_for_all(connection: Connection, read) -> None:
    crosswalk = read("delivered_id,customer_id,source", "1,everywhere,", "1,in-store,store*", "2,web,web-*.csv")
    lines = [line(customer, source_file=file) for customer in "12" for file in ("web-1.csv", "store.xlsx[May]")]
    assert customers_of(connection, crosswalk, *lines) == ["everywhere", "in-store", "web", "2"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ("C1,A,,,", "C1,B,,,"),
            r"row 2, column 'delivered_id': 'C1' stands in row 1 too, for days that overlap\nHint: ",
        ),
        (("C1,A,,,2025-03-01", "C1,B,,2025-03-01,"), "row 2, column 'delivered_id': 'C1' stands in row 1 too"),
        (("C1,A,web*,,", "C1,B,*.csv,,"), "row 2, .* 'C1' stands in row 1 too, and 'web-1.csv' matches both sources"),
        (
            ("C1,C2,,,", "C2,C3,,,"),
            r"row 1, column 'customer_id': 'C2' is itself replaced by 'C3' in row 2\nHint: an entry",
        ),
        (("C1,C2,web*,,", "C2,C3,*.csv,,"), "row 1, .* 'C2' is itself replaced by 'C3' in row 2"),
        (("C1,C2,,,", "C2,C1,,,"), "'C2' is itself replaced by 'C1' in row 2; 2 entries have this fault"),
        (("C1,,,,",), "row 1, column 'customer_id': no value stands where an id is needed"),
        (("C1,A,,01.03.2025,",), "row 1, column 'valid_from': '01.03.2025' is no date\nHint: write YYYY-MM-DD"),
        (("C1,A,,2025-03-02,2025-03-01",), "column 'valid_to': '2025-03-01' lies before valid_from 2025-03-02"),
    ],
)
def test_entries_that_contradict_each_other_are_refused(read, rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=f"^crosswalk.csv, .*{message}"):
        read("delivered_id,customer_id,source,valid_from,valid_to", *rows)


def test_id_of_another_source_may_be_the_customer_of_an_entry(connection: Connection, read) -> None:
    crosswalk = read("delivered_id,customer_id,source", "1,2,web-*", "2,3,store*")
    lines = [line(customer, source_file=file) for customer in "12" for file in ("web-1.csv", "store.xlsx[May]")]
    assert customers_of(connection, crosswalk, *lines) == ["2", "1", "2", "3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "delivered_id,customer_id,source\nA,B,\nC,D\n",
            "row 2: 2 fields where the first line has 3: 'C,D'\nHint: write",
        ),
        ("delivered_id,customer_id\nA,B,C\n", "row 1: 3 fields where the first line has 2"),
        ('delivered_id,customer_id\n"A,B\n', "cannot be read: .*\nHint: close every quote"),
        ("delivered_id,customer_id\nÄ,B\n", "is not UTF-8"),
        ("delivered_id,customer_id,customer_id\nA,B,C\n", "has 2 columns called 'customer_id'"),
        ("", "has the columns none"),
    ],
)
def test_file_that_cannot_be_read_is_refused(connection: Connection, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "crosswalk.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=f"^crosswalk.csv,? ?{message}"):
        read_crosswalk(connection, path, FILES)


def test_wrong_columns_and_a_missing_file_are_named(connection: Connection, read, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="has the columns from, to\nHint: its first line has to be delivered_id,customer_id"
    ):
        read("from,to", "C1,C2")
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        read_crosswalk(connection, tmp_path / "none.csv", FILES)


def test_profile_under_the_own_id_counts_else_the_first(connection: Connection, read) -> None:
    crosswalk = read("delivered_id,customer_id", "B,A", "C,A", "D,X", "E,X")
    profiles = (
        "(SELECT * FROM (VALUES ('B', 'NL', 'a.csv', 1), ('A', 'BE', 'a.csv', 2), ('E', 'FR', 'a.csv', 3), "
        "('D', 'DE', 'b.csv', 1)) "
        "AS c(customer_id, country, source_file, source_row))"
    )
    sql = resolved_profiles_sql(profiles, crosswalk, "DATE '2025-03-31'")
    found = connection.execute(f"SELECT customer_id, country FROM {sql} ORDER BY 1").fetchall()
    assert found == [("A", "BE"), ("X", "FR")]


def test_lines_ids_and_entries_without_a_line_are_counted(connection: Connection, read) -> None:
    crosswalk = read("delivered_id,customer_id,valid_from", "B,A,", "C,A,", "D,A,2025-04-01", "nobody,A,")
    lines = raw_lines_relation(*(line(customer) for customer in "ABBCD"))
    assert count_reassigned(connection, lines, crosswalk) == {
        "crosswalk_entries": 4,
        "crosswalk_entries_without_lines": 2,
        "reassigned_lines": 3,
        "reassigned_ids": 2,
        "customers_they_count_for": 1,
    }


def test_entries_of_a_month_do_not_change_with_days_outside_of_it(connection: Connection, read) -> None:
    lines = raw_lines_relation(line("B", "2025-03-01"), line("B", "2025-03-31"), line("C", "2025-03-31"))

    def entries(*rows: str) -> list[tuple]:
        crosswalk = read("delivered_id,customer_id,valid_from,valid_to", *rows)
        return connection.execute(f"FROM {entries_of_sql(crosswalk, lines, 'order_at')} ORDER BY ALL").fetchall()

    whole = entries("B,A,,")
    assert len(whole) == 1
    assert entries("D,A,,", "B,A,2025-03-01,2025-04-30", "B,E,2025-05-01,") == whole
    assert entries("B,A,2025-03-02,") != whole
    assert entries("B,E,,") != whole


def test_account_left_out_stays_out_under_whichever_id(connection: Connection, read) -> None:
    crosswalk = read("delivered_id,customer_id", "staff,A", "B,boss")
    population = PopulationSettings(exclude_customers=("staff", "boss"), crosswalk=Path("crosswalk.csv"))
    lines = resolved_sql(raw_lines_relation(*(line(c) for c in ("A", "staff", "B", None))), crosswalk, DAY)
    sql = classified_lines_sql(lines, SourceSettings(), population, excluded_accounts_sql(population, None))
    found = connection.execute(f"SELECT customer_id, line_type FROM ({sql}) ORDER BY source_row").fetchall()
    assert found == [("A", "sale"), ("A", "excluded"), ("boss", "excluded"), (None, "sale")]
