from segmentation_assets.ingestion.proposal.order_facts import (
    SampledLine,
    find_adjustment_prefixes,
    find_cancellation_prefix,
    find_non_products,
)


def line(order: str, code: str = "85123A", text: str = "", quantity: float = 1, price: float = 2.5) -> SampledLine:
    return SampledLine(order, code, text, quantity, price)


SALES = tuple(line(str(number)) for number in range(200))


def test_letters_before_negative_quantities_are_the_cancellation_prefix() -> None:
    lines = (*SALES, line("C7", quantity=-1), line("C8", quantity=-2), line("9", quantity=-3))
    found = find_cancellation_prefix(lines)
    assert found.value == "C"
    assert found.doubt == (
        "starts the order id of 2 sampled lines with a negative quantity; 1 negative ones without it would be "
        "write-offs and not returns"
    )


def test_negative_quantities_with_ordinary_ids_are_returns() -> None:
    found = find_cancellation_prefix((*SALES, line("7", quantity=-1)))
    assert (found.value, found.doubt) == ("", "1 of 201 sampled quantities are negative, with order ids like sales")


def test_letters_that_sales_start_with_too_are_no_cancellation_prefix() -> None:
    lines = tuple(line(f"WEB{number}", quantity=-1 if number % 5 == 0 else 1) for number in range(50))
    assert find_cancellation_prefix(lines).value == ""


def test_no_negative_quantity_is_told() -> None:
    assert find_cancellation_prefix(SALES).doubt.startswith("no quantity of the sample is negative")


def test_rare_letters_before_negative_prices_mark_adjustments() -> None:
    found = find_adjustment_prefixes((*SALES, line("A7", price=-50.0)), "C")
    assert [(item.value, item.doubt) for item in found] == [
        ("A", "starts the order id of 1 sampled line with a negative price")
    ]


def test_codes_that_name_a_fee_are_likely_and_those_without_digits_are_listed() -> None:
    lines = (
        *SALES,
        line("1", "POST", "POSTAGE"),
        line("1", "C2", "CARRIAGE"),
        line("2", "BANK CHARGES", "Bank Charges"),
        line("2", "gift_0001_20", "Dotcomgiftshop Gift Voucher"),
        line("3", "DCGSSGIRL", "GIRLS PARTY BAG"),
        line("3", "SP1002", "KID'S CHALKBOARD"),
    )
    found = {guess.code: guess.is_likely for guess in find_non_products(lines)}
    assert found == {"POST": True, "C2": True, "BANK CHARGES": True, "gift_0001_20": True, "DCGSSGIRL": False}


def test_where_all_codes_are_words_none_is_suspected() -> None:
    assert find_non_products((line("1", "SHIRT"), line("2", "M"), line("3", "BOOT"))) == ()
