from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from segmentation_assets.config.source import ProductsTable, SourceSettings
from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.delivery import DeliveredFile, kind_of, list_delivery
from segmentation_assets_tests.unit.ingestion.counter import order_lines_mapping


def make_source(*patterns: str, **tables: object) -> SourceSettings:
    return SourceSettings(order_lines=order_lines_mapping(files=patterns), **tables)


def test_files_are_listed_by_pattern_with_size_and_hash(tmp_path: Path) -> None:
    (tmp_path / "2025").mkdir()
    (tmp_path / "b.csv").write_bytes(b"bb")
    (tmp_path / "2025" / "a.csv").write_bytes(b"a")

    listed = list_delivery(tmp_path, make_source("*.csv", "2025/*.csv", "b.*"))

    assert listed == (
        DeliveredFile("order_lines", "b.csv", 0, 2, hashlib.sha256(b"bb").hexdigest()),
        DeliveredFile("order_lines", "2025/a.csv", 1, 1, hashlib.sha256(b"a").hexdigest()),
    )


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        pytest.param(["*.csv"], ["orders-9.csv", "orders-10.csv", "orders-100.csv"], id="numbers"),
        pytest.param(["*"], ["orders-1.csv.gz", "orders-02.csv", "orders-2.csv"], id="leading zeros"),
        pytest.param(["*"], ["orders.parquet", "orders (2).csv", "orders-corrected.csv"], id="additions"),
        pytest.param(["**/*.csv"], ["2025-9/a.csv", "2025-9b/a.csv", "2025-10/a.csv"], id="folders"),
        pytest.param(["o*", "*.csv"], ["orders-1.csv", "orders-2.csv", "corrections.csv"], id="first pattern"),
    ],
)
def test_files_are_in_the_order_of_patterns_and_then_of_names(
    tmp_path: Path, patterns: list[str], names: list[str]
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [file.file_name for file in list_delivery(tmp_path, make_source(*patterns))] == names


@pytest.mark.parametrize(
    ("listed_before", "content", "names"),
    [
        pytest.param("", "a:1 b:2 copy:2 z:1", ["a", "z", "b", "copy"], id="nothing listed before: by name"),
        pytest.param("b:2", "a-copy:2 b:2 c:3", ["b", "a-copy", "c"], id="original"),
        pytest.param("a:1 b:2", "0-copy:2 a:1 b:2", ["a", "b", "0-copy"], id="original stays after what it corrects"),
        pytest.param("b:2 a-copy:2", "0:2 a-copy:2 b:2", ["b", "a-copy", "0"], id="copies of before come next"),
        pytest.param("b:2", "a-copy:2 c:3", ["a-copy", "c"], id="original that is gone"),
        pytest.param("a:1 b:2", "a:2 b:2", ["b", "a"], id="content that a file has taken over"),
        pytest.param("b:1", "a-copy:2 b:2", ["b", "a-copy"], id="name of before with content that is new"),
        pytest.param("products/b:2", "a-copy:2 b:2", ["a-copy", "b"], id="file of another table"),
    ],
)
def test_copy_comes_right_after_the_file_that_was_there_before(
    tmp_path: Path, listed_before: str, content: str, names: list[str]
) -> None:
    for name, byte in (entry.split(":") for entry in content.split()):
        (tmp_path / f"{name}.csv").write_text(byte)
    before = []
    for entry in listed_before.split():
        path, byte = entry.split(":")
        table, _, name = path.rpartition("/")
        sha256 = hashlib.sha256(byte.encode()).hexdigest()
        before.append(DeliveredFile(table or "order_lines", f"{name}.csv", len(before), 1, sha256))

    listed = list_delivery(tmp_path, make_source("*.csv"), before=before)

    assert [file.file_name for file in listed] == [f"{name}.csv" for name in names]
    assert [file.file_index for file in listed] == list(range(len(names)))
    assert list_delivery(tmp_path, make_source("*.csv"), before=listed) == listed


def test_each_table_counts_its_own_files(tmp_path: Path) -> None:
    for name in ("lines-1.csv", "lines-2.csv.gz", "products.parquet"):
        (tmp_path / name).write_bytes(b"x")
    products = ProductsTable(files=("products.parquet",), columns={"product_id": "id", "department": "dep"})

    listed = list_delivery(tmp_path, make_source("lines-*", products=products))

    assert [(file.table_name, file.file_name, file.file_index) for file in listed] == [
        ("order_lines", "lines-1.csv", 0),
        ("order_lines", "lines-2.csv.gz", 1),
        ("products", "products.parquet", 0),
    ]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the delivery folder .*nowhere does not exist\nHint: make it"):
        list_delivery(tmp_path / "nowhere", make_source("*.csv"))


def test_a_pattern_without_a_file_is_named_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "order.csv").write_bytes(b"x")
    with pytest.raises(DataError, match=r"order_lines.files: no file in .* matches 'orders\*\.csv'; .* order\.csv"):
        list_delivery(tmp_path, make_source("orders*.csv"))


def test_an_empty_folder_is_said_to_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the folder holds nothing"):
        list_delivery(tmp_path, make_source("*.csv"))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lines.csv").touch()
    with pytest.raises(DataError, match=r"lines\.csv of source\.order_lines is empty \(0 bytes\)"):
        list_delivery(tmp_path, make_source("*.csv"))


def test_a_file_of_unknown_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lines.xls").write_bytes(b"x")
    with pytest.raises(
        DataError, match=r"lines\.xls of .* cannot be read\nHint: deliver one of \.csv, \.csv\.gz, \.csv\.zst, \.tsv"
    ):
        list_delivery(tmp_path, make_source("lines.*"))


