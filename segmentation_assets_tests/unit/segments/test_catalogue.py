"""Names, descriptions and strategies: packaged, replaced, and given to the segments of a month."""

import numpy as np
import pandas as pd
import pytest

from segmentation_assets.config.segment_catalogue import SegmentCatalogueSettings
from segmentation_assets.errors import SettingsError
from segmentation_assets.segments.catalogue import EVERYONE, KIND_BY_POSITION, KIND_BY_TRAIT, load_catalogue
from segmentation_assets.segments.naming import name_clusters
from segmentation_assets.segments.positions import SCORES
from segmentation_assets.segments.strategies import plan_strategies
from segmentation_assets.tables.gold import RFM_SEGMENT_NAMES
from segmentation_assets.tables.segment_descriptions import SEGMENT_STRATEGIES

CODES = {"S001": (5, 5, 5), "S002": (1, 1, 1), "S003": (1, 4, 4)}


def month(algorithm="kmeans", **features):
    """Return champion, customer segments, RFM scores and features of some customers."""
    keys = ["S001"] * 2 + ["S002"] * 3 + ["S003"]
    customers = [f"c{number}" for number in range(len(keys))]
    champion = pd.DataFrame(
        {
            "segment_key": list(CODES),
            "segment_name": ["Ours", "Theirs", "Others"],
            "cluster": [0, 10, 7],
            "algorithm": algorithm,
            "kind": ["champions", "lost", "at_risk"],
        }
    )
    scores = [CODES[key] for key in keys]
    rfm = pd.DataFrame(scores, columns=["recency_score", "frequency_score", "monetary_score"]).assign(
        customer_id=customers
    )
    money = {"net_revenue_amount": [sum(score) * 10.0 for score in scores], **features}
    return (
        champion,
        pd.DataFrame({"customer_id": customers, "segment_key": keys}),
        rfm,
        pd.DataFrame({"customer_id": customers, **money}),
    )


def test_every_kind_has_packaged_texts_and_settings():
    kinds = {*KIND_BY_POSITION.values(), *KIND_BY_TRAIT.values(), EVERYONE}
    assert set(load_catalogue()) == set(SegmentCatalogueSettings.model_fields) == kinds
    assert all(text.strip() for entry in load_catalogue().values() for text in vars(entry).values())
    assert tuple(KIND_BY_POSITION) == RFM_SEGMENT_NAMES


def test_an_own_text_replaces_the_packaged_one_and_leaves_the_others():
    own = SegmentCatalogueSettings.model_validate({"lost": {"name": "Gone", "offer": "A call"}})
    entry, packaged = load_catalogue(own)["lost"], load_catalogue()["lost"]
    assert (entry.name, entry.offer, entry.goal) == ("Gone", "A call", packaged.goal)
    assert load_catalogue(own)["loyal"] == load_catalogue()["loyal"]


def test_two_kinds_of_one_name_are_refused():
    own = SegmentCatalogueSettings.model_validate({"lost": {"name": "vip champions"}})
    with pytest.raises(SettingsError, match="segment_catalogue.lost.name and segment_catalogue.champions.name"):
        load_catalogue(own)


def test_clusters_are_called_as_the_catalogue_says():
    own = load_catalogue(SegmentCatalogueSettings.model_validate({"champions": {"name": "Gold Club"}}))
    _, segments, rfm, features = month()
    labels = pd.Series([0, 0, 1, 1, 1, 2], index=segments["customer_id"])
    assert name_clusters(labels, rfm, features, catalogue=own)[0] == "Gold Club"
    for taken in ("Gold Club", "GOLD CLUB"):
        names = name_clusters(labels, rfm, features, taken=[taken], catalogue=own).values()
        assert "gold club" not in {name.casefold() for name in names}


@pytest.mark.parametrize(
    ("feature", "name"), [("return_rate", "Serial Returners"), ("discount_share", "Bargain Hunters")]
)
def test_a_striking_habit_makes_a_kind_of_its_own(feature, name):
    rates = [0.1, 0.1, 0.1, 0.1, 0.1, 0.9]
    champion, segments, rfm, features = month(**{feature: rates})
    labels = pd.Series([0, 0, 1, 1, 1, 2], index=segments["customer_id"])
    assert name_clusters(labels, rfm, features)[2] == name
    planned = plan_strategies(champion, segments, rfm, features, load_catalogue()).set_index("segment_key")
    assert planned.loc["S003", "kind_name"] == name


def test_every_segment_with_customers_gets_its_texts_and_the_largest_comes_first(stored):
    planned = plan_strategies(*month(), load_catalogue())
    assert len(stored(planned, SEGMENT_STRATEGIES)) == 3
    rows = planned.set_index("segment_key")
    assert planned[["segment_key", "priority"]].to_numpy().tolist() == [["S001", 1], ["S002", 2], ["S003", 3]]
    assert rows.loc["S001", ["segment_name", "kind", "customer_count", "net_revenue_amount"]].tolist() == [
        "Ours",
        "champions",
        2,
        300.0,
    ]
    assert rows.loc["S002", "do_not"] == load_catalogue()["lost"].do_not


def test_where_spend_is_foretold_the_most_expected_comes_first(stored):
    champion, segments, rfm, features = month()
    expected = pd.Series([1.0, 2.0, 30.0, None, 5.0, 900.0], index=segments["customer_id"])
    planned = plan_strategies(champion, segments, rfm, features, load_catalogue(), expected)
    assert len(stored(planned, SEGMENT_STRATEGIES)) == 3
    assert planned[["segment_key", "priority", "expected_value_amount"]].to_numpy().tolist() == [
        ["S003", 1, 900.0], ["S002", 2, 35.0], ["S001", 3, 3.0],
    ]  # fmt: skip
    assert set(planned["priority_by"]) == {"expected_value"}
    nothing = plan_strategies(champion, segments, rfm, features, load_catalogue(), expected * np.nan)
    assert nothing["segment_key"].tolist() == ["S001", "S002", "S003"]
    assert set(nothing["priority_by"]) == {"net_revenue"}


def test_customers_without_a_segment_have_no_strategy():
    champion, segments, rfm, features = month()
    nobody = segments.assign(segment_key=None)
    assert plan_strategies(champion, nobody, rfm, features, load_catalogue()).empty
    some = segments.assign(segment_key=segments["segment_key"].where(segments["segment_key"] != "S003"))
    assert set(plan_strategies(champion, some, rfm, features, load_catalogue())["segment_key"]) == {"S001", "S002"}


def test_a_segment_of_the_rfm_map_is_its_cell_wherever_its_customers_stand():
    champion, segments, rfm, features = month(algorithm="rfm_map")
    everyone_alike = rfm.assign(recency_score=3, frequency_score=3, monetary_score=3)
    planned = plan_strategies(champion, segments, everyone_alike, features, load_catalogue()).set_index("segment_key")
    assert planned["kind"].to_dict() == {"S001": "champions", "S002": "lost", "S003": "at_risk"}


def test_the_unit_of_money_changes_no_kind():
    champion, segments, rfm, features = month()
    kinds = plan_strategies(champion, segments, rfm, features, load_catalogue())["kind"].tolist()
    for factor in (0.1, 100.0):
        scaled = features.assign(net_revenue_amount=np.multiply(features["net_revenue_amount"], factor))
        assert plan_strategies(champion, segments, rfm, scaled, load_catalogue())["kind"].tolist() == kinds


@pytest.mark.parametrize(
    ("former", "kind"), [("loyal", "loyal"), ("need_attention", "need_attention"), ("lost", "loyal")]
)
@pytest.mark.parametrize("name", ["Lost", "Win-backs"])
def test_a_segment_is_what_it_was_as_long_as_its_customers_lie_near_whatever_it_is_called(name, former, kind):
    champion, segments, rfm, features = month()
    scores = {score: [4, 4, 1, 1, 1, 3] for score in SCORES}
    known = champion.assign(segment_name=["Ours", "Theirs", name], kind=["champions", "lost", former])
    planned = plan_strategies(known, segments, rfm.assign(**scores), features, load_catalogue())
    assert planned.set_index("segment_key")["kind"]["S003"] == kind


def test_the_only_segment_is_everyone():
    champion, segments, rfm, features = month()
    alone = segments.assign(segment_key="S001")
    planned = plan_strategies(champion, alone, rfm, features, load_catalogue())
    assert planned[["segment_key", "kind", "kind_name"]].to_numpy().tolist() == [["S001", "everyone", "All Customers"]]
