"""Every message about settings within the elements of lists: rules of the contract, VAT and exchange rates."""

from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.errors import SettingsError

KEYS = "column, required, minimum, maximum, allowed_values, unique, max_share"
NUMBER = "must be a number, as quantity holds numbers, got"
DATE = "must be an existing date written YYYY-MM-DD, as order_at holds dates, got"
LOWEST, HIGHEST = "smallest value of a number, first day of a date.", "largest value of a number, last day of a date."
SHARE = (
    "share of delivered rows that may break the rule; above it the run stops, with 0 at the first. When absent they "
    "count in source.max_quarantine_share."
)
RATE, WORTH = "VAT rate as a share, such as 0.07.", "worth of one unit in the reporting currency; ten decimals count."

RULES = {
    "column: quantity, maximum: '4'": (f".maximum {NUMBER} '4'", f"write 4: {HIGHEST}"),
    "column: quantity, maximum: four": (f".maximum {NUMBER} 'four'", HIGHEST),
    "column: quantity, maximum: yes": (f".maximum {NUMBER} yes, which means true", HIGHEST),
    "column: quantity, maximum: 2025-01-01": (f".maximum {NUMBER} '2025-01-01'", HIGHEST),
    "column: quantity, maximum: '1,170'": (f".maximum {NUMBER} '1,170'", HIGHEST),
    "column: order_at, minimum: 2025-1-1": (f".minimum {DATE} '2025-1-1'", LOWEST),
    "column: order_at, minimum: 2025-02-30": (f".minimum {DATE} '2025-02-30'", LOWEST),
    "column: order_at, minimum: 2025": (f".minimum {DATE} the number 2025", LOWEST),
    "column: country, minimum: 4": (".minimum: country is text and has no minimum", "write allowed_values."),
    "column: country, allowed_values: DE": (".allowed_values must be a list of text, got 'DE'", "write [DE]."),
    "column: country, allowed_values: [NO]": (
        ".allowed_values.1 must be text, got NO, which means false",
        "put it in quotes: 'NO'.",
    ),
    "column: quantity, allowed_values: [A]": (
        ": quantity is no text and has no allowed_values",
        "write minimum and maximum.",
    ),
    "column: quantity, maximum: 4, max_share: 5%": (".max_share must be a number, got '5%'", f"write 0.05: {SHARE}"),
    "column: quantity, maximum: 4, max_share: 5": (
        ".max_share must be 0 to 1, got the number 5",
        f"write 0.05 for 5 %: {SHARE}",
    ),
    "column: quantity, maximum: 4, max_share: -1": (".max_share must be 0 to 1, got the number -1", SHARE),
    "column: quantity, maximum: 4, max_share: 500": (".max_share must be 0 to 1, got the number 500", SHARE),
    "column: quantity, required: ja": (
        ".required must be true or false, got 'ja'",
        "whether every row needs a value.",
    ),
    "column: quantity, max: 4": (".max is not a setting", "did you mean 'maximum'?"),
    "column: quantity, rate: 4": (".rate is not a setting", "known names are "),
    "required: true": (".column is missing", "set contract.order_lines.2.column (our name of the column)."),
    "column: quanity, maximum: 4": (": order_lines has no column 'quanity'", "did you mean 'quantity'?"),
    "column: quanity, minimum: 2025-01-01, maximum: 4": (
        ": order_lines has no column 'quanity'",
        "did you mean 'quantity'?",
    ),
    "column: quanity, maximum: '4'": (".maximum must be a number or a date, got '4'", f"write 4: {HIGHEST}"),
    "column: birth_year, required: true": (": order_lines has no column 'birth_year'", "known names are brand, "),
    "column: quantity, minimum: 4, maximum: 2": (
        ": minimum 4 of quantity is above its maximum 2",
        "correct one of them.",
    ),
    "column: quantity": (
        ": nothing is asked of quantity",
        "write required, minimum, maximum, allowed_values or unique.",
    ),
    "column: quantity, unique: true": (
        ": nothing of order_lines can be unique, and quantity may repeat",
        "leave unique out; it is for customers and products.",
    ),
}


def failure(folder: Path, text: str) -> str:
    """Return what loading a settings file complains about, without the folder."""
    file = folder / "segmentation.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(config=file)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(("rule", "told"), RULES.items(), ids=RULES.keys())
