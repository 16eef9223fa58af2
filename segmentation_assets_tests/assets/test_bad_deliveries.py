"""What is wrong with a delivery: one clear error, or counted rows in quarantine, and nothing half-written."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import Engine, parquet_scan, quote_text
from segmentation_assets_tests.assets.conftest import Printed
from segmentation_assets_tests.assets.stored import files_of
from segmentation_assets_tests.once import made_once

HEADER = ("Order", "Date", "Customer", "Product", "Pieces", "Price")

SETTINGS = """\
data_dir: data
calendar:
  first_snapshot: 2025-06
  last_month: 2025-08
source:
  kind: files
  folder: delivered
  max_quarantine_share: 0.02
  order_lines:
    files: [orders.csv]
    date_format: "%d.%m.%Y"
    columns:
      order_id: Order
      order_at: Date
      customer_id: Customer
      product_id: Product
      quantity: Pieces
      unit_price: Price
"""

LAYERS = ("--only", "source", "--only", "raw")

LINES = 400


@dataclass(frozen=True)
class Delivery:
    """A folder with a settings file, a delivered CSV file and what was made of it."""

    folder: Path

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def settings_file(self) -> Path:
        return self.folder / "segmentation.yaml"

    @property
    def orders(self) -> Path:
        return self.folder / "delivered" / "orders.csv"

    def lines(self) -> list[list[str]]:
        with self.orders.open(encoding="utf-8", newline="") as stream:
            return list(csv.reader(stream))

    def write_lines(self, lines: list[list[str]]) -> None:
        with self.orders.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(lines)

    def spoil(self, column: str, value: str, rows: range) -> None:
        """Put a value into some rows, counted from 1 without the header."""
        lines = self.lines()
        for row in rows:
            lines[row][lines[0].index(column)] = value
        self.write_lines(lines)

    def reword(self, old: str, new: str) -> None:
        """Change the settings file."""
        text = self.settings_file.read_text(encoding="utf-8")
        assert old in text
        self.settings_file.write_text(text.replace(old, new), encoding="utf-8")


def good_lines() -> list[list[str]]:
    first = dt.date(2025, 5, 1)
    days = [first + dt.timedelta(days=row % 123) for row in range(LINES)]
    return [
        [f"O{row}", f"{day:%d.%m.%Y}", f"C{row % 40}", f"P{row % 7}", str(1 + row % 3), f"{1 + row % 9}.50"]
        for row, day in enumerate(days)
    ]


def _take_in(folder: Path) -> None:
    from segmentation_assets.cli.main import main

    delivery = Delivery(folder)
    delivery.orders.parent.mkdir()
    delivery.settings_file.write_text(SETTINGS, encoding="utf-8")
    delivery.write_lines([list(HEADER), *good_lines()])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["run", *LAYERS, "--only", "silver/order_lines"]) == 0


@pytest.fixture(scope="session")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good delivery whose raw tables are made."""
    return made_once(tmp_path_factory, "taken_in", _take_in)


@pytest.fixture
def delivery(taken_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    """A copy of the good delivery, as working directory."""
    folder = tmp_path / "shop"
    shutil.copytree(taken_in, folder)
    monkeypatch.chdir(folder)
    return Delivery(folder)


Spoil = Callable[[Delivery], None]


def _instead(name: str, content: bytes) -> Spoil:
    """Deliver another file in place of the CSV file."""

    def spoil(delivery: Delivery) -> None:
        delivery.orders.with_name(name).write_bytes(content)
        delivery.reword("[orders.csv]", f"[{name}]")

    return spoil


def _deliver_damaged_parquet(delivery: Delivery) -> None:
    """Deliver a Parquet file whose end says that it is whole, and whose middle is overwritten."""
    whole = delivery.orders.with_suffix(".parquet")
    with Engine(EngineSettings(), delivery.folder / "spill").connect() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_csv({quote_text(str(delivery.orders))}, all_varchar = true)) "
            f"TO {quote_text(str(whole))} (FORMAT parquet)"
        )
    content = whole.read_bytes()
    whole.write_bytes(content[:60] + bytes(400) + content[460:])
    delivery.reword("[orders.csv]", "[orders.parquet]")


