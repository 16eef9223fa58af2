from pathlib import Path

import pytest

from segmentation_assets.ingestion.proposal.places import common_folder, file_patterns


def patterns(*names: str, beside: tuple[str, ...] = (), others: tuple[str, ...] = ()) -> list[str]:
    return [found.value for found in file_patterns(names, beside, others)]


def test_names_that_differ_in_numbers_make_one_pattern() -> None:
    assert patterns("orders-2024-01.csv", "orders-2024-02.csv") == ["orders-*.csv"]
    assert patterns("in/o_1.csv.gz", "in/o_22.csv.gz") == ["in/o_*.csv.gz"]


def test_other_names_are_listed() -> None:
    assert patterns("orders-jan.csv", "orders-feb.csv", "one.csv") == ["one.csv", "orders-feb.csv", "orders-jan.csv"]
    assert patterns("orders-2024-01.csv") == ["orders-2024-01.csv"]


def test_pattern_never_takes_in_a_file_of_another_table() -> None:
    assert patterns("1.csv", "2.csv", others=("3.csv",)) == ["1.csv", "2.csv"]


def test_pattern_that_matches_more_files_is_a_guess_that_names_them() -> None:
    (found,) = file_patterns(("o-1.csv", "o-2.csv"), ("o-1.csv", "o-3.csv", "x.csv", "below/o-4.csv"), ())
    assert (found.value, found.doubt) == (
        "o-*.csv",
        "it also matches o-3.csv, which was not named; else list the files",
    )


@pytest.mark.parametrize(
    ("name", "others", "offered"),
    [
        ("orders.csv", (), "orders*.csv"),
        ("in/orders-2024-01.csv.gz", (), "in/orders-*.csv.gz"),
        ("shop.csv", ("shop-customers.csv",), ""),
        ("shop-1.csv", ("shop-2.csv", "shop-11.csv"), ""),
    ],
)
def test_only_file_is_a_guess_that_offers_a_pattern_for_later_ones(
    name: str, others: tuple[str, ...], offered: str
) -> None:
    (found,) = file_patterns((name,), (), others)
    assert found.value == name
    more = f"; where more will come, write a pattern such as '{offered}'" if offered else ""
    assert found.doubt == f"no other file is read{more}"


def test_characters_of_patterns_in_names_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "orders [1].csv").touch()
    (pattern,) = patterns("orders [1].csv")
    assert [path.name for path in tmp_path.glob(pattern)] == ["orders [1].csv"]


def test_common_folder_of_one_file_is_its_own() -> None:
    assert common_folder([Path("/a/b/c.csv")]) == Path("/a/b")
    assert common_folder([Path("/a/b/c.csv"), Path("/a/d/e.csv")]) == Path("/a")