def test_rule_that_is_wrong_is_told_with_place_and_hint(tmp_path: Path, rule: str, told: tuple[str, str]) -> None:
    text = f"contract:\n  order_lines:\n    - {{column: country, required: true}}\n    - {{{rule}}}\n"
    sentence, hint = told
    assert failure(tmp_path, text).startswith(f"segmentation.yaml:4: contract.order_lines.2{sentence}.\nHint: {hint}")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("[country]", f".1 must be a section with keys of its own, got 'country'.\nHint: keys are {KEYS}."),
        ("country", f" must be a list of sections, got 'country'.\nHint: begin every section with a dash; its keys are "
         f"{KEYS}."),
        ("{column: country}", " must be a list of sections, got a section.\nHint: begin every section with a dash;"),
        ("[{column: country, required: true}, {column: country, required: true}]", ": there are several rules for "
         "country.\nHint: write one."),
    ],
)  # fmt: skip
def test_rules_that_are_no_list_of_sections_are_told(tmp_path: Path, rules: str, message: str) -> None:
    told = failure(tmp_path, f"contract: {{order_lines: {rules}}}\n")
    assert told.startswith(f"segmentation.yaml:1: contract.order_lines{message}")


MONEY = {
    "vat: {rates: [{country: DE, rate: 19}]}": (
        "vat.rates.1.rate must be 0 or more and below 1, got the number 19",
        f"write 0.19 for 19 %: {RATE}",
    ),
    "vat: {rates: [{country: DE, rate: '0,19'}]}": (
        "vat.rates.1.rate must be a number, got '0,19'",
        f"write 0.19: {RATE}",
    ),
    "vat: {rates: [{contry: DE, rate: 0.19}]}": ("vat.rates.1.contry is not a setting", "did you mean 'country'?"),
    "vat: {rates: [{rate: 0.19}]}": (
        "vat.rates.1: a VAT rate needs a country, department or product_class",
        "the rate of all others is money.vat.rate.",
    ),
    "vat: {rates: [{country: DE}]}": ("vat.rates.1.rate is missing", f"set money.vat.rates.1.rate ({RATE[:-1]})."),
    "vat: {rates: [0.19]}": (
        "vat.rates.1 must be a section with keys of its own, got the number 0.19",
        "keys are country, department, product_class, rate.",
    ),
    "vat: {rate: 19}": (
        "vat.rate must be 0 or more and below 1, got the number 19",
        "write 0.19 for 19 %: VAT rate as a share, such as 0.19, where no other one holds.",
    ),
    "exchange: {rates: [{currency: GBP, month: 2025-03, rate: '1,17'}]}": (
        "exchange.rates.1.rate must be a number, got '1,17'",
        f"write 1.17: {WORTH}",
    ),
    "exchange: {rates: [{currency: GBP, month: 2025-03, rate: 1,17}]}": (
        "exchange.rates.1.17 is not a setting",
        "write decimals with a point, as in 1.17.",
    ),
    "exchange: {rates: [{currency: GBP, month: 2025-03, rate: 0}]}": (
        "exchange.rates.1.rate must be above 0 and up to 100,000, got the number 0",
        WORTH,
    ),
}


@pytest.mark.parametrize(("money", "told"), MONEY.items(), ids=MONEY.keys())
def test_rate_that_is_wrong_is_told_with_place_and_hint(tmp_path: Path, money: str, told: tuple[str, str]) -> None:
    sentence, hint = told
    assert failure(tmp_path, f"money: {{{money}}}\n") == f"segmentation.yaml:1: money.{sentence}.\nHint: {hint}"


def test_percentage_of_a_mapping_of_names_is_told(tmp_path: Path) -> None:
    told = failure(tmp_path, "synthetic: {mix: {gift_buyer: 5%}}\n")
    assert told == "segmentation.yaml:1: synthetic.mix.gift_buyer must be a number, got '5%'.\nHint: write 0.05."


def test_choice_in_a_list_gets_the_closest_one(tmp_path: Path) -> None:
    told = failure(tmp_path, "synthetic: {drift: [{kind: prize_rise, from_month: 2025-01}]}\n")
    assert told == (
        "segmentation.yaml:1: synthetic.drift.1.kind must be 'price_rise' or 'new_department' or 'channel_shift', got "
        "'prize_rise'.\nHint: did you mean 'price_rise'?"
    )
