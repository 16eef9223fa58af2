"""The models that score customers: those in force in a month, or others that are named."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segmentation_assets.errors import SettingsError
from segmentation_assets.graph.platform import Platform
from segmentation_assets.graph.stored_tables import StoredTables
from segmentation_assets.prediction.model_record import ModelRecord
from segmentation_assets.segments.champion_model import MODEL_NAME
from segmentation_assets.storage.engine import read_frame
from segmentation_assets.storage.models import ModelReference, StoredModel

if TYPE_CHECKING:
    from segmentation_assets.prediction.churn_model import ChurnModel
    from segmentation_assets.prediction.lifetime_model import LifetimeModel
    from segmentation_assets.prediction.newcomer_classifier import NewcomerClassifier

RECORD_DOCUMENT = "record.json"
"""Beside the scores of a model: which one is in force, and what came of the last training."""

CHURN, VALUE, NEWCOMERS = "models/churn", "models/lifetime_value", "models/newcomer_classifier"


@dataclass(frozen=True)
class ScoringModels:
    """Models that score customers.

    Parameters
    ----------
    churn : ChurnModel or None
    value : LifetimeModel or None
    newcomers : NewcomerClassifier or None
    left_out : mapping of str to tuple of str
        Models that are there and cannot be used, by asset, with the features that they go by and that are missing.
    hashes : mapping of str to str
        Content hash of each model that is used, by its name in the store.
    """

    churn: ChurnModel | None
    value: LifetimeModel | None
    newcomers: NewcomerClassifier | None
    left_out: Mapping[str, tuple[str, ...]]
    hashes: Mapping[str, str]


def record_of(tables: StoredTables, key: str, month: str | None = None) -> ModelRecord:
    """Record of a model, by default of the month of the tables."""
    return ModelRecord.from_plain(json.loads(tables.document(key, RECORD_DOCUMENT, month)))


def aliased_models(platform: Platform, key: str, month: str) -> dict[str, ModelReference | None]:
    """Models that the aliases of an asset point at when a month is its newest; None where an alias points at none.

    Parameters
    ----------
    platform : Platform
    key : str
        An asset of a model, or ``gold/champion``; others have no aliases.
    month : str
        Of which the asset is stored.
    """
    if key == "gold/champion":
        with platform.engine.connect() as connection:
            rows = read_frame(connection, platform.store.table_paths(key, month), ["model_hash"])
        return {"champion": ModelReference(MODEL_NAME, str(rows["model_hash"].iloc[0]))}
    if not key.startswith("models/"):
        return {}
    text = (platform.store.table_paths(key, month)[0].parent / RECORD_DOCUMENT).read_text(encoding="utf-8")
    return aliases_of(ModelRecord.from_plain(json.loads(text)))


def aliases_of(record: ModelRecord) -> dict[str, ModelReference | None]:
    """Models that the aliases of a kind point at, by the record of its newest month."""
    hashes = {"champion": record.in_force, "challenger": record.challenger}
    return {
        f"{record.noun}_{role}": None if content_hash is None else ModelReference(record.noun, content_hash)
        for role, content_hash in hashes.items()
    }


def load_in_force(tables: StoredTables, record: ModelRecord) -> StoredModel | None:
    """Load the model in force, if there is one."""
    if record.in_force is None:
        return None
    return tables.platform.models.load(ModelReference(record.noun, record.in_force))


def load_scoring_models(
    tables: StoredTables, columns: Collection[str], chosen: Mapping[str, ModelReference] | None = None
) -> ScoringModels:
    """Load the models that score customers.

    Parameters
    ----------
    tables : StoredTables
        Of the month whose models are in force.
    columns : collection of str
        Columns of the customers that are to be scored.
    chosen : mapping of str to ModelReference, optional
        Models to take in place of those in force, by their name in the store.

    Returns
    -------
    ScoringModels
        None where the settings want none, there is none, or it goes by features that are not among the columns.
    """
    from segmentation_assets.prediction.churn_model import ChurnModel
    from segmentation_assets.prediction.customer_value import INPUT_COLUMNS
    from segmentation_assets.prediction.lifetime_model import LifetimeModel
    from segmentation_assets.prediction.newcomer_classifier import NewcomerClassifier

    left_out, hashes = dict[str, tuple[str, ...]](), dict[str, str]()

    def usable(key: str, make: Callable[[StoredModel], Any], missing: Callable[[Any], tuple[str, ...]]) -> Any:
        if key not in tables.platform.graph.by_key:
            if key.split("/")[1] in (chosen or {}):
                raise SettingsError(f"a model of {key} is named, and prediction.enabled is false", "leave it out.")
            return None
        record = record_of(tables, key)
        reference = (chosen or {}).get(record.noun)
        stored = load_in_force(tables, record) if reference is None else tables.platform.models.load(reference)
        model = None if stored is None else make(stored)
        left_out[key] = () if model is None else missing(model)
        if stored is None or left_out[key]:
            return None
        hashes[record.noun] = stored.reference.content_hash
        return model

    return ScoringModels(
        churn=usable(
            CHURN,
            lambda stored: ChurnModel.from_state(stored.estimator, stored.state),
            lambda model: model.inputs.missing_in({*columns} if "recency_days" in columns else ()),
        ),
        value=usable(
            VALUE,
            lambda stored: LifetimeModel.from_state(stored.state),
            lambda _: tuple(sorted({*INPUT_COLUMNS} - {*columns})),
        ),
        newcomers=usable(
            NEWCOMERS,
            lambda stored: NewcomerClassifier.from_state(stored.estimator, stored.state),
            lambda model: model.classifier.inputs.missing_in(columns),
        ),
        left_out={key: names for key, names in left_out.items() if names},
        hashes=hashes,
    )


def describe_left_out(left_out: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Say of each model that is left out which features are missing, and that its scores are empty."""
    return [
        f"{key} goes by features that are missing, and its scores are empty: {', '.join(names)}"
        for key, names in left_out.items()
    ]
