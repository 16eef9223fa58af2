import pytest

from segmentation_assets.ingestion.proposal.numbers import find_decimal, number_doubt
from segmentation_assets.ingestion.proposal.sample import Finding
from segmentation_assets_tests.unit.ingestion.proposal.written import column


@pytest.mark.parametrize(
    ("values", "mark"),
    [(("2.55", "10"), "."), (("2,55", "-10"), ","), (("1.234", "0.5"), "."), (("+3,5", "nan"), ",")],
)
def test_fractions_decide_the_decimal_mark(values: tuple[str, ...], mark: str) -> None:
    assert find_decimal([column(*values)]) == Finding(mark)


@pytest.mark.parametrize(
    ("values", "value", "doubt"),
    [
        (("2", "10"), ".", "the sample holds whole numbers only"),
        (("1,234", "10"), ",", "every fraction has three digits, such as '1,234', so ',' may divide thousands"),
        (("2.5", "2.5", "2,5"), ".", "some numbers of the sample are written with ','"),
    ],
)
def test_doubtful_decimal_mark_is_a_guess_with_both(values: tuple[str, ...], value: str, doubt: str) -> None:
    found = find_decimal([column(*values)])
    assert found is not None
    assert (found.value, set(found.others)) == (value, {".", ","})
    assert found.doubt.startswith(doubt)


def test_texts_that_are_no_numbers_have_no_decimal_mark() -> None:
    assert find_decimal([column("£2.55", "£3.39")]) is None


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        (("2.55", "1,234.50"), "row 2: '1,234.50'; export it without thousands marks"),
        (("2.55", "£3.00"), "row 2: '£3.00'; export it without the currency"),
        (("2.55", "free"), "row 2: 'free'; such rows are set aside"),
    ],
)
def test_values_that_cannot_be_read_are_named_with_what_to_do(values: tuple[str, ...], advice: str) -> None:
    doubt = number_doubt(column(*values), ".", is_whole=False)
    assert doubt == f"1 of 2 sampled values are no number, such as {advice}"


def test_fraction_is_no_whole_number_and_noise_of_a_double_is_no_fraction() -> None:
    assert "no whole number, such as row 1: '6.5'" in number_doubt(column("6.5"), ".", is_whole=True)
    assert number_doubt(column("1e+16", "2.5500000000000003", dtype="DOUBLE"), ",", is_whole=False) == ""


def test_price_with_many_decimals_is_a_number_and_decides_the_mark() -> None:
    assert find_decimal([column("32,327731", "2,5")]) == Finding(",")
    assert number_doubt(column("32,327731", "2,5"), ",", is_whole=False) == ""
    assert number_doubt(column("32.32773109243698", dtype="DOUBLE"), ",", is_whole=False) == ""
    assert "no number, such as row 1: '1,234.567891'" in number_doubt(column("1,234.567891"), ".", is_whole=False)
