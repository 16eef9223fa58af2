import pandas as pd
import pytest

from segmentation_assets.config.shop_faults import REAL_RATES, FaultSettings
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.faults import FaultPlanter
from segmentation_assets.synthetic.shop import BusinessMonth
from segmentation_assets.synthetic.unfinished import cut_short

DAYS = pd.date_range("2011-12-01", "2011-12-31 23:00", freq="h")


def december() -> BusinessMonth:
    """A month with a line, an event and a new customer each hour, and one who registered years before."""
    registered = pd.DataFrame({"registered_on": [pd.Timestamp("2009-01-01"), *DAYS.normalize()]})
    lines, events = (pd.DataFrame({name: DAYS}) for name in ("order_at", "event_at"))
    return BusinessMonth("2011-12", registered, pd.DataFrame({"product_id": ["a"]}), lines, events, pd.DataFrame())


def test_the_real_rate_ends_december_where_online_retail_does() -> None:
    left, missing = cut_short(december(), REAL_RATES["cut_last_month"])
    assert left.order_lines["order_at"].tolist() == list(DAYS[: 9 * 24])
    assert left.engagement_events["event_at"].max() == pd.Timestamp("2011-12-09 23:00")
    assert len(left.customers) == 1 + 9 * 24
    assert len(left.products) == 1
    assert missing == 3 * 22 * 24


@pytest.mark.parametrize(("share", "days"), [(0.0, 31), (0.01, 31), (0.5, 16), (1.0, 1)])
def test_at_least_one_day_is_kept(share: float, days: int) -> None:
    left, _ = cut_short(december(), share)
    assert len(left.order_lines) == 24 * days


def test_only_the_last_month_is_cut_and_only_where_that_is_asked_for() -> None:
    asked, other = FaultSettings(cut_last_month=0.5), FaultSettings(guests=0.5)
    months = [
        FaultPlanter(Draws(7), settings, lambda month: pd.DataFrame(), last_month).cut_short(december())
        for settings, last_month in ((asked, "2011-12"), (asked, "2012-01"), (other, "2011-12"))
    ]
    assert [len(month.order_lines) // 24 for month in months] == [16, 31, 31]
