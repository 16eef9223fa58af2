"""`segmentation explain`: why a customer is in its segment, and what would class it as the runner-up."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from segmentation_assets.cli.stored_month import open_month, read_table
from segmentation_assets.features.declaration import feature_columns
from segmentation_assets.graph.declarations import declared_table
from segmentation_assets.segments.champion_model import ChampionModel
from segmentation_assets.segments.explanation import Explanation, describe_explanation, explain_customer
from segmentation_assets.tables.gold import CUSTOMER_STATES

if TYPE_CHECKING:
    import pandas as pd

_FEATURES = "silver/customer_features"


def explain(parsed: argparse.Namespace) -> int:
    """Print which features put a customer where it is, and the smallest change found that would class it otherwise."""
    platform, month = open_month(parsed, "gold/customer_segments")
    champion = read_table(platform, "gold/champion", month)
    declared = declared_table(platform, platform.graph.node(_FEATURES))
    delivered = read_table(platform, "gold/customer_segments", month, ["customer_id", "state", "segment_key"])
    explained = explain_customer(
        read_table(platform, _FEATURES, month),
        parsed.customer_id,
        ChampionModel.load(platform.models, str(champion["model_hash"].iloc[0])),
        dict(champion[["segment_key", "segment_name"]].to_numpy().tolist()),
        {column.name: column.label for column in feature_columns(declared)},
        seed=platform.settings.clustering.seed,
    )
    found, notes = _beside_what_was_delivered(explained, delivered.set_index("customer_id"))
    if parsed.json:
        plain = {"month": month[:7], **found.to_plain(), "notes": notes}
        print(json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join([month[:7], describe_explanation(found), *notes]))
    return 0


def _beside_what_was_delivered(found: Explanation, delivered: pd.DataFrame) -> tuple[Explanation, list[str]]:
    """Take over the delivered state, and note where the features as they are known now say something else."""
    import pandas as pd

    if found.customer_id not in delivered.index:
        return found, ["The customer came with data that arrived after the month was delivered."]
    row = delivered.loc[found.customer_id]
    sentence = CUSTOMER_STATES.get(str(row["state"]))
    notes = [f"State: {row['state']}, {sentence}."] if sentence else []
    key = None if pd.isna(row["segment_key"]) else str(row["segment_key"])
    if key != found.segment_key:
        notes.append(
            f"The month was delivered with {key or 'no segment'}: data that arrived since has changed "
            "the features, and this explanation is of what they are now."
        )
        return found, notes
    return replace(found, state=str(row["state"])), notes
