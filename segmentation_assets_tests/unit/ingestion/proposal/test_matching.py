import pytest

from segmentation_assets.ingestion.proposal.matching import TableMatch, match_file, match_table, misfit
from segmentation_assets_tests.unit.ingestion.proposal.written import ORDERS, TODAY, column, sample_of

VALUES = "1,2024-01-30,13085,85123A,6,2.55"


def mapping(match: TableMatch | None) -> dict[str, str]:
    assert match is not None
    return {name: finding.value.name for name, finding in match.columns.items()}


def orders(header: str, values: str = VALUES) -> TableMatch:
    return match_table(sample_of(f"{header}\n{values}\n"), "order_lines", TODAY)


@pytest.mark.parametrize(
    "header",
    [
        "InvoiceNo,InvoiceDate,CustomerID,StockCode,Quantity,UnitPrice",
        "Invoice,invoice date,Customer ID,SKU,Qty,Unit Price",
        "order_id,order_date,client_id,article,units,price_per_unit",
        "Bestellnr.,Bestelldatum,Kunden-Nr.,Artikelnummer,Stückzahl,Einzelpreis",
        "N° commande,Date de commande,N° client,Référence,Quantité,Prix unitaire",
        "Nº pedido,Fecha de pedido,Nº cliente,Código artículo,Cantidad,Precio unitario",
        "Bestelnummer,Besteldatum,Klantnummer,Artikelcode,Aantal,Stukprijs",
    ],
)
def test_names_that_say_what_they_are_are_mapped_without_doubt(header: str) -> None:
    match = orders(header)
    names = header.split(",")
    assert mapping(match) == dict(
        zip(("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price"), names, strict=True)
    )
    assert [finding.doubt for finding in match.columns.values()] == [""] * 6


def test_name_that_may_mean_something_else_is_a_guess() -> None:
    match = orders("InvoiceNo,Date,Customer,StockCode,Quantity,Price (EUR)")
    assert {name for name, finding in match.columns.items() if finding.doubt} == {
        "order_at",
        "customer_id",
        "unit_price",
    }
    assert match.columns["unit_price"].doubt == "the name may mean something else"


def test_two_names_for_one_column_are_a_guess_that_names_both() -> None:
    match = orders(
        "InvoiceNo,InvoiceDate,Order Date,CustomerID,StockCode,Quantity,UnitPrice", f"1,2024-01-30,{VALUES[2:]}"
    )
    assert match.columns["order_at"].doubt == "else 'Order Date', named alike"


def test_name_whose_values_do_not_fit_is_not_mapped_and_told() -> None:
    match = orders(
        "InvoiceNo,InvoiceDate,CustomerID,StockCode,Quantity,UnitPrice", "1,2024-01-30,13085,85123A,six,£2.55"
    )
    assert match.missing == {
        "quantity": "'Quantity' is named like it, but its values, such as 'six', are no whole numbers",
        "unit_price": "'UnitPrice' is named like it, but its values, such as '£2.55', are no numbers",
    }


def test_next_best_name_is_taken_where_the_values_of_the_first_do_not_fit() -> None:
    match = orders("OrderNo,Order,InvoiceDate,CustomerID,StockCode,Quantity,UnitPrice", f"9.95,{VALUES}")
    assert mapping(match)["order_id"] == "Order"


def test_name_that_stands_twice_is_never_mapped() -> None:
    match = orders("InvoiceNo,InvoiceDate,CustomerID,StockCode,Quantity,UnitPrice,UnitPrice", f"{VALUES},3")
    assert match.missing == {"unit_price": "'UnitPrice' stands 2 times in the header; let each name stand once"}


@pytest.mark.parametrize(
    ("header", "nearest"),
    [
        ("InvoiceNo,InvoiceDate,CustomerID,StockCode,Quantity,UnitPrise", "the closest name is 'UnitPrise'"),
        (
            "InvoiceNo,InvoiceDate,CustomerID,StockCode,Quantity,LineTotal",
            "by its values it could be 'LineTotal'; a total has to be divided by the quantity in the export",
        ),
        ("InvoiceNo,InvoiceDate,CustomerID,StockCode,Quantity", ""),
    ],
)
def test_missing_column_comes_with_what_is_closest(header: str, nearest: str) -> None:
    match = orders(header, ",".join(VALUES.split(",")[: header.count(",") + 1]))
    assert match.missing == {"unit_price": nearest}


@pytest.mark.parametrize(
    ("text", "table"),
    [
        (ORDERS, "order_lines"),
        ("customer id,signup date,country\n5,2020-01-01,DE\n6,2021-01-01,DE\n", "customers"),
        ("sku,category,title\nA1,Shoes,Boot\nA2,Shoes,Clog\n", "products"),
        ("customer_id,timestamp,event\n5,2024-01-01,open\n5,2024-01-02,click\n", "engagement_events"),
        ("customer_id,created_at\n5,2024-01-01\n5,2024-01-02\n", "engagement_events"),
        ("InvoiceNo,InvoiceDate,CustomerID,StockCode\n1,2024-01-30,13085,85123A\n", "order_lines"),
        ("order id,order date,customer id,country\n1,2024-01-30,13085,DE\n", "order_lines"),
    ],
)
def test_table_is_the_one_that_maps_the_most(text: str, table: str) -> None:
    match = match_file(sample_of(text), TODAY)
    assert match is not None
    assert match.table == table


def test_file_of_something_else_is_no_table() -> None:
    assert match_file(sample_of("store,city\n1,Ulm\n"), TODAY) is None


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        (("2.55", "3.39"), "id", "look like prices"),
        (("2024-01-30",), "id", "look like dates"),
        (("13085.0", "13086.0"), "id", ""),
        (("A-1", "2024"), "id", ""),
        ((None, "nan"), "id", ""),
        ((None,), "money", "it holds no value in the sample"),
        (("6.0", "-2"), "whole", ""),
        (("6.5",), "whole", "are no whole numbers"),
        (("abc",), "instant", "are no dates in a format that is known"),
    ],
)
def test_values_say_what_a_column_can_be(values: tuple[str | None, ...], kind: str, reason: str) -> None:
    found = misfit(column(*values), kind, TODAY)
    assert found.endswith(reason)
    assert bool(found) == bool(reason)


def test_types_of_a_file_count_as_they_are() -> None:
    assert misfit(column("2024-01-30 08:00:00", dtype="TIMESTAMP"), "instant", TODAY) == ""
    assert misfit(column("2024-01-30", dtype="DATE"), "id", TODAY).endswith("look like dates")


def test_a_column_of_counts_is_not_offered_as_an_id_and_a_total_only_as_a_price() -> None:
    lines = "".join(f"{1 + row % 3},{2.5 * row + 0.01:.2f}\n" for row in range(100))
    match = match_table(sample_of(f"pieces sold,worth\n{lines}"), "order_lines", TODAY)
    assert match.missing == {
        "order_id": "where each row is an order of its own, number the rows in the export",
        "order_at": "",
        "customer_id": "",
        "product_id": "where the file knows no products, add a column with one code in the export",
        "quantity": "the closest name is 'pieces sold'",
        "unit_price": "by its values it could be 'worth'; a total has to be divided by the quantity in the export",
    }
