import re

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.ingestion.proposal.pieces import pieces_of
from segmentation_assets.ingestion.proposal.rows import row_runs
from segmentation_assets.ingestion.proposal.sampling import sample_text
from segmentation_assets_tests.unit.ingestion.proposal.written import sample_of


def test_header_is_kept_exactly_and_values_are_trimmed() -> None:
    sample = sample_of("\ufeff id , name\n 1 ,\n")
    assert sample.header == (" id ", " name")
    assert [column.values for column in sample.columns] == [("1",), (None,)]
    assert sample.is_whole


def test_long_file_is_sampled_at_its_beginning_its_middle_and_its_end() -> None:
    text = "id,note\n" + "".join(f"{number},{'x' * 50}\n" for number in range(1, 100_001))
    sample = sample_of(text)
    numbers = [int(value) for value in sample.columns[0].values]
    assert numbers[:1000] == list(range(1, 1001))
    assert sample.columns[0].rows[:3] == (1, 2, 3)
    assert any(40_000 < number < 60_000 for number in numbers)
    assert numbers[-1] == 100_000
    assert len(numbers) <= 3_000
    assert not sample.is_whole


def test_records_of_another_width_are_left_out() -> None:
    sample = sample_of("a,b\n1,2\n1,2,3\n4,5,\n")
    assert sample.columns[0].values == ("1", "4")
    assert sample.columns[0].rows == (1, 3)


def test_open_quote_ends_with_its_line() -> None:
    sample = sample_of('a,b\n1,2\n2,"x\n3,4\n5,6\n')
    assert sample.columns[0].values == ("1", "3", "5")
    assert sample.columns[0].rows == (1, 3, 4)


def test_utf_16_is_sampled_further_down_too() -> None:
    text = "id,note\n" + "".join(f"{number},{'é' * 40}\n" for number in range(1, 30_001))
    sample = sample_text(pieces_of(text.encode("utf-16")), "a.csv")
    assert sample.columns[0].values[-1] == "30000"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1,2024-01-01,2.5\n2,2024-01-01,3.5\n",
            "a.csv: the first line holds values ('1', '2024-01-01', '2.5') and not",
        ),
        ("a,b\n", "a.csv: there is no row below the header\nHint: export it again, with its rows."),
    ],
)
def test_file_without_names_or_rows_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        sample_of(text, "a.csv")


def test_rows_of_a_column_file_are_chosen_up_to_the_last() -> None:
    assert row_runs(1_000) == [range(1_000)]
    assert row_runs(500_000)[-1] == range(499_950, 500_000)


@pytest.mark.parametrize("count", [1_001, 1_019, 1_040, 2_000, 3_001])
def test_no_row_is_chosen_twice(count: int) -> None:
    numbers = [number for run in row_runs(count) for number in run]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) == count - 1
