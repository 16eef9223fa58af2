"""What a snapshot needs before anything can be made of it."""

from datetime import date

import pytest

from segmentation_assets.errors import DataError
from segmentation_assets.features.snapshot import require_buyers

SINCE, UNTIL = date(2023, 6, 1), date(2025, 6, 1)


def test_one_buyer_is_enough() -> None:
    require_buyers(5, 1, SINCE, UNTIL)


def test_snapshot_without_a_known_customer_is_refused() -> None:
    expected = (
        "no sale or return from 2023-06-01 until before 2025-06-01 has a known customer\n"
        "Hint: check that source.order_lines maps customer_id to a column that is filled"
    )
    with pytest.raises(DataError, match=expected):
        require_buyers(0, 0, SINCE, UNTIL)


def test_snapshot_of_returns_only_is_refused() -> None:
    expected = (
        "none of 5 known customers has a sale from 2023-06-01 until before 2025-06-01, all have only returns\n"
        "Hint: check the rule source.cancellations"
    )
    with pytest.raises(DataError, match=expected):
        require_buyers(5, 0, SINCE, UNTIL)
