from __future__ import annotations

from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.config.settings import Settings
from segmentation_assets.ingestion.unread_files import UnreadFiles, advice_for, describe_unread_files, find_unread_files
from segmentation_assets_tests.unit.ingestion.counter import ORDER_LINE_COLUMNS, order_lines_mapping


def settings_of(folder: Path, *patterns: str, data_dir: str = "data", **overrides: object) -> Settings:
    given = {
        "data_dir": str(folder / data_dir),
        "calendar.first_snapshot": "2024-01",
        "source.kind": "files",
        "source.folder": str(folder),
        "source.order_lines": order_lines_mapping(
            files=patterns, columns={**ORDER_LINE_COLUMNS, "currency": "currency"}
        ).model_dump(mode="json"),
    }
    return load_settings(profile="demo", overrides={**given, **overrides}).settings


def deliver(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_that_look_like_tables_and_fit_no_pattern_are_found(tmp_path: Path) -> None:
    deliver(tmp_path, "o-1.csv", "o-2.CSV", "o-3.csv.gz", "more.Parquet", "a.xlsx", "~$a.xlsx", ".b.csv", "logo.png")
    assert find_unread_files(settings_of(tmp_path, "o-*.csv")) == UnreadFiles(
        ("a.xlsx", "more.Parquet", "o-2.CSV", "o-3.csv.gz"), ()
    )


def test_files_of_kinds_that_cannot_be_read_are_found(tmp_path: Path) -> None:
    deliver(tmp_path, "o-1.csv", "o-2.xls", "o-3.XLSB", "o-4.zip", "o-5.json.gz", "o-6.ods")
    assert find_unread_files(settings_of(tmp_path, "o-*.csv")).unreadable == (
        "o-2.xls", "o-3.XLSB", "o-4.zip", "o-5.json.gz", "o-6.ods",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["*.csv"], ()),
        (["*.csv", "2024/o-*.csv"], ("2024/x.csv",)),
        (["*/o-*.csv"], ("2024/x.csv", "2025/x.csv", "o-1.csv")),
        (["**/o-*.csv"], ("2024/x.csv", "2025/deep/x.csv", "2025/x.csv")),
    ],
)
def test_folders_are_looked_at_as_far_as_patterns_reach(
    tmp_path: Path, patterns: list[str], found: tuple[str, ...]
) -> None:
    deliver(tmp_path, "o-1.csv", "2024/o-1.csv", "2024/x.csv", "2025/x.csv", "2025/deep/x.csv")
    assert find_unread_files(settings_of(tmp_path, *patterns)).unmatched == found


@pytest.mark.parametrize(("pattern", "found"), [("*.csv", ()), ("o*.txt.gz", ("readme.txt",))])
def test_text_is_a_note_unless_a_pattern_asks_for_such_files(
    tmp_path: Path, pattern: str, found: tuple[str, ...]
) -> None:
    deliver(tmp_path, "o.csv", "o.txt.gz", "readme.txt")
    unmatched = find_unread_files(settings_of(tmp_path, pattern)).unmatched
    assert tuple(name for name in unmatched if name.endswith(".txt")) == found


@pytest.mark.parametrize("data_dir", ["data", "."])
def test_what_the_platform_knows_or_makes_is_not_among_them(tmp_path: Path, data_dir: str) -> None:
    names = ("o.csv", "ids.csv", "rates.csv", "segmentation.yaml", "old.csv", "Thumbs.db")
    deliver(
        tmp_path, *names, *(f"{data_dir}/{name}" for name in ("decisions.csv", "segmentation.duckdb", "exports/x.csv"))
    )
    settings = settings_of(
        tmp_path,
        "**/o.csv",
        data_dir=data_dir,
        **{
            "population.crosswalk": str(tmp_path / "ids.csv"),
            "money.exchange.file": str(tmp_path / "rates.csv"),
            "source.withdrawn": ["old*"],
        },
    )
    assert find_unread_files(settings) == UnreadFiles()


def test_a_source_that_is_no_folder_of_files_has_none(tmp_path: Path) -> None:
    deliver(tmp_path, "o.csv")
    assert find_unread_files(settings_of(tmp_path, "x.csv", **{"source.kind": "synthetic"})) == UnreadFiles()
    assert find_unread_files(settings_of(tmp_path / "nowhere", "x.csv")) == UnreadFiles()


def test_what_is_found_is_told_with_what_to_do() -> None:
    unmatched, unreadable = tuple(f"o-{number}.csv" for number in range(1, 8)), ("a.xls", "b.xls", "c.zip")
    assert describe_unread_files(UnreadFiles(unmatched, unreadable)) == {
        "not read": "7 files that no pattern of the settings matches: o-1.csv, o-2.csv, o-3.csv, o-4.csv, o-5.csv "
        "and 2 more. "
        "Hint: name them in source.<table>.files of their table, or move them to another folder.",
        "unreadable": "3 files of kinds that cannot be read: a.xls, b.xls, c.zip. "
        "Hint: save .xls as .xlsx; unpack .zip.",
    }
    assert describe_unread_files(UnreadFiles(("a.csv",))) == {
        "not read": "1 file that no pattern of the settings matches: a.csv. "
        "Hint: name it in source.<table>.files of its table, or move it to another folder."
    }
    assert describe_unread_files(UnreadFiles()) == {}


@pytest.mark.parametrize("name", ["a.csv", "a.tsv.zst", "a.xlsm", "a.db", "a.pdf", "a.yaml", "xls"])
def test_nothing_is_advised_about_files_that_can_be_read_or_hold_no_table(name: str) -> None:
    assert advice_for(name) == ""