MISTAKES: dict[str, tuple[Spoil, str, str]] = {
    "unknown key": (
        lambda d: d.reword("max_quarantine_share", "max_quarantine_shares"),
        "segmentation.yaml:8: source.max_quarantine_shares is not a setting.",
        "did you mean 'max_quarantine_share'?",
    ),
    "number out of range": (
        lambda d: d.reword("share: 0.02", "share: 2"),
        "segmentation.yaml:8: source.max_quarantine_share",
        "",
    ),
    "unknown profile": (
        lambda d: d.reword("data_dir: data", "profile: demoo\ndata_dir: data"),
        "segmentation.yaml:1: there is no profile 'demoo'.",
        "did you mean 'demo'?",
    ),
    "missing delivery folder": (
        lambda d: d.orders.parent.rename(d.folder / "elsewhere"),
        "the delivery folder ",
        "make it and put the files there, or set source.folder to where they lie.",
    ),
    "missing file": (
        lambda d: d.orders.rename(d.orders.with_name("order.csv")),
        "source.order_lines.files: no file in ",
        "deliver the file, or correct the pattern.",
    ),
    "empty file": (
        lambda d: d.orders.write_text(""),
        "orders.csv of source.order_lines is empty (0 bytes)",
        "deliver it again, or remove it.",
    ),
    "header only": (
        lambda d: d.write_lines([list(HEADER)]),
        "orders.csv: there is no row below the header",
        "deliver the file again, with its rows.",
    ),
    "column that is not there": (
        lambda d: d.reword("quantity: Pieces", "quantity: Piece"),
        "orders.csv has no column 'Piece', which source.order_lines.columns.quantity names; it has 'Customer', ",
        "did you mean 'Pieces'?",
    ),
    "wrong column": (
        lambda d: d.reword("quantity: Pieces", "quantity: Product"),
        "raw/order_lines: 400 of 400 delivered rows cannot be used (400 not_a_number); allowed is a share of 0.02. "
        "The first is orders.csv, row 1, column 'Product': 'P0'",
        "correct source.order_lines (date_format, decimal, separator, null_values, columns) or the file, or raise "
        "source.max_quarantine_share.",
    ),
    "dates in another format": (
        lambda d: d.reword("%d.%m.%Y", "%Y-%m-%d"),
        "raw/order_lines: 400 of 400 delivered rows cannot be used (400 unparseable_date)",
        "correct source.order_lines (date_format",
    ),
    "two names of a column in one file": (
        lambda d: d.reword("quantity: Pieces", "quantity: [Pieces, Price]"),
        "orders.csv has the columns 'Pieces' and 'Price', which source.order_lines.columns.quantity names as one",
        "leave in the list only names of which each file has exactly one.",
    ),
    "workbook with a password": (
        _instead("orders.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512)),
        "orders.xlsx is protected by a password, or has the format of Excel before 2007",
        "save it as .xlsx without a password.",
    ),
    "truncated workbook": (
        _instead("orders.xlsx", b"PK\3\4 cut off"),
        "orders.xlsx is not a readable workbook, or not all of it has arrived",
        "deliver it again.",
    ),
    "zero bytes": (
        lambda d: d.orders.write_bytes(d.orders.read_bytes().replace(b"C7", b"C\0")),
        "orders.csv: line 9 holds a zero byte, which no text has",
        "set the encoding to utf-16-le or utf-16-be if the file was written so; else deliver it again.",
    ),
    "name that stands twice": (
        lambda d: d.write_lines([[*line, line[-1]] for line in d.lines()]),
        "orders.csv has 2 columns called 'Price', which source.order_lines.columns.unit_price names",
        "rename them in the delivery so that each name stands once.",
    ),
    "Parquet damaged inside": (
        _deliver_damaged_parquet,
        "orders.parquet is damaged and cannot be read: ",
        "deliver it again.",
    ),
    "truncated gzip file": (
        _instead("orders.csv.gz", gzip.compress(b"Order,Date\n" * 99)[:-9]),
        "orders.csv.gz is damaged and cannot be unpacked: ",
        "deliver it again.",
    ),
    "truncated Zstandard file": (
        _instead("orders.csv.zst", bytes.fromhex("28b52ffd2058")),
        "orders.csv.zst is damaged and cannot be unpacked: the file ends within a frame",
        "deliver it again.",
    ),
    "truncated database": (
        _instead("orders.duckdb", bytes(8) + b"DUCK"),
        "orders.duckdb cannot be read as a database",
        "deliver it again; a DuckDB file must not be open for writing elsewhere.",
    ),
    "too many texts as quantity": (
        lambda d: d.spoil("Pieces", "three", range(10, 19)),
        "raw/order_lines: 9 of 400 delivered rows cannot be used (9 not_a_number); allowed is a share of 0.02. "
        "The first is orders.csv, row 10, column 'Pieces': 'three'",
        "correct source.order_lines",
    ),
    "too many unparseable dates": (
        lambda d: d.spoil("Date", "31.02.2025", range(3, 20)),
        "raw/order_lines: 17 of 400 delivered rows cannot be used (17 unparseable_date); allowed is a share of 0.02. "
        "The first is orders.csv, row 3, column 'Date': '31.02.2025'",
        "correct source.order_lines",
    ),
    "calendar before the delivery": (
        lambda d: d.reword("first_snapshot: 2025-06", "first_snapshot: 2024-01"),
        "calendar.first_snapshot 2024-01 lies before the first delivered month; the delivery holds order lines from "
        "2025-05-01 to 2025-08-31",
        "set calendar.first_snapshot to a month from 2025-05 to 2025-08, for example 2025-06 for the last 3 months.",
    ),
    "calendar after the delivery": (
        lambda d: d.reword("last_month: 2025-08", "last_month: 2025-12"),
        "calendar.last_month 2025-12 lies after the last delivered month; the delivery holds",
        "set calendar.last_month to 2025-08, or leave it out to go on with every month that is delivered.",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_one_clear_error_and_changes_nothing(
    name: str, delivery: Delivery, segmentation: Callable[..., Printed]
) -> None:
    spoil, message, hint = MISTAKES[name]
    before = files_of(delivery.data_dir)
    spoil(delivery)

    printed = segmentation("run")

    error, _, told = printed.err.partition("\nHint: ")
    assert printed.code == 1
    assert error.startswith(f"error: {message}")
    assert told.startswith(hint)
    assert told.strip()
    assert "Traceback" not in printed.err
    after = files_of(delivery.data_dir)
    assert {part: after.get(part) for part in before if "delivery" not in part and "decisions" not in part} == {
        part: value for part, value in before.items() if "delivery" not in part and "decisions" not in part
    }
    assert not [part for part in after if part not in before and not part.startswith(("tables/source", "manifests/s"))]
    staging = delivery.data_dir / "staging"
    assert [path.name for path in staging.iterdir()] == []


def rows(platform: Platform, key: str, columns: str) -> list[tuple[object, ...]]:
    relation = parquet_scan(platform.store.table_paths(key))
    with platform.engine.connect() as connection:
        return connection.execute(f"SELECT {columns} FROM {relation} ORDER BY ALL").fetchall()


def test_few_bad_rows_are_set_aside_counted_and_shown(delivery: Delivery, segmentation: Callable[..., Printed]) -> None:
    delivery.spoil("Pieces", "three", range(10, 13))
    delivery.spoil("Date", "2025-06-01", range(20, 22))

    assert segmentation("run", *LAYERS).code == 0

    platform = Platform(load_settings(config=delivery.settings_file).settings)
    columns = "source_file, source_row, reason, column_name, value"
    assert rows(platform, "raw/quarantine", columns) == [
        *(("orders.csv", row, "not_a_number", "Pieces", "three") for row in range(10, 13)),
        *(("orders.csv", row, "unparseable_date", "Date", "2025-06-01") for row in range(20, 22)),
    ]
    assert platform.store.manifest("raw/order_lines").metadata["quarantine_counts"] == {
        "not_a_number": 3,
        "unparseable_date": 2,
    }
    assert "quarantine    5 rows set aside: not_a_number 3, unparseable_date 2\n" in segmentation("status").out


def test_column_that_a_file_lacks_stops_unless_it_may_and_then_is_told(
    delivery: Delivery, segmentation: Callable[..., Printed]
) -> None:
    lines = ["Order,Date,Customer,Product,Pieces,Price,Land", "N1,05.08.2025,C1,P1,2,1.50,NL"]
    delivery.orders.with_name("orders-2.csv").write_text("\n".join(lines), encoding="utf-8")
    delivery.reword("[orders.csv]", "['*.csv']")
    delivery.reword("unit_price: Price", "unit_price: Price\n      country: Land")

    refused = segmentation("run", *LAYERS)
    assert refused.code == 1
    assert "orders.csv has no column 'Land'" in refused.err
    assert "If some files do not have it, add country to source.order_lines.may_lack." in refused.err

    delivery.reword("    columns:", "    may_lack: [country, unit_price]\n    columns:")
    needed = segmentation("config", "check")
    assert "may_lack names unit_price, which every row needs.\nHint: every file must have it; " in needed.err

    delivery.reword("may_lack: [country, unit_price]", "may_lack: [country]")
    assert segmentation("run", *LAYERS).code == 0
    manifest = Platform(load_settings(config=delivery.settings_file).settings).store.manifest("raw/order_lines")
    assert manifest.metadata["lacking_parts"] == {"country": 1}
    assert "lacking       order_lines: 1 of 2 files or sheets without country\n" in segmentation("status").out


def test_every_delivered_row_is_a_line_or_in_quarantine(
    delivery: Delivery, segmentation: Callable[..., Printed]
) -> None:
    delivery.spoil("Price", "free", range(1, 5))
    assert segmentation("run", *LAYERS).code == 0
    store = Platform(load_settings(config=delivery.settings_file).settings).store
    lines = store.manifest("raw/order_lines")
    months = [name for name in lines.slices if name != "quarantine"]
    stored = sum(store.slice_manifest("raw/order_lines", name).row_count for name in months)
    assert (stored, store.manifest("raw/quarantine").row_count) == (LINES - 4, 4)


def test_corrected_delivery_empties_the_quarantine(delivery: Delivery, segmentation: Callable[..., Printed]) -> None:
    good = delivery.orders.read_bytes()
    delivery.spoil("Pieces", "three", range(10, 13))
    assert segmentation("run", *LAYERS).code == 0
    delivery.orders.write_bytes(good)
    assert segmentation("run", *LAYERS).code == 0
    assert "quarantine    0 rows set aside\n" in segmentation("status").out


def test_month_that_is_no_longer_delivered_is_removed(delivery: Delivery, segmentation: Callable[..., Printed]) -> None:
    delivery.write_lines([line for line in delivery.lines() if not line[1].endswith(".05.2025")])
    assert segmentation("run", *LAYERS, "--only", "silver/order_lines").code == 0
    store = Platform(load_settings(config=delivery.settings_file).settings).store
    for key in ("raw/order_lines", "silver/order_lines"):
        assert set(store.manifest(key).slices) == {"2025-06-01", "2025-07-01", "2025-08-01"}
        assert store.slice_manifest(key, "2025-05-01") is None


STRANGE_NAME = "O'Brien's data #2: \u00e4 {x} $HOME %s"


@pytest.mark.parametrize("kind", ["data_dir: data", "folder: delivered"])
def test_folder_with_quotes_and_blanks_in_its_name_works(
    delivery: Delivery, segmentation: Callable[..., Printed], kind: str
) -> None:
    delivery.spoil("Pieces", "three", range(10, 13))
    setting, _, name = kind.partition(": ")
    (delivery.folder / name).rename(delivery.folder / STRANGE_NAME)
    delivery.reword(kind, f"{setting}: {json.dumps(STRANGE_NAME)}")
    before = {path.name for path in delivery.folder.iterdir()}

    printed = segmentation("run", *LAYERS, "--only", "silver/order_lines", "--force")

    assert (printed.code, printed.err) == (0, "")
    assert "3 rows set aside" in segmentation("status").out
    assert {path.name for path in delivery.folder.iterdir()} == before


def test_data_folder_whose_name_is_a_pattern_is_refused(
    delivery: Delivery, segmentation: Callable[..., Printed]
) -> None:
    delivery.reword("data_dir: data", 'data_dir: "data [1]"')
    printed = segmentation("run")
    assert printed.code == 1
    assert "data [1] has one of * ? [ in its path, which Dagster cannot work in" in printed.err
    assert "Hint: choose a data folder without these signs." in printed.err
    assert "Telemetry" not in printed.err


def test_data_folder_that_is_a_file_is_one_clear_error(
    delivery: Delivery, segmentation: Callable[..., Printed]
) -> None:
    shutil.rmtree(delivery.data_dir)
    delivery.data_dir.write_text("a file")
    printed = segmentation("run")
    assert printed.code == 1
    assert printed.err.startswith(f"error: {delivery.data_dir}")
    assert "Hint: check that the data folder is a folder" in printed.err
