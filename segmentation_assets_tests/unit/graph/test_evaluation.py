"""What is stale across the graph, and which reason is given."""

import datetime as dt
from dataclasses import replace

from segmentation_assets.graph.staleness import evaluate, evaluate_all, known_months

NAMES = ("order_id", "order_at", "customer_id", "product_id", "quantity", "unit_price")
OWN = {"files": ["orders.csv"], "columns": {name: name for name in NAMES}}


def state_of(platform, key, partition):
    found = evaluate(platform, platform.graph.node(key), partition)
    return found.state, found.reasons


def test_stored_result_of_the_same_inputs_is_fresh(platform, pretend):
    pretend(platform, "source/decisions")
    assert state_of(platform, "source/decisions", "all") == ("fresh", ())


def test_nothing_stored_is_missing_and_says_which_input_lacks(platform):
    assert state_of(platform, "silver/order_lines", "all") == (
        "missing",
        ("raw/order_lines has not been computed for all",),
    )


def test_changed_settings_make_stale(platform, pretend):
    pretend(platform, "source/decisions", code_version="1-other")
    assert state_of(platform, "source/decisions", "all") == ("stale", ("its settings or code changed",))


def test_file_with_other_bytes_makes_stale(platform, pretend):
    path = platform.data_dir / "tables" / "x.parquet"
    path.parent.mkdir(parents=True)
    path.write_text("stored")
    pretend(platform, "source/decisions", files=platform.store.describe_files([path]))
    path.write_text("edited")
    assert state_of(platform, "source/decisions", "all") == ("stale", ("a stored file is missing or damaged",))


def test_rows_dated_ahead_make_stale_from_the_day_on_which_they_can_be_read(platform, pretend):
    """The day is that on which a row of the 7th would no longer be set aside; the clock makes nothing else stale."""
    day = platform.readable_from(dt.date(2025, 9, 7))
    pretend(platform, "source/decisions", metadata={"readable_from": day.isoformat()})
    before, after = (replace(platform, today=today) for today in (day - dt.timedelta(days=1), day))

    assert state_of(before, "source/decisions", "all") == ("fresh", ())
    assert state_of(after, "source/decisions", "all") == (
        "stale", (f"rows dated ahead can be read since {day}",)
    )  # fmt: skip
    pretend(platform, "source/decisions")
    assert state_of(after, "source/decisions", "all") == ("fresh", ())


def test_rows_dated_ahead_can_be_read_once_they_are_no_longer_set_aside(platform):
    own = platform.altered({"source": {"kind": "files", "order_lines": OWN}})
    day = dt.date(2025, 9, 7)
    latest = {
        offset: replace(own, today=own.readable_from(day) + dt.timedelta(days=offset)).latest_day for offset in (-1, 0)
    }
    assert latest[-1] <= day < latest[0]


def test_what_rests_on_something_stale_is_stale_and_names_it(taken_in, pretend):
    pretend(taken_in, "silver/snapshot_input", "2025-06-01", inputs={"silver/order_lines@2025-01-01": "old"})
    pretend(taken_in, "silver/customer_history", "2025-06-01", inputs={"silver/snapshot_input@2025-06-01": "h"})
    found = {(item.key, item.partition): item for item in evaluate_all(taken_in, ("2025-06-01",))}
    history = found["silver/customer_history", "2025-06-01"]
    assert (history.state, history.reasons) == ("stale", ("silver/snapshot_input of 2025-06 is not up to date",))


def test_months_are_known_from_the_order_lines_on(platform, taken_in):
    assert known_months(taken_in) == ("2025-06-01", "2025-07-01", "2025-08-01")


def test_no_month_is_known_before_the_delivery_is_taken_in(platform):
    assert known_months(platform) == ()
