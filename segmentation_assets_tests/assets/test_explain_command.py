"""`segmentation explain`: the customer of a finished month, in words and as JSON."""

from __future__ import annotations

import json

import pytest

from segmentation_assets.cli import explain_command
from segmentation_assets.graph.platform import Platform
from segmentation_assets.segments.assignment import assign_by_model
from segmentation_assets.segments.champion_model import ChampionModel
from segmentation_assets.segments.explanation import Explanation
from segmentation_assets.storage.engine import read_frame
from segmentation_assets_tests.assets.conftest import MONTHS

JULY, AUGUST = MONTHS[1:]


@pytest.fixture
def settings_file(finished_shop, write_settings, monkeypatch, tmp_path):
    """Write the settings of the finished shop into the folder the commands run in."""
    monkeypatch.chdir(tmp_path)
    write_settings(finished_shop.settings())
    return finished_shop


def rows(shop, key, month):
    platform = Platform(shop.settings())
    with platform.engine.connect() as connection:
        return read_frame(connection, platform.store.table_paths(key, month)).set_index("customer_id", drop=False)


def model_of(shop, month):
    platform = Platform(shop.settings())
    with platform.engine.connect() as connection:
        champion = read_frame(connection, platform.store.table_paths("gold/champion", month))
    return ChampionModel.load(platform.models, champion["model_hash"].iloc[0])


def test_explains_customers_as_they_are_stored_and_the_change_flips_them(settings_file, segmentation):
    stored = rows(settings_file, "gold/customer_segments", AUGUST)
    features = rows(settings_file, "silver/customer_features", AUGUST)
    model, flipped, changes = model_of(settings_file, AUGUST), 0, 0
    some = [*stored.index[stored["state"] == "assigned"][:5], *stored.index[stored["state"] == "too_new"][:1]]
    for customer in some:
        told = segmentation("explain", customer, "--json")
        assert told.code == 0, told.err
        found, row = json.loads(told.out), stored.loc[customer]
        assert (found["month"], found["state"], found["segment_key"], found["segment_name"]) == (
            "2025-08",
            row["state"],
            row["segment_key"],
            row["segment_name"],
        )
        assert found["runner_up_segment_key"] == row["runner_up_segment_key"]
        weights = [reason["weight"] for reason in found["reasons"]]
        assert weights == sorted(weights, reverse=True)
        if found["change"] is None:
            continue
        changes += 1
        changed = features.loc[[customer]].copy()
        for step in found["change"]["steps"] + found["change"]["consequences"]:
            changed[step["feature"]] = changed[step["feature"]].astype(object)
            changed.loc[customer, step["feature"]] = step["after"]
        everyone = assign_by_model(changed.astype(features.dtypes.to_dict()), model).frame
        flipped += everyone["segment_key"].iloc[0] == found["runner_up_segment_key"]
    assert flipped == changes >= 3


def test_where_late_data_has_changed_the_features_it_says_so(shop, write_settings, segmentation, monkeypatch, tmp_path):
    """Told of the delivered table, which stays as it was while the model sees other features."""
    monkeypatch.chdir(tmp_path)
    write_settings(shop.settings())
    stored = rows(shop, "gold/customer_segments", AUGUST)
    first, second = stored.index[stored["state"] == "assigned"][:2]
    other = next(
        key for key in sorted(stored["segment_key"].dropna().unique()) if key != stored.loc[first, "segment_key"]
    )
    found = explain_command._beside_what_was_delivered(
        Explanation(first, "assigned", stored.loc[first, "segment_key"]), stored.assign(segment_key=other)
    )
    assert found[1][-1].startswith(f"The month was delivered with {other}: data that arrived since")
    without = stored.assign(segment_key=stored["segment_key"].where(stored.index != first), state="no_purchases")
    same, notes = explain_command._beside_what_was_delivered(Explanation(first, "no_purchases"), without)
    assert (same.state, len(notes)) == ("no_purchases", 1)
    assert notes[0].startswith("State: no_purchases, ")
    changed = Explanation(first, "assigned", other)
    assert explain_command._beside_what_was_delivered(changed, without)[1][-1].startswith(
        "The month was delivered with no segment: data"
    )
    missing = explain_command._beside_what_was_delivered(
        Explanation(second, "assigned", other), stored.drop(index=second)
    )
    assert missing[1] == ["The customer came with data that arrived after the month was delivered."]
    assert "\nState: " not in segmentation("explain", first).out.replace("State: assigned, in a segment.", "")


def test_says_it_in_words_for_the_month_that_is_asked_for(settings_file, segmentation):
    stored = rows(settings_file, "gold/customer_segments", JULY)
    endings = set()
    for customer in stored.index[stored["state"] == "assigned"][:6]:
        out = segmentation("explain", customer, "--month", "2025-07").out
        assert out.startswith(f"2025-07\nCustomer {customer} is classed as {stored.loc[customer, 'segment_name']}.")
        endings |= {words for words in ("would be classed as", "No change") if words in out}
    assert "would be classed as" in endings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "there is no customer 'nobody' among the"),
        (["c", "--month", "2031-01"], "2031-01"),
    ],
)
def test_what_there_is_not_is_said(settings_file, segmentation, arguments, message):
    told = segmentation("explain", *arguments)
    assert told.code == 1
    assert message in told.err
