"""Proposals as a whole, and the settings file made of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import Settings
from segmentation_assets.errors import SettingsError
from segmentation_assets.features.blocks.departments import department_slugs
from segmentation_assets.ingestion.calendar import check_calendar
from segmentation_assets.ingestion.proposal.document import MARK, settings_text
from segmentation_assets.ingestion.proposal.propose import Proposal, propose_settings
from segmentation_assets_tests.unit.ingestion.proposal.written import ORDERS, TODAY, propose, sample_of

CUSTOMERS = " Customer ID ,signup date,newsletter since\n5,2020-01-01,01.02.2021\n6,2021-01-01,\n"


def widened(header: str, value: str) -> str:
    """The order lines with one more column."""
    first, *rows = ORDERS.splitlines()
    return "\n".join([f"{first},{header}", *(f"{row},{value}" for row in rows)])


def loaded(proposal: Proposal, folder: Path) -> Settings:
    path = folder / "segmentation.yaml"
    path.write_text(settings_text(proposal, "in: #1"), encoding="utf-8")
    return load_settings(config=path).settings


def test_complete_proposal_can_be_loaded(tmp_path: Path) -> None:
    settings = loaded(propose(orders=ORDERS, customers=CUSTOMERS), tmp_path)
    orders, customers = settings.source.order_lines, settings.source.customers
    assert settings.source.folder == str(tmp_path / "in: #1")
    assert orders is not None
    assert customers is not None
    assert orders.columns == {
        "order_id": "InvoiceNo",
        "order_at": "InvoiceDate",
        "customer_id": "CustomerID",
        "product_id": "StockCode",
        "quantity": "Quantity",
        "unit_price": "UnitPrice",
    }
    assert (orders.files, orders.date_format) == (("orders.csv",), "%Y-%m-%d %H:%M:%S")
    assert customers.columns == {"customer_id": " Customer ID ", "registered_on": "signup date"}


def test_optional_column_with_dates_of_another_form_is_left_out_and_told() -> None:
    text = settings_text(propose(orders=ORDERS, customers=CUSTOMERS), ".")
    assert "# newsletter_since:  # confirm: left out; its dates, such as '01.02.2021', are written otherwise" in text


def test_what_is_certain_has_no_mark() -> None:
    lines = settings_text(propose(orders=ORDERS), ".").splitlines()
    marked = [line.split(":")[0].strip() for line in lines if MARK in line]
    assert marked == ["currency", "first_snapshot", "time_zone", "files", "rule"]


def test_missing_column_makes_loading_fail_with_its_name(tmp_path: Path) -> None:
    proposal = propose(orders=ORDERS.replace("UnitPrice", "UnitPrise"))
    assert proposal.missing == ("order_lines.columns.unit_price: the closest name is 'UnitPrise'",)
    assert "unit_price: ???  # confirm: no column was found; the closest name is 'UnitPrise'" in settings_text(
        proposal, "."
    )
    with pytest.raises(SettingsError, match=r"source\.order_lines\.columns\.unit_price: \?\?\? stands where"):
        loaded(proposal, tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "customer_id,birth_year\n5,1980\n6,1981\n6,1981\n6,1990\n",
            "columns of customers ('customer_id', 'birth_year'), but 2 of 4 values of 'customer_id' repeat an earlier "
            "one, such as '6', which stands in 3 rows; leave one row for each customer in the export",
        ),
        (
            "sku,department,size\nA1,Shoes,40\nA1,Shoes,41\n",
            "columns of products ('sku', 'department', 'size'), but 1 of 2 values of 'sku' repeats an earlier one, "
            "such as 'A1', which stands in 2 rows; leave one row for each product in the export",
        ),
        (
            "customer_id,branch\n5,a\n5,b\n",
            "none of order lines, customers, products, engagement events; its columns are 'customer_id', 'branch'",
        ),
        (
            "customer_id,birth_year\n1.50,1980\n2.50,1981\n",
            "none of order lines, customers, products, engagement events; its columns are 'customer_id', 'birth_year'",
        ),
    ],
)
def test_file_whose_ids_repeat_is_left_out_and_told_how_often(text: str, reason: str) -> None:
    assert propose(orders=ORDERS, more=text).left_out == {"more.csv": reason}


def test_files_without_order_lines_leave_all_of_it_to_be_filled_in(tmp_path: Path) -> None:
    proposal = propose(customers=CUSTOMERS)
    assert proposal.missing == (
        "order_lines: none of the files holds order_id, order_at, customer_id, product_id, quantity, unit_price",
    )
    with pytest.raises(SettingsError, match=r"source\.order_lines\.files\.1: \?\?\? stands"):
        loaded(proposal, tmp_path)


@pytest.mark.parametrize(
    ("text", "missing"), [("store,city\n1,Ulm\n", 6), ("customer_id,date,cds\n1,2024-01-30,2\n1,2024-01-31,3\n", 4)]
)
def test_lone_file_of_something_else_is_taken_for_order_lines(text: str, missing: int) -> None:
    assert len(propose(file=text).tables["order_lines"].match.missing) == missing


def test_proposed_first_snapshot_passes_the_check_of_the_calendar(tmp_path: Path) -> None:
    proposal = propose(orders=ORDERS)
    calendar = loaded(proposal, tmp_path).calendar
    assert calendar.first_snapshot == "2024-02"
    check_calendar(calendar, dt.date(2024, 1, 30), dt.date(2024, 4, 2))


def test_one_month_of_orders_is_one_snapshot() -> None:
    lines = ORDERS.replace("2024-04-02", "2024-01-31")
    assert propose(orders=lines).first_snapshot.value == "2024-01"


def test_dates_after_today_do_not_move_the_first_snapshot() -> None:
    proposal = propose(orders=ORDERS.replace("2024-04-02", "2031-04-02"), today=dt.date(2024, 6, 1))
    assert proposal.first_snapshot.value == "2024-01"
    none = propose(orders=ORDERS, today=dt.date(2023, 1, 1))
    assert none.missing == ("calendar.first_snapshot: no order date up to today could be read",)


def test_files_of_one_table_share_a_pattern_and_their_rows() -> None:
    later = ORDERS.replace("2024-", "2025-").replace("85123A", "nan")
    proposal = propose(o_2024=ORDERS, o_2025=later)
    orders = proposal.tables["order_lines"]
    assert [pattern.value for pattern in orders.patterns] == ["o_*.csv"]
    assert proposal.first_snapshot.value == "2025-02"
    assert [found.doubt for found in orders.notation.null_values] == ["stands in 1 sampled row of 'StockCode'"]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (ORDERS.replace(",", ";"), "separated by ';' and not by ','"),
        (ORDERS.replace("StockCode", "SKU"), "without a column 'StockCode'"),
    ],
)
def test_file_written_otherwise_than_the_first_of_its_table_is_left_out(other: str, reason: str) -> None:
    proposal = propose(a=ORDERS, b=other)
    assert proposal.left_out == {"b.csv": f"order lines like a.csv, but {reason}; files of one table are written alike"}
    (pattern,) = proposal.tables["order_lines"].patterns
    assert pattern.doubt.startswith("b.csv holds order lines too and is not read; ")


def test_pattern_is_a_guess_where_files_of_its_table_are_not_read() -> None:
    other = ORDERS.replace(",", ";")
    proposal = propose(o_1=ORDERS, o_2=ORDERS, other_1=other, other_2=other)
    (pattern,) = proposal.tables["order_lines"].patterns
    assert (pattern.value, pattern.doubt) == (
        "o_*.csv",
        "other_1.csv holds order lines too and is not read; nor is 1 more",
    )


def test_file_in_plain_ascii_goes_with_files_in_any_encoding() -> None:
    samples = {
        "o-1.csv": sample_of(ORDERS, "o-1.csv"),
        "o-2.csv": sample_of(ORDERS.replace("85123A", "É1"), "o-2.csv", "cp1252"),
    }
    proposal = propose_settings(samples, tuple(samples), TODAY)
    orders = proposal.tables["order_lines"]
    assert (proposal.left_out, orders.files, orders.sample.encoding.value) == ({}, ("o-1.csv", "o-2.csv"), "cp1252")
    mixed = {**samples, "o-3.csv": sample_of(ORDERS.replace("85123A", "É1"), "o-3.csv")}
    assert propose_settings(mixed, (), TODAY).left_out == {
        "o-3.csv": "order lines like o-2.csv, but in utf-8 and not in cp1252; files of one table are written alike"
    }


def test_column_that_another_file_has_is_to_be_joined() -> None:
    heads = "order_id,order_date,customer_id,status\n1,2024-01-30,5,paid\n2,2024-01-31,6,paid\n"
    lines = "order_id,sku,qty,unit price\n1,A1,2,2.50\n2,A2,1,3.50\n"
    proposal = propose(heads=heads, lines=lines)
    assert proposal.missing[:2] == (
        "order_lines.columns.order_at: heads.csv has it as 'order_date'; join the two files in the export",
        "order_lines.columns.customer_id: heads.csv has it as 'customer_id'; join the two files in the export",
    )


def test_one_customer_in_many_rows_may_stand_for_guests() -> None:
    header, *_ = ORDERS.splitlines()
    ids = ["0"] * 5 + ["1", "2", "3", "4", "5"]
    rows = [f"{number},2024-01-30 08:26:00,{customer},85123A,6,2.55" for number, customer in enumerate(ids)]
    doubts = propose(orders="\n".join([header, *rows])).tables["order_lines"].notation.doubts
    assert doubts == {
        "customer_id": "'0' stands in 50% of the sampled rows; where that means guests, add it to null_values"
    }


def test_ids_that_came_as_numbers_are_told() -> None:
    proposal = propose(orders=ORDERS.replace("13085", "13085.0").replace("71053", "71053.0"))
    assert proposal.tables["order_lines"].notation.notes == (
        "'CustomerID' came as numbers with a fraction, such as '13085.0'; it is read as 13085",
        "'StockCode' came as numbers with a fraction, such as '71053.0'; the codes are kept as they stand, so export "
        "them as text where they have to match another file",
    )


@pytest.mark.parametrize(
    ("text", "currency", "zone"),
    [
        (ORDERS, "EUR", "UTC"),
        (ORDERS.replace("UnitPrice", "Unit Price (£)"), "GBP", "UTC"),
        (ORDERS.replace("UnitPrice", "unit_price_usd"), "USD", "UTC"),
        (widened("Country", "UK"), "GBP", "Europe/London"),
        (widened("Currency", "SEK"), "SEK", "UTC"),
    ],
)
def test_currency_and_zone_are_guessed_from_what_names_them(text: str, currency: str, zone: str) -> None:
    proposal = propose(orders=text)
    assert (proposal.currency.value, proposal.time_zone.value) == (currency, zone)
    assert proposal.currency.doubt
    assert proposal.time_zone.doubt


def test_commonest_departments_of_the_products_are_proposed(tmp_path: Path) -> None:
    products = "sku,category\n" + "".join(
        f"A{number},{'Shoes' if number % 3 else 'Home: & Co'}\n" for number in range(9)
    )
    settings = loaded(propose(orders=ORDERS, products=products), tmp_path)
    assert settings.features.departments == ("Shoes", "Home: & Co")


def test_departments_of_most_sampled_lines_come_first() -> None:
    products = "sku,category\n71053,Hats\nA1,Shoes\nA2,Shoes\n"
    assert propose(orders=ORDERS, products=products).features.departments == ("Hats", "Shoes")


def test_short_lists_of_the_products_are_proposed(tmp_path: Path) -> None:
    products = "sku,category,subcategory,age group,size\n" + "".join(
        f"{name},{department},{group},{age},{size}\n"
        for name, department, group, age, size in (
            ("A1", "Shoes", "Boots", "", "40"),
            ("A2", "Shoes", "Clogs: red", "", "41"),
            ("A3", "Toys", "Dolls", "3-5 years", ""),
            ("A4", "Toys", "", "baby", "41"),
        )
    )
    features = loaded(propose(orders=ORDERS, products=products), tmp_path).features
    assert features.departments == ("Shoes", "Toys")
    assert features.classes == {"Shoes": ("Boots", "Clogs: red")}
    assert (features.child_ages, features.sizes) == (("3-5 years", "baby"), ("40", "41"))


def test_long_lists_of_the_products_are_not_proposed() -> None:
    rows = [f"A{number},D{number % 3},C{number % 4},{number}" for number in range(60)]
    rows += [f"B{number},E,C{number % 5},1" for number in range(25)]
    features = propose(orders=ORDERS, products="\n".join(["sku,category,subcategory,size", *rows])).features
    assert features.departments == ("E", "D0", "D1", "D2")
    assert features.classes == dict.fromkeys(("D0", "D1"), ("C0", "C1", "C2", "C3"))
    assert features.sizes == ()


def test_kinds_are_proposed_for_the_event_types_found(tmp_path: Path) -> None:
    types = ("visit", "email_open", "Email Open!", "order", "2nd click", "visit")
    events = "customer_id,event date,event type\n" + "".join(f"5,2024-01-30 08:26:00,{name}\n" for name in types)
    settings = loaded(propose(orders=ORDERS, events=events), tmp_path)
    assert settings.features.event_kinds == {
        "visit": ("visit",),
        "open": ("email_open",),
        "email_open": ("Email Open!",),
        "kind_order": ("order",),
        "kind_2nd_click": ("2nd click",),
    }
    assert settings.features.departments == ()


def test_many_event_types_are_left_to_the_user() -> None:
    events = "customer_id,event date,event type\n" + "".join(f"5,2024-01-30,t{number}\n" for number in range(9))
    assert propose(orders=ORDERS, events=events).features.event_kinds == {}


def test_departments_that_would_share_a_column_are_proposed_once() -> None:
    names = ("Shoes", "Shoes", "Shoes", "SHOES", "shoes ", "Other", "靴", "Home & Co", "Home/Co")
    products = "sku,category\n" + "".join(f"A{number},{name}\n" for number, name in enumerate(names))
    departments = propose(orders=ORDERS, products=products).features.departments
    assert departments == ("Shoes", "靴", "Home & Co")
    assert len(department_slugs(departments)) == 3


def test_hostile_names_and_values_stay_on_their_line(tmp_path: Path) -> None:
    text = ORDERS.replace("StockCode", '"SKU"').replace("InvoiceNo", '"Order\n: # id"')
    proposal = propose(orders=text.replace("85123A", '"N/A"'))
    settings = loaded(proposal, tmp_path)
    assert settings.source.order_lines is not None
    assert settings.source.order_lines.null_values == ("", "N/A")
    assert settings.source.order_lines.columns["order_id"] == "Order\n: # id"
