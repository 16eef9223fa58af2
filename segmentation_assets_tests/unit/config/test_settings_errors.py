"""Every message about settings that cannot be used."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from segmentation_assets.config.loading import load_settings
from segmentation_assets.errors import SettingsError

Failure = Callable[[str], str]


@pytest.fixture
def failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Failure:
    """Write a segmentation.yaml and return what loading it complains about."""
    monkeypatch.chdir(tmp_path)

    def message_for(text: str) -> str:
        Path("segmentation.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=r"segmentation.yaml") as caught:
            load_settings()
        return str(caught.value)

    return message_for


SINGLE_PROBLEMS = {
    "unknown key": (
        "currency: GBP\n\nsynthetic:\n  sed: 7\n",
        "segmentation.yaml:4: synthetic.sed is not a setting.\nHint: did you mean 'seed'?",
    ),
    "key of another section": (
        "criterion: aic\n",
        "segmentation.yaml:1: criterion is not a setting.\n"
        "Hint: did you mean 'clustering.algorithms.gaussian_mixture.criterion'?",
    ),
    "key of two other sections": (
        "method: median\n",
        "segmentation.yaml:1: method is not a setting.\n"
        "Hint: did you mean 'imputation.method' or 'reports.map.method'?",
    ),
    "section one level too high": (
        "kmeans:\n  k_max: 7\n",
        "segmentation.yaml:1: kmeans is not a setting.\nHint: did you mean 'clustering.algorithms.kmeans'?",
    ),
    "unknown key without a close one": (
        "execution:\n  zebra: 1\n",
        "segmentation.yaml:2: execution.zebra is not a setting.\nHint: known names are executor.",
    ),
    "interaction of one feature": (
        "features:\n  interactions: [[recency_days]]\n",
        "segmentation.yaml:2: features.interactions.1 must be a pair of different features, such as "
        "[recency_days, gap_days_mean], got a list.\n"
        "Hint: pairs of features, such as [recency_days, gap_days_mean], that get a product and a ratio each.",
    ),
    "interaction of a feature with itself": (
        "features:\n  interactions:\n    - [recency_days, recency_days]\n",
        "segmentation.yaml:3: features.interactions.1 must be a pair of different features, such as "
        "[recency_days, gap_days_mean], got a list.\n"
        "Hint: pairs of features, such as [recency_days, gap_days_mean], that get a product and a ratio each.",
    ),
    "peak month twice": (
        "features:\n  peak_months: [11, 12, 11]\n",
        "segmentation.yaml:2: features.peak_months: 11 stands there twice; list each once.\n"
        "Hint: months of the shop's peak, by number; not all of them.",
    ),
    "all months as the peak": (
        "features:\n  peak_months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]\n",
        "segmentation.yaml:2: features.peak_months must be at most 11 long, got a list.\n"
        "Hint: months of the shop's peak, by number; not all of them.",
    ),
    "windows in the wrong order": (
        "features:\n  recency: calendar_days\n  windows: [30, 90, 90]\n",
        "segmentation.yaml:3: features.windows: 90 stands after 90; list each once, from short to long.\n"
        "Hint: days before the as-of date that orders, units and money are counted in, from short to long.",
    ),
    "blank event type": (
        "features:\n  event_kinds:\n    visit: [visit, '']\n",
        "segmentation.yaml:3: features.event_kinds.visit.2: '' is blank; write a name as the delivered data has it.",
    ),
    "more neighbors than donors": (
        "imputation:\n  n_neighbors: 50\n  donors: 10\n",
        "segmentation.yaml:3: imputation.donors: 10 customers cannot hold the 50 of n_neighbors.\n"
        "Hint: with knn: customers that are compared with at most; stored with the model.",
    ),
    "deal finer than a thousandth": (
        "features:\n  deal_discount: 0.1999\n",
        "segmentation.yaml:2: features.deal_discount must be a share with three decimals at most, such as 0.2, "
        "got the number 0.1999.\n"
        "Hint: discount on the list price from which a line counts as a deal, to a thousandth.",
    ),
    "department that the catalogue lacks": (
        "synthetic:\n  archetypes:\n"
        "    - {name: a, share: 1, orders_per_month: 1, settles_as: {active: 1}, departments: {Gardn: 2}}\n",
        "segmentation.yaml:1: synthetic: archetype 'a' names the department 'Gardn', which the packaged catalogue does "
        "not have; known names are Accessories & Footwear, Apparel, Health & Wellness, Home & Lifestyle.",
    ),
    "department that is close to one": (
        "synthetic:\n  drift:\n    - {kind: new_department, from_month: 2024-01, department: Aparel}\n",
        "segmentation.yaml:1: synthetic: drift names the department 'Aparel', which the packaged catalogue does not "
        "have; did you mean 'Apparel'?",
    ),
    "text for a number": (
        "synthetic: {customers: many}\n",
        "segmentation.yaml:1: synthetic.customers must be a whole number, got 'many'.\n"
        "Hint: number of customers ever; about 83 % of them have registered after 12 months, 94 % after 24 and 98 % "
        "after 36.",
    ),
    "number in quotes": (
        "synthetic: {customers: '20'}\n",
        "segmentation.yaml:1: synthetic.customers must be a whole number, got '20'.\n"
        "Hint: number of customers ever; about 83 % of them have registered after 12 months, 94 % after 24 and 98 % "
        "after 36.",
    ),
    "fraction for a whole number": (
        "synthetic: {months: 2.5}\n",
        "segmentation.yaml:1: synthetic.months must be a whole number, got the number 2.5.\nHint: months of business.",
    ),
    "yes for a number": (
        "synthetic: {months: yes}\n",
        "segmentation.yaml:1: synthetic.months must be a whole number, got yes, which means true.\n"
        "Hint: months of business.",
    ),
    "text for true or false": (
        "clustering: {algorithms: {kmeans: {enabled: 'on'}}}\n",
        "segmentation.yaml:1: clustering.algorithms.kmeans.enabled must be true or false, got 'on'.\n"
        "Hint: whether the algorithm is run.",
    ),
    "out of range on both sides": (
        "calendar:\n  lookback_months: 0\n",
        "segmentation.yaml:2: calendar.lookback_months must be 1 to 120, got the number 0.\n"
        "Hint: months of order lines a snapshot's features read.",
    ),
    "below the lowest": (
        "synthetic:\n  seed: -1\n",
        "segmentation.yaml:2: synthetic.seed must be 0 to 2,147,483,647, got the number -1.\n"
        "Hint: seed of all random draws.",
    ),
    "not above the lowest": (
        "matrix:\n  max_correlation: 0\n",
        "segmentation.yaml:2: matrix.max_correlation must be above 0 and up to 1, got the number 0.\n"
        "Hint: of two columns with a larger absolute correlation the one declared later is left out.",
    ),
    "outliers in the wrong order": (
        "matrix:\n  outlier_low: 0.99\n  outlier_high: 0.5\n",
        "segmentation.yaml:1: matrix: outlier_low 0.99 is not below outlier_high 0.5.",
    ),
    "neither a share nor a count": (
        "matrix:\n  pca: 2.5\n",
        "segmentation.yaml:2: matrix.pca must be a share below 1 or a whole number of components, got the number 2.5.\n"
        "Hint: principal components instead of the columns: how many, or the share of variance they hold; none when "
        "absent.",
    ),
    "not a number at all": (
        "matrix:\n  max_correlation: .nan\n",
        "segmentation.yaml:2: matrix.max_correlation must be above 0 and up to 1, got the number .nan.\n"
        "Hint: of two columns with a larger absolute correlation the one declared later is left out.",
    ),
    "bad choice": (
        "source:\n  kind: filez\n",
        "segmentation.yaml:2: source.kind must be 'synthetic' or 'files' or 'postgres', got 'filez'.\n"
        "Hint: did you mean 'files'?",
    ),
    "too large for a seed": (
        "clustering:\n  seed: 2147483648\n",
        "segmentation.yaml:2: clustering.seed must be 0 to 2,147,483,647, got the number 2147483648.\n"
        "Hint: random_state of every fit.",
    ),
    "blank size": (
        "features:\n  sizes: [M, ' ']\n",
        "segmentation.yaml:2: features.sizes.2: ' ' is blank; write a name as the delivered data has it.\n"
        "Hint: sizes, as products have them, that are counted.",
    ),
    "kind without an event": (
        "features:\n  event_kinds: {visit: []}\n",
        "segmentation.yaml:2: features.event_kinds.visit must be at least 1 long, got a list.",
    ),
    "no bucket": (
        "engine:\n  customer_buckets: 0\n",
        "segmentation.yaml:2: engine.customer_buckets must be 1 to 10,000, got the number 0.\n"
        "Hint: files per month of order lines, by customer; auto is one per 2.5 million lines.",
    ),
    "too little memory": (
        "engine:\n  memory_limit: 1MB\n",
        "segmentation.yaml:2: engine.memory_limit: '1MB' is out of range; write 100MB to 1000000GB.\n"
        "Hint: memory of one connection.",
    ),
    "too much disk space": (
        "engine:\n  max_temp_directory_size: 1000001GB\n",
        "segmentation.yaml:2: engine.max_temp_directory_size: '1000001GB' is out of range; write 100MB to 1000000GB.\n"
        "Hint: disk space one connection may spill to.",
    ),
    "no end": (
        "matrix:\n  skew_threshold: .inf\n",
        "segmentation.yaml:2: matrix.skew_threshold must be 0 or more, got the number .inf.\n"
        "Hint: columns whose absolute skewness is larger are transformed as `skew` says, if that helps.",
    ),
    "misspelt time zone": (
        "source:\n  time_zone: Europe/Lodnon\n",
        "segmentation.yaml:2: source.time_zone: 'Europe/Lodnon' is not a time zone; the closest is 'Europe/London'.\n"
        "Hint: IANA zone of the shop; timestamps that carry a zone are turned into its local time.",
    ),
    "time zone of the machine": (
        "source:\n  time_zone: localtime\n",
        "segmentation.yaml:2: source.time_zone: 'localtime' is not a time zone; write for example Europe/London.\n"
        "Hint: IANA zone of the shop; timestamps that carry a zone are turned into its local time.",
    ),
    "month that is out of range": (
        "calendar:\n  first_snapshot: 0000-01\n",
        "segmentation.yaml:2: calendar.first_snapshot: '0000-01' does not lie between 1900-01 and 2099-12.\n"
        "Hint: first month that gets a snapshot, YYYY-MM.",
    ),
    "business before computers": (
        "synthetic:\n  first_month: 1950-01\n",
        "segmentation.yaml:1: synthetic: business must lie between 1970-01 and 2099-12, got 24 months from 1950-01.",
    ),
    "business that goes on too long": (
        "synthetic:\n  first_month: 2099-01\n  months: 13\n",
        "segmentation.yaml:1: synthetic: business must lie between 1970-01 and 2099-12, got 13 months from 2099-01.",
    ),
    "mix of an archetype that there is not": (
        "synthetic:\n  mix: {gift_byer: 0.5}\n",
        "segmentation.yaml:1: synthetic: mix names gift_byer; archetypes are connoisseur, home_maker, bargain_hunter, "
        "fashion_shopper, gift_buyer.",
    ),
    "share in the mix that is no number": (
        "synthetic:\n  mix: {gift_buyer: many}\n",
        "segmentation.yaml:2: synthetic.mix.gift_buyer must be a number, got 'many'.",
    ),
    "quote for a separator": (
        "source: {products: {files: [a], columns: {product_id: a, department: b}, separator: '\"'}}\n",
        "segmentation.yaml:1: source.products.separator: a quote or a line break cannot separate fields.\n"
        'Hint: field separator of CSV and other text files, also of .tsv; a tab is written "\\t".',
    ),
    "empty file pattern": (
        "source: {products: {files: [''], columns: {product_id: a, department: b}}}\n",
        "segmentation.yaml:1: source.products.files.1: a file pattern is empty.\n"
        "Hint: file patterns below source.folder, those of later files last, for example orders-*.csv.",
    ),
    "prefix that every order has": (
        "source: {adjustment_prefixes: ['']}\n",
        "segmentation.yaml:1: source.adjustment_prefixes.1 must be at least 1 long, got ''.\n"
        "Hint: starts of order_id that mark book-keeping entries, in any case.",
    ),
    "pattern that is no regular expression": (
        "reference: {product_code_pattern: '['}\n",
        "segmentation.yaml:1: reference.product_code_pattern: '[' is not a regular expression: unterminated character "
        "set at position 0.\nHint: regular expression of the last step of the cleaning ladder.",
    ),
    "number or choice": (
        "engine:\n  customer_buckets: automatic\n",
        "segmentation.yaml:2: engine.customer_buckets must be a whole number or 'auto', got 'automatic'.\n"
        "Hint: did you mean 'auto'?",
    ),
    "pattern": (
        "engine:\n  memory_limit: 4G\n",
        "segmentation.yaml:2: engine.memory_limit is not written as expected, got '4G'.\n"
        "Hint: write it like 4GB: memory of one connection.",
    ),
    "number for a pattern": (
        "engine:\n  memory_limit: 4\n",
        "segmentation.yaml:2: engine.memory_limit must be text, got the number 4.\n"
        "Hint: write it like 4GB: memory of one connection.",
    ),
    "text for a list": (
        "features:\n  departments: Shoes\n",
        "segmentation.yaml:2: features.departments must be a list of text, got 'Shoes'.\nHint: write [Shoes].",
    ),
    "code without quotes": (
        "source:\n  non_product_codes:\n    - POST\n    - 00123\n",
        "segmentation.yaml:4: source.non_product_codes.2 must be text, got the number 00123.\n"
        "Hint: put it in quotes: '00123'.",
    ),
    "word that YAML takes for a truth value": (
        "source:\n  non_product_codes: [NO]\n",
        "segmentation.yaml:2: source.non_product_codes.1 must be text, got NO, which means false.\n"
        "Hint: put it in quotes: 'NO'.",
    ),
    "word that YAML takes for nothing": (
        "source:\n  non_product_codes: [NULL]\n",
        "segmentation.yaml:2: source.non_product_codes.1 must be text, got an empty value (NULL).\n"
        "Hint: put it in quotes: 'NULL'.",
    ),
    "value for a section": (
        "execution: fast\n",
        "segmentation.yaml:1: execution must be a section with keys of its own, got 'fast'.\nHint: keys are executor.",
    ),
    "list for a section": (
        "execution: [fast]\n",
        "segmentation.yaml:1: execution must be a section with keys of its own, got a list.\nHint: keys are executor.",
    ),
    "section for a value": (
        "currency:\n  code: GBP\n",
        "segmentation.yaml:1: currency must be text, got a section.\n"
        "Hint: write it like EUR: ISO 4217 code of all amounts.",
    ),
    "no value": (
        "currency:\n",
        "segmentation.yaml:1: currency must be text, got an empty value.\n"
        "Hint: write it like EUR: ISO 4217 code of all amounts.",
    ),
    "number for a folder": (
        "data_dir: 5\n",
        "segmentation.yaml:1: data_dir must be a folder, got the number 5.\nHint: put it in quotes: '5'.",
    ),
    "empty list": (
        "source: {order_lines: {files: [], columns: {order_id: a, order_at: b, customer_id: c, product_id: d, "
        "quantity: e, unit_price: f}}}\n",
        "segmentation.yaml:1: source: order_lines.files is missing; set it, as kind is 'synthetic'.",
    ),
    "two characters for one": (
        "source: {products: {files: [a], columns: {product_id: a, department: b}, separator: ';;'}}\n",
        "segmentation.yaml:1: source.products.separator must be at most 1 long, got ';;'.\n"
        'Hint: field separator of CSV and other text files, also of .tsv; a tab is written "\\t".',
    ),
    "not a month": (
        "calendar:\n  first_snapshot: 2025-06-01\n",
        "segmentation.yaml:2: calendar.first_snapshot: '2025-06-01' is not a month; write YYYY-MM, for example "
        "2025-06.\nHint: first month that gets a snapshot, YYYY-MM.",
    ),
    "months in the wrong order": (
        "calendar:\n  last_month: 2025-01\n",
        "segmentation.yaml:1: calendar: last_month 2025-01 lies before first_snapshot 2025-06.",
    ),
    "column that must be mapped": (
        "source:\n  products:\n    files: [a]\n    columns: {product_id: a}\n",
        "segmentation.yaml:2: source.products: columns must also map department.",
    ),
    "pattern that leaves the folder": (
        "source:\n  products:\n    files: [../a]\n    columns: {product_id: a, department: b}\n",
        "segmentation.yaml:3: source.products.files.1: '../a' leaves the delivery folder; write a pattern relative to "
        "source.folder.\nHint: file patterns below source.folder, those of later files last, for example orders-*.csv.",
    ),
    "column that is not filled in": (
        "source:\n  products:\n    files: [a]\n    columns:\n      product_id: ???\n      department: b\n",
        "segmentation.yaml:5: source.products.columns.product_id: ??? stands where segmentation init found nothing; "
        "write what the file has.",
    ),
    "number for a column name": (
        "source:\n  products:\n    files: [a]\n    columns:\n      product_id: 1\n      department: b\n",
        "segmentation.yaml:5: source.products.columns.product_id must be text, got the number 1.\n"
        "Hint: put it in quotes: '1'.",
    ),
    "missing key of a section": (
        "source:\n  products:\n    columns: {product_id: a, department: b}\n",
        "segmentation.yaml:1: source: products.files is missing; set it, as kind is 'synthetic'.",
    ),
    "repeated key": (
        "currency: GBP\ndata_dir: a\ncurrency: USD\n",
        "segmentation.yaml:3: currency stands here again, first in line 1.\nHint: keep one of them.",
    ),
    "unknown profile": (
        "profile: dmo\n",
        "segmentation.yaml:1: there is no profile 'dmo'.\nHint: did you mean 'demo'?",
    ),
    "profile that is no text": (
        "profile: 3\n",
        "segmentation.yaml:1: there is no profile '3'.\nHint: known names are default, demo.",
    ),
}


@pytest.mark.parametrize(("text", "expected"), SINGLE_PROBLEMS.values(), ids=SINGLE_PROBLEMS.keys())
def test_one_problem_is_told_with_place_and_hint(failure: Failure, text: str, expected: str) -> None:
    assert failure(text) == expected


def test_all_problems_are_told_repeated_keys_first_then_by_line(failure: Failure) -> None:
    message = failure("currency: GBP\nsynthetic:\n  sed: 1\n  seed: -1\ncurrency: EUR\nsources: 3\n")
    assert message.splitlines() == [
        "4 settings cannot be used:",
        "segmentation.yaml:5: currency stands here again, first in line 1. Hint: keep one of them.",
        "segmentation.yaml:3: synthetic.sed is not a setting. Hint: did you mean 'seed'?",
        "segmentation.yaml:4: synthetic.seed must be 0 to 2,147,483,647, got the number -1. "
        "Hint: seed of all random draws.",
        "segmentation.yaml:6: sources is not a setting. Hint: did you mean 'source'?",
        "Hint: put these right; 'segmentation config check' looks again.",
    ]


def test_problem_of_an_override_names_the_command_line() -> None:
    with pytest.raises(SettingsError, match=r"^command line: synthetic.customers must be 10 to 5,000,000, got the num"):
        load_settings(overrides={"synthetic.customers": 1})


def test_unknown_profile_argument_offers_the_closest_one() -> None:
    with pytest.raises(SettingsError, match=r"^there is no profile 'deflaut'\.\nHint: did you mean 'default'\?$"):
        load_settings(profile="deflaut")


def test_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no.yaml"
    expected = rf"^{re.escape(str(path))}: there is no such settings file \(looked in .*\)\.\nHint: name an existing"
    with pytest.raises(SettingsError, match=expected):
        load_settings(config=path)
    with pytest.raises(SettingsError, match=expected):
        load_settings(environment={"SEGMENTATION_CONFIG": str(path)})


def test_folder_for_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read: Is a directory\.\nHint: name a readable file\."):
        load_settings(config=tmp_path)


def test_text_that_is_not_utf_8_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("currency: GBP\ndata_dir: café\n".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"latin.yaml:2: the text is not UTF-8\.\nHint: save the file as UTF-8\."):
        load_settings(config=path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("engine: {customer_buckets: 1, memory_limit: 100MB, max_temp_directory_size: 1000000GB}", "engine"),
        ("engine: {customer_buckets: 10000, memory_limit: 0.1GB}", "engine"),
        ("synthetic: {seed: 2147483647, first_month: 2099-01, months: 12}", "synthetic"),
        ("source: {time_zone: America/New_York}", "source"),
    ],
)
def test_the_ends_of_the_ranges_are_accepted(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "segmentation.yaml"
    path.write_text(text)
    written = load_settings(config=path).settings.section(expected)
    assert written != type(written)()
