"""A promoted model takes the segments over: keys, names and histories go on, and every change is told."""

from __future__ import annotations

import pandas as pd
import pytest

from segmentation_assets.graph.platform import Platform
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS
from segmentation_assets_tests.assets.stored import bytes_of

JUNE, JULY, AUGUST = MONTHS
CHAIN = {"clusters/leaderboard", "gold/champion", "gold/segment_events", "gold/customer_segments", "source/decisions"}


LENIENT = {"leaderboard__min_stability": 0.3}


def rows(shop, key, month, **settings):
    platform = Platform(shop.settings(**settings))
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, month))


def named(shop, month):
    return dict(rows(shop, "gold/champion", month)[["segment_key", "segment_name"]].to_numpy().tolist())


@pytest.fixture
def settings_file(shop, write_settings, monkeypatch, tmp_path):
    """Write the settings of the shop into the folder the commands run in."""
    monkeypatch.chdir(tmp_path)
    write_settings(shop.settings(**LENIENT))
    return shop


def test_with_a_promotion_every_month_segments_keep_keys_and_names(shop, run):
    before = {month: named(shop, month) for month in MONTHS}
    run(shop.settings(champion__promotion="every_month", **LENIENT), keys=CHAIN)

    champions = {month: rows(shop, "gold/champion", month) for month in MONTHS}
    assert [set(champions[month]["trained_month"]) for month in MONTHS] == [{month[:7]} for month in MONTHS]
    assert len({champions[month]["model_hash"].iloc[0] for month in MONTHS}) == 3
    events = {month: rows(shop, "gold/segment_events", month).set_index("segment_key") for month in MONTHS}
    assert set(events[JUNE]["event"]) == {"born"}
    assert named(shop, JUNE) == before[JUNE]
    for earlier, month in ((JUNE, JULY), (JULY, AUGUST)):
        kept = events[month].index[events[month]["event"] == "kept"]
        assert len(kept) >= 2
        then, now = named(shop, earlier), named(shop, month)
        assert {key: now[key] for key in kept} == {key: then[key] for key in kept}
        assert set(events[month].index) == set(then) | set(now)
        assert champions[month]["segment_name"].is_unique
    assert run(shop.settings(champion__promotion="every_month", **LENIENT), keys=CHAIN) == set()
    before = bytes_of(shop.data_dir, "tables/gold", "tables/clusters")
    again = run(shop.settings(champion__promotion="every_month", **LENIENT), keys=CHAIN, force=True)
    assert {month for key, month in again if key == "gold/customer_segments"} == set(MONTHS)
    assert bytes_of(shop.data_dir, "tables/gold", "tables/clusters") == before


def test_the_policy_that_promotes_nothing_writes_no_event_after_the_first_month(shop):
    assert [len(rows(shop, "gold/segment_events", month)) > 0 for month in MONTHS] == [True, False, False]


def test_months_in_a_segment_count_the_snapshots_in_a_row(shop):
    found = {month: rows(shop, "gold/customer_segments", month).set_index("customer_id") for month in MONTHS}
    last = found[AUGUST]
    three = last.index[last["months_in_segment"] == 3]
    assert len(three) > 80
    for month in (JUNE, JULY):
        pd.testing.assert_series_equal(found[month].loc[three, "segment_key"], last.loc[three, "segment_key"])
    assert set(last.loc[last["months_in_segment"] == 1, "changed_at"]) == {pd.Timestamp("2025-09-01")}
    assert last["months_in_segment"].isna().equals(last["segment_key"].isna())


def test_promote_asks_for_a_model_and_the_month_gets_it(settings_file, segmentation, run):
    shop = settings_file
    run(shop.settings(**LENIENT), keys=CHAIN)
    told = segmentation("promote", "--month", "2025-07", "--by", "Ann", "--reason", "season")
    assert told.code == 0, told.err
    assert told.out.startswith("kmeans takes the place of the model in force in 2025-07. Rank 1 of 1.")
    run(shop.settings(**LENIENT), keys=CHAIN)
    assert [set(rows(shop, "gold/champion", month)["trained_month"]) for month in MONTHS] == [
        {"2025-06"},
        {"2025-07"},
        {"2025-07"},
    ]
    reason = rows(shop, "gold/champion", JULY)["decision_reason"].iloc[0]
    assert "kmeans takes the place of the model in force, kmeans of 2025-06: Ann asked for it on " in reason
    assert len(rows(shop, "gold/segment_events", JULY)) >= 3


def test_without_its_decision_the_months_come_back_byte_by_byte(settings_file, segmentation, run):
    shop = settings_file
    run(shop.settings(**LENIENT), keys=CHAIN)
    before = bytes_of(shop.data_dir, "tables/gold")
    segmentation("promote", "--month", "2025-07")
    run(shop.settings(**LENIENT), keys=CHAIN)
    assert bytes_of(shop.data_dir, "tables/gold") != before
    (shop.data_dir / "decisions.csv").unlink()
    run(shop.settings(**LENIENT), keys=CHAIN)
    assert bytes_of(shop.data_dir, "tables/gold") == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("promote", "wart"), "'wart' cannot be promoted, as it is no candidate of 2025-08\nHint: "),
        (("promote", "--month", "2025-03"), "2025-03 is not a snapshot month"),
        (("rename", "S9", "Best"), "segment 'S9' is not in force in 2025-08\nHint: known names are S001"),
        (("rename", "S001", " "), "the name is empty"),
        (("suppress", "nobody"), "customer 'nobody' is not among the"),
    ],
)
def test_a_decision_that_cannot_hold_is_refused_and_not_written(settings_file, segmentation, arguments, message):
    told = segmentation(*arguments)
    assert told.code == 1
    assert message in told.err
    assert not (settings_file.data_dir / "decisions.csv").exists()


def test_a_candidate_that_fails_its_gates_is_refused_with_the_reason(settings_file, segmentation, write_settings, run):
    strict = settings_file.settings(leaderboard__min_stability=1.0)
    run(strict, keys={"clusters/leaderboard"})
    told = segmentation("promote", "kmeans")
    assert told.code == 1
    assert "kmeans cannot be promoted in 2025-08: Fails: stability" in told.err


def test_a_name_is_given_and_a_customer_suppressed_by_command(settings_file, segmentation, run):
    shop = settings_file
    name = named(shop, AUGUST)["S002"]
    taken = segmentation("rename", "S001", name.upper())
    assert (taken.code, f"segment S002 is called '{name.upper()}' already" in taken.err) == (1, True)
    customer = rows(shop, "gold/customer_segments", JULY)["customer_id"].iloc[0]
    assert segmentation("rename", "S001", "Our best", "--month", "2025-07").code == 0
    assert segmentation("suppress", customer, "--month", "2025-07", "--reason", "asked us").code == 0
    run(shop.settings(**LENIENT), keys=CHAIN)
    assert [named(shop, month)["S001"] == "Our best" for month in MONTHS] == [False, True, True]
    suppressed = [rows(shop, "gold/customer_segments", month).set_index("customer_id") for month in MONTHS]
    assert [frame.index[frame["is_suppressed"]].tolist() for frame in suppressed] == [[], [customer], [customer]]
