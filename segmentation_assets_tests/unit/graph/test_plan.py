import pytest

from segmentation_assets.errors import SettingsError
from segmentation_assets.graph.months import next_month
from segmentation_assets.graph.plan import (
    Scope,
    ingest_nodes,
    is_up_to_date,
    monthly_nodes,
    months_to_visit,
    publishing_nodes,
    to_run,
)

DECISIONS = frozenset({"source/decisions"})


def everything(platform):
    return frozenset(platform.graph.by_key)


def test_parts_of_a_run_cover_every_asset_once(platform):
    parts = [*ingest_nodes(platform.graph), *monthly_nodes(platform.graph), *publishing_nodes(platform.graph)]
    assert sorted(node.key for node in parts) == sorted(platform.graph.by_key)


def test_nothing_stored_means_that_all_of_the_delivery_has_to_run(platform):
    keys = to_run(platform, ingest_nodes(platform.graph), "all", Scope(everything(platform)))
    assert set(keys) == {node.key for node in ingest_nodes(platform.graph)}


def test_scope_limits_what_runs(platform):
    assert to_run(platform, ingest_nodes(platform.graph), "all", Scope(DECISIONS)) == ("source/decisions",)


def test_fresh_part_runs_only_when_forced(platform, pretend):
    pretend(platform, "source/decisions")
    assert to_run(platform, ingest_nodes(platform.graph), "all", Scope(DECISIONS)) == ()
    assert is_up_to_date(platform, Scope(DECISIONS))
    assert to_run(platform, ingest_nodes(platform.graph), "all", Scope(DECISIONS, force=True)) == ("source/decisions",)
    assert not is_up_to_date(platform, Scope(DECISIONS, force=True))


def test_what_is_made_from_a_stale_part_runs_too(taken_in, pretend):
    pretend(taken_in, "silver/snapshot_input", "2025-06-01", inputs={"silver/order_lines@2025-01-01": "old"})
    pretend(taken_in, "silver/customer_history", "2025-06-01", inputs={"silver/snapshot_input@2025-06-01": "h"})
    keys = frozenset({"silver/snapshot_input", "silver/customer_history"})
    assert (
        to_run(taken_in, monthly_nodes(taken_in.graph), "2025-06-01", Scope(frozenset({"silver/customer_history"})))
        == ()
    )
    assert set(to_run(taken_in, monthly_nodes(taken_in.graph), "2025-06-01", Scope(keys))) == keys


def test_months_asked_for_come_with_the_earlier_ones_that_are_missing(taken_in):
    every = ("2025-06-01", "2025-07-01", "2025-08-01")
    scope = everything(taken_in)
    assert months_to_visit(taken_in, Scope(scope)) == every
    assert months_to_visit(taken_in, Scope(scope, month="2025-07-01")) == every[:2]
    assert months_to_visit(taken_in, Scope(scope, months=1)) == every


def test_months_asked_for_stand_alone_when_nothing_they_build_on_is_in_the_scope(taken_in):
    scope = frozenset({"reports/dashboard"})
    assert months_to_visit(taken_in, Scope(scope, month="2025-07-01")) == ("2025-07-01",)
    assert months_to_visit(taken_in, Scope(scope, months=2)) == ("2025-07-01", "2025-08-01")


EVERY = ("2025-06-01", "2025-07-01", "2025-08-01")


@pytest.fixture
def with_inputs(taken_in, pretend):
    """The platform with snapshot inputs of every month that are up to date."""
    for month in EVERY:
        months = [name for name in taken_in.store.manifest("silver/order_lines").slices if name <= month]
        lines = {f"silver/order_lines@{name}": f"m{int(name[5:7])}" for name in months}
        inputs = {**lines, "as_of": f"{next_month(month)} complete"}
        pretend(taken_in, "silver/snapshot_input", month, f"s{month}", inputs=inputs)
    return taken_in


def make_history(platform, pretend, month, before=""):
    earlier = {f"silver/customer_history@{before}": f"h{before}"} if before else {}
    inputs = {f"silver/snapshot_input@{month}": f"s{month}", **earlier}
    pretend(platform, "silver/customer_history", month, f"h{month}", inputs=inputs)


@pytest.mark.parametrize("asked", [{"month": EVERY[2]}, {"months": 1}])
def test_months_asked_for_start_with_the_first_one_that_is_missing_or_stale(with_inputs, pretend, asked):
    scope = Scope(frozenset({"silver/customer_history"}), **asked)
    assert months_to_visit(with_inputs, scope) == EVERY
    make_history(with_inputs, pretend, EVERY[0])
    assert months_to_visit(with_inputs, scope) == EVERY[1:]
    make_history(with_inputs, pretend, EVERY[1], before=EVERY[0])
    assert months_to_visit(with_inputs, scope) == EVERY[2:]
    pretend(with_inputs, "silver/customer_history", EVERY[0], "other", inputs={"silver/snapshot_input@2025-06-01": "x"})
    assert months_to_visit(with_inputs, scope) == EVERY


def test_month_that_gets_no_snapshot_is_refused_with_those_that_do(taken_in):
    with pytest.raises(SettingsError, match=r"2025-05 is not a snapshot month\nHint: .* 2025-06 to 2025-08"):
        months_to_visit(taken_in, Scope(everything(taken_in), month="2025-05-01"))


def test_month_before_any_delivery_is_refused(platform):
    with pytest.raises(SettingsError, match=r"2025-06 is not a snapshot month\nHint: there is none before the deliv"):
        months_to_visit(platform, Scope(everything(platform), month="2025-06-01"))


def test_without_order_lines_there_are_no_months(platform):
    assert months_to_visit(platform, Scope(everything(platform))) == ()
    assert not is_up_to_date(platform, Scope(everything(platform)))
