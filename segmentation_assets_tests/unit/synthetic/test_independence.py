"""What a delivery does not depend on, whatever the shop: later months, and further customers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from segmentation_assets.config.settings import EngineSettings
from segmentation_assets.config.shop_faults import REAL_RATES
from segmentation_assets.config.synthetic import DriftEvent, SyntheticSettings
from segmentation_assets.ingestion.calendar import shift_month
from segmentation_assets.storage.engine import Connection, Engine
from segmentation_assets.synthetic.delivery import write_delivery
from segmentation_assets.synthetic.shop import open_business

CASES: dict[str, dict[str, Any]] = {
    "plain shop of the smallest size": {"customers": 10, "months": 2, "seed": 0},
    "fashion with every fault, from a February on": {
        "customers": 40,
        "months": 3,
        "seed": 11,
        "profile": "fashion",
        "first_month": "2024-02",
        "faults": dict.fromkeys(REAL_RATES, 0.25) | {"cut_last_month": 0.0},
    },
    "grocery with the faults of real files and drift": {
        "customers": 25,
        "months": 3,
        "seed": 2**31 - 1,
        "profile": "grocery",
        "first_month": "1999-11",
        "faults": {"preset": "real", "cut_last_month": 0.0},
        "drift": [
            {"kind": "price_rise", "from_month": "1999-12", "amount": 0.3},
            {"kind": "new_department", "from_month": "2000-01", "department": "Apparel", "amount": 1.0},
        ],
    },
    "wholesale of another mix with names and bulk buyers": {
        "customers": 60,
        "months": 4,
        "seed": 23,
        "profile": "wholesale",
        "mix": {"reseller": 0.9},
        "outlier_share": 0.1,
        "personal_data": True,
        "faults": {"guests": 0.3, "redelivered": 0.9, "mixed_ids": 0.5},
    },
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def settings(request: pytest.FixtureRequest) -> SyntheticSettings:
    return SyntheticSettings.model_validate(request.param)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with Engine(EngineSettings(), tmp_path / "spill").connect() as opened:
        yield opened


def deliver(connection: Connection, folder: Path, settings: SyntheticSettings, **changes: object) -> dict[str, Path]:
    """Files by name of a shop whose settings are changed."""
    business = open_business(settings.model_copy(update=changes))
    written = write_delivery(connection, business, folder, folder / "truth")
    return {path.name: path for path in written.delivered + written.truth}


def read(connection: Connection, path: Path) -> pd.DataFrame:
    frame = connection.execute(f"SELECT * FROM read_parquet('{path}')").df().astype(object)
    return frame.where(frame.notna(), None)


def of_first_customers(frame: pd.DataFrame, n_customers: int) -> pd.DataFrame:
    """Rows of the first customers; an order tells its customer even where none is written."""
    if "order_id" in frame:
        return frame[frame["order_id"].str[-9:-2].astype(int) <= n_customers].reset_index(drop=True)
    if "customer_id" in frame:
        return frame[frame["customer_id"].str[-7:].astype(int) <= n_customers].reset_index(drop=True)
    return frame


def test_files_are_the_same_bytes_however_many_months_follow_and_whatever_changes_in_them(
    connection: Connection, tmp_path: Path, settings: SyntheticSettings
) -> None:
    short = deliver(connection, tmp_path / "short", settings)
    next_month = shift_month(settings.first_month, settings.months)
    later = DriftEvent(kind="channel_shift", from_month=next_month, amount=0.5)
    long = deliver(connection, tmp_path / "long", settings, months=settings.months + 2, drift=(*settings.drift, later))
    kept = short.keys() - {"true_faults.parquet"}
    assert len(kept) > 3 * settings.months
    assert [name for name in sorted(kept) if short[name].read_bytes() != long[name].read_bytes()] == []
    last = max(name[-15:-8] for name in short if name.startswith("order_lines"))
    assert {name for name in long if name[-15:-8] <= last} == {name for name in short if name[-15:-8] <= last}


def test_the_first_customers_have_the_same_rows_among_more(
    connection: Connection, tmp_path: Path, settings: SyntheticSettings
) -> None:
    few = deliver(connection, tmp_path / "few", settings)
    many = deliver(connection, tmp_path / "many", settings, customers=4 * settings.customers)
    assert few.keys() <= many.keys()
    for name in sorted(few.keys() - {"true_faults.parquet"}):
        expected = read(connection, few[name])
        found = of_first_customers(read(connection, many[name]), settings.customers)
        pd.testing.assert_frame_equal(found, expected)