def test_a_file_of_two_tables_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_bytes(b"x")
    products = ProductsTable(files=("shop*",), columns={"product_id": "id", "department": "dep"})
    with pytest.raises(DataError, match=r"shop\.csv is matched by source\.order_lines\.files and by 'shop\*'"):
        list_delivery(tmp_path, make_source("*.csv", products=products))


@pytest.mark.parametrize(
    ("name", "own", "other", "is_refused"),
    [
        ("shop.xlsx", {"sheets": ("Orders",)}, {"sheets": ("Products",)}, False),
        ("shop.xlsx", {"sheets": ("Orders", "Products")}, {"sheets": ("Products",)}, True),
        ("shop.xlsx", {}, {"sheets": ("Products",)}, True),
        ("shop.duckdb", {"table": "orders"}, {"table": "products"}, False),
        ("shop.duckdb", {"table": "orders"}, {"table": "orders"}, True),
        ("shop.csv", {"table": "orders"}, {"table": "products"}, True),
    ],
)
def test_a_file_of_two_tables_is_taken_where_each_has_parts_of_its_own(
    tmp_path: Path, name: str, own: dict[str, object], other: dict[str, object], *, is_refused: bool
) -> None:
    (tmp_path / name).write_bytes(b"x")
    products = ProductsTable(files=(name,), columns={"product_id": "id", "department": "dep"}, **other)
    source = SourceSettings(order_lines=order_lines_mapping(files=(name,), **own), products=products)
    if is_refused:
        with pytest.raises(DataError, match=r"its own sheets, or its table\."):
            list_delivery(tmp_path, source)
    else:
        listed = [(file.table_name, file.file_name, file.file_index) for file in list_delivery(tmp_path, source)]
        assert listed == [("order_lines", name, 0), ("products", name, 0)]


def test_only_the_named_files_are_listed(tmp_path: Path) -> None:
    for name in ("lines-1.csv", "lines-2.csv", "lines-3.csv"):
        (tmp_path / name).write_bytes(b"x")
    listed = list_delivery(tmp_path, make_source("lines-*"), only={"lines-3.csv", "lines-1.csv", "elsewhere.csv"})
    assert [(file.file_name, file.file_index) for file in listed] == [("lines-1.csv", 0), ("lines-3.csv", 1)]


def test_a_leftover_that_is_not_named_is_not_even_looked_at(tmp_path: Path) -> None:
    (tmp_path / "lines-1.csv").write_bytes(b"x")
    (tmp_path / "lines-2.csv").touch()
    listed = list_delivery(tmp_path, make_source("lines-*"), only=["lines-1.csv"])
    assert [file.file_name for file in listed] == ["lines-1.csv"]


def test_a_pattern_that_matches_no_named_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "lines-1.csv").write_bytes(b"x")
    with pytest.raises(DataError, match=r"order_lines.files: no file in .* matches 'lines-\*'"):
        list_delivery(tmp_path, make_source("lines-*"), only=())


def test_what_excel_keeps_beside_an_open_workbook_is_no_delivery(tmp_path: Path) -> None:
    for name in ("lines.xlsx", "~$lines.xlsx"):
        (tmp_path / name).write_bytes(b"x")
    assert [file.file_name for file in list_delivery(tmp_path, make_source("*.xlsx"))] == ["lines.xlsx"]


def test_hidden_files_are_no_delivery_unless_a_pattern_names_them(tmp_path: Path) -> None:
    for name in ("lines.csv", "._lines.csv", ".trash/lines.csv", ".outbox/lines.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    listed = list_delivery(tmp_path, make_source("**/*.csv", ".outbox/*.csv"))
    assert [file.file_name for file in listed] == ["lines.csv", ".outbox/lines.csv"]


def test_what_the_data_folder_holds_is_no_delivery(tmp_path: Path) -> None:
    for name in ("lines.csv", "shop/lines.csv", "data/exports/lines.csv", "data/lines.csv", "database/lines.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    listed = list_delivery(tmp_path, make_source("**/*.csv"), data_dir=tmp_path / "data")

    assert [file.file_name for file in listed] == ["database/lines.csv", "lines.csv", "shop/lines.csv"]


@pytest.mark.parametrize("folder", ["data", "data/deliveries"])
def test_a_delivery_folder_may_lie_in_the_data_folder(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder / "results").mkdir(parents=True)
    (tmp_path / folder / "lines.csv").write_bytes(b"x")
    listed = list_delivery(tmp_path / folder, make_source("*.csv"), data_dir=tmp_path / "data")
    assert [file.file_name for file in listed] == ["lines.csv"]


def test_a_delivery_in_the_data_folder_itself_holds_no_results(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    for name in ("lines.csv", "exports/lines.csv"):
        (tmp_path / name).write_bytes(b"x")
    listed = list_delivery(tmp_path, make_source("**/*.csv"), data_dir=tmp_path)
    assert [file.file_name for file in listed] == ["lines.csv"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "csv"),
        ("a.CSV.ZST", "csv"),
        ("2025/a.csv.gz", "csv"),
        ("a.tsv.zst", "csv"),
        ("a.txt", "csv"),
        ("a.parquet", "parquet"),
        ("a.XLSX", "workbook"),
        ("a.xlsm", "workbook"),
        ("a.duckdb", "database"),
        ("a.sqlite3", "database"),
        ("a.db", "database"),
        ("a.xls", None),
        ("a.zst", None),
    ],
)
def test_the_end_of_a_name_tells_how_a_file_is_read(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind
