"""`segmentation explain`: why a customer is in its segment, and what would class it as the runner-up."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from segmentation_assets.cli.stored_month import open_month, read_table
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.graph.declarations import declared_table
from segmentation_assets.segments.champion_model import ChampionModel
from segmentation_assets.segments.explanation import describe_explanation, explain_customer

_FEATURES = "silver/customer_features"


def explain(parsed: argparse.Namespace) -> int:
    """Print which features put a customer where it is, and the smallest change found that would class it otherwise."""
    platform, month = open_month(parsed, "gold/customer_segments")
    champion = read_table(platform, "gold/champion", month)
    declared = declared_table(platform, platform.graph.node(_FEATURES))
    states = read_table(platform, "gold/customer_segments", month, ["customer_id", "state"])
    explained = explain_customer(
        read_table(platform, _FEATURES, month),
        parsed.customer_id,
        ChampionModel.load(platform.models, str(champion["model_hash"].iloc[0])),
        dict(champion[["segment_key", "segment_name"]].to_numpy().tolist()),
        {column.name: column.label for column in feature_columns(declared)},
        seed=platform.settings.clustering.seed,
    )
    state = states.loc[states["customer_id"] == parsed.customer_id, "state"].iloc[0]
    found = replace(explained, state=str(state))
    if parsed.json:
        print(json.dumps({"month": month[:7], **found.to_plain()}, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print(f"{month[:7]}\n{describe_explanation(found)}")
    return 0
