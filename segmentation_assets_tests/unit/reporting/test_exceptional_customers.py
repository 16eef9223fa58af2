"""Who is in no segment, and what they spend."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from segmentation_assets.config.settings import DashboardSettings
from segmentation_assets.reporting.caveats import list_caveats
from segmentation_assets.reporting.dashboard import render_dashboard
from segmentation_assets.reporting.exceptional_customers import ExceptionalCustomers, describe_exceptional
from segmentation_assets.reporting.snapshot import Snapshot
from segmentation_assets_tests.unit.reporting.test_dashboard import Page, words


@pytest.fixture
def without_two(change: Callable[..., Snapshot], snapshot: Snapshot) -> Callable[..., Snapshot]:
    """Six customers with a sale, of whom C5 and C6 are in no segment; C7 has none; columns change the features."""

    def build(**columns: list[float]) -> Snapshot:
        segments = snapshot.customer_segments.copy()
        apart = segments["customer_id"].isin(["C5", "C6"])
        segments.loc[apart, ["state", "segment_key", "segment_name"]] = ["exceptional", None, None]
        return change(customer_segments=segments, features=snapshot.features.assign(**columns))

    return build


def test_shares_are_of_the_customers_with_a_sale(without_two: Callable[..., Snapshot]) -> None:
    found = describe_exceptional(without_two(net_revenue_amount=[500.0, 200.0, 100.0, 100.0, 90.0, 10.0]))
    assert found == ExceptionalCustomers(
        customer_count=2,
        customer_share=2 / 6,
        net_revenue_amount=100.0,
        net_revenue_share=0.1,
        groups=(("Niches: the rest", 2),),
    )
    assert found.sentence == (
        "2 customers (33.3% of all, with 10.0% of the net revenue) are in no segment, as they resemble none that is "
        "large enough."
    )


def test_who_they_may_be_is_told_from_everyone(without_two: Callable[..., Snapshot]) -> None:
    found = describe_exceptional(
        without_two(net_revenue_amount=[10.0, 10.0, 10.0, 10.0, 900.0, 10.0], tenure_days=[400, 400, 400, 400, 400, 20])
    )
    assert found is not None
    assert [(words.split(":")[0], count) for words, count in found.groups] == [("VIPs", 1), ("Newcomers", 1)]


def test_without_money_to_share_out_only_customers_are_told(without_two: Callable[..., Snapshot]) -> None:
    unknown = describe_exceptional(without_two())
    nothing = describe_exceptional(without_two(net_revenue_amount=[0.0] * 6))
    assert unknown is not None
    assert nothing is not None
    assert (unknown.net_revenue_amount, unknown.net_revenue_share, unknown.groups) == (None, None, ())
    assert (nothing.net_revenue_amount, nothing.net_revenue_share) == (0.0, None)
    assert unknown.sentence.startswith("2 customers (33.3% of all) are in no segment")


def test_there_is_nothing_to_tell_where_everyone_with_a_sale_has_a_segment(snapshot: Snapshot) -> None:
    assert describe_exceptional(snapshot) is None


def test_they_have_a_card_on_the_dashboard(without_two: Callable[..., Snapshot], snapshot: Snapshot) -> None:
    apart = without_two(net_revenue_amount=[500.0, 200.0, 100.0, 100.0, 90.0, 10.0])
    text = words(Page(render_dashboard(apart, DashboardSettings())))
    assert "Exceptional customers 2 customers (33.3% of all, with 10.0% of the net revenue) are in no segment" in text
    assert "2 customers EUR 100.00 of net revenue" in text
    assert "Exceptional customers" not in words(Page(render_dashboard(snapshot, DashboardSettings())))


def test_caveats_tell_them_apart_from_customers_without_a_sale(without_two: Callable[..., Snapshot]) -> None:
    told = dict(list_caveats(without_two()))
    assert told["Customers set aside"] == "1 customer without a sale in the lookback has no segment."
    assert told["Exceptional customers"].startswith("2 customers (33.3% of all) are in no segment")
