"""Whatever notation a table is written in, it is found, or named among those that cannot be told apart."""

from __future__ import annotations

import csv
import datetime as dt
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation_assets.ingestion.proposal.dates import DAYS, TIMES, read_date
from segmentation_assets.ingestion.proposal.numbers import MARKS, to_number
from segmentation_assets.ingestion.proposal.pieces import pieces_of
from segmentation_assets.ingestion.proposal.propose import propose_settings
from segmentation_assets.ingestion.proposal.sample import Finding
from segmentation_assets.ingestion.proposal.sampling import sample_text
from segmentation_assets.ingestion.proposal.text_form import SEPARATORS
from segmentation_assets_tests.unit.ingestion.proposal.written import TODAY

HEADER = ("InvoiceNo", "InvoiceDate", "CustomerID", "StockCode", "Description", "Quantity", "UnitPrice")
ZONE = dt.timezone(dt.timedelta(hours=2))

line = st.tuples(
    st.integers(1, 999_999),
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2025, 12, 31), timezones=st.just(ZONE)),
    st.sampled_from(("", "13085", "13085.0", "K-7")),
    st.from_regex(r"[0-9]{5}[A-Z]?", fullmatch=True),
    st.text(alphabet='abc,;|\t"\n .é', max_size=8),
    st.integers(-20, 500),
    st.integers(0, 99_999),
)


def written(date: dt.datetime, date_format: str, *, is_padded: bool) -> str:
    """Write a date; without leading zeros where nothing but a mark divides its parts."""
    has_marks = is_padded is False and not date_format.startswith(("%Y%m", "%d%m", "%m%d"))
    text = date_format.replace("%d", "%-d").replace("%m", "%-m") if has_marks else date_format
    return date.strftime(text)


def money(hundredths: int, places: int, mark: str) -> str:
    return f"{hundredths / 10**places:.{places}f}".replace(".", mark)


def is_found(finding: Finding[str] | None, truth: str) -> bool:
    """Whether a finding is the truth, or doubtful with the truth among the others."""
    assert finding is not None
    return finding.value == truth or (bool(finding.doubt) and truth in finding.others)


@settings(max_examples=150)
@given(
    lines=st.lists(line, min_size=1, max_size=25),
    separator=st.sampled_from(sorted(SEPARATORS)),
    mark=st.sampled_from(MARKS),
    places=st.integers(0, 4),
    day=st.sampled_from(DAYS),
    time=st.sampled_from(TIMES),
    is_padded=st.booleans(),
    encoding=st.sampled_from(("utf-8", "utf-8-sig", "cp1252", "utf-16")),
)
def test_notation_of_any_table_is_found_or_among_those_left(
    lines, separator, mark, places, day, time, is_padded, encoding
) -> None:
    date_format = day + time
    dates = [written(fields[1], date_format, is_padded=is_padded) for fields in lines]
    prices = [money(fields[-1], places, mark) for fields in lines]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(HEADER)
    for fields, date, price in zip(lines, dates, prices, strict=True):
        writer.writerow([fields[0], date, *fields[2:6], price])

    sample = sample_text(pieces_of(out.getvalue().encode(encoding)), "orders.csv")
    orders = propose_settings({"orders.csv": sample}, (), TODAY).tables["order_lines"]

    assert is_found(sample.separator, separator)
    assert is_found(orders.notation.decimal, mark) or places == 0
    assert orders.match.missing == {}
    found = orders.notation.date_format
    assert found is not None
    same = [read_date(text, found.value) == read_date(text, date_format) for text in dates]
    assert all(same) or date_format in found.others
    if orders.notation.decimal.value == mark:
        assert [to_number(price, mark) for price in prices] == [fields[-1] / 10**places for fields in lines]
