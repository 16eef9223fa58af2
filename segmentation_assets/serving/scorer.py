"""Segment and predictions of customers by stored models, for any features: of many rows, or of one alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.graph.stored_tables import StoredTables
from segmentation_assets.segments.assignment import TOO_NEW, assign_by_model, find_states
from segmentation_assets.segments.champion_model import MODEL_NAME, ChampionModel
from segmentation_assets.segments.model_space import features_seen
from segmentation_assets.serving.feature_rows import SPEND
from segmentation_assets.serving.scoring_models import ScoringModels, load_scoring_models
from segmentation_assets.storage.models import ModelReference
from segmentation_assets.tables.prediction import PREDICTIONS

if TYPE_CHECKING:
    import pandas as pd

    from segmentation_assets.prediction.segment_classifier import SegmentClassifier

CLASSIFIER = "segment_classifier"
"""Name of the models that tell segments in place of the rule, where one is asked for."""

_KNOWN_SINCE = "lifetime_months"
_SEGMENT = {
    "segment_key": "segment_key",
    "segment_confidence": "probability",
    "runner_up_segment_key": "runner_up_segment_key",
}
"""Our column, and what classifiers call it."""


@dataclass(frozen=True)
class LoadedRule:
    """The rule that says who is in which segment.

    Parameters
    ----------
    model : ChampionModel
    segment_names : mapping of str to str
        By key, of the segments that it knows; the key itself where it is not in force any more.
    content_hash : str
    """

    model: ChampionModel
    segment_names: Mapping[str, str]
    content_hash: str

    @property
    def needed(self) -> tuple[str, ...]:
        """Features that must be there."""
        preparation = self.model.preparation
        filled = () if preparation is None else (fill.feature for fill in preparation.imputation.fills)
        return tuple(dict.fromkeys((*features_seen(self.model), *filled, _KNOWN_SINCE)))


def load_rule(tables: StoredTables, chosen: Mapping[str, ModelReference]) -> LoadedRule:
    """Load the model in force in the month of the tables, or the one that is chosen in its place."""
    champion = tables.frame("gold/champion", ["segment_key", "segment_name", "model_hash"])
    in_force = str(champion["model_hash"].iloc[0])
    content_hash = chosen[MODEL_NAME].content_hash if MODEL_NAME in chosen else in_force
    model = ChampionModel.load(tables.platform.models, content_hash)
    names = dict(zip(champion["segment_key"], champion["segment_name"], strict=True))
    keys = (segment.segment_key for segment in model.segments)
    return LoadedRule(model, {key: names.get(key, key) for key in keys}, content_hash)


@dataclass(frozen=True)
class Scorer:
    """What it takes to say everything about a customer.

    Parameters
    ----------
    rule : LoadedRule
    models : ScoringModels
    min_known_days : int
        Days since the first order below which a customer is too new for the rule, and the classifier of newcomers says
        which segment it will reach.
    classifier : SegmentClassifier or None
        Where it is there, it tells segments in place of the rule.
    classifier_hash : str
    """

    rule: LoadedRule
    models: ScoringModels
    min_known_days: int
    classifier: SegmentClassifier | None = None
    classifier_hash: str = ""

    @property
    def hashes(self) -> dict[str, str]:
        """Content hashes of the models that tell segments, by their name in the store."""
        told = {CLASSIFIER: self.classifier_hash} if self.classifier else {}
        return {MODEL_NAME: self.rule.content_hash, **told}

    def score(self, features: pd.DataFrame) -> pd.DataFrame:
        """Score customers.

        Parameters
        ----------
        features : DataFrame, shape (n_customers, n_features)
            customer_id, at least the columns of `needed`, and `SPEND` where spend is foretold.

        Returns
        -------
        DataFrame
            Columns of `PREDICTIONS` in the order of `features`, without reasons. One row alone gets what it gets in a
            batch.

        Raises
        ------
        DataError
            A feature is missing.
        """
        from segmentation_assets.prediction.customer_scores import score_customers

        has_history = "btyd_frequency" in features
        known = features[features["btyd_frequency"].notna()] if has_history else features.head(0)
        value = self.models.value if SPEND in features else None
        scores = score_customers(
            features, known, self.models.churn, value, self.models.newcomers, self.rule.segment_names.keys()
        )
        segments = self._segments(features)
        found = segments.join(scores.drop(columns="customer_id"))
        return found.reindex(columns=list(PREDICTIONS.column_names))

    def _segments(self, features: pd.DataFrame) -> pd.DataFrame:
        """Say which segment customers are in, who says so, and how far to trust it."""
        assigned = assign_by_model(features, self.rule.model).frame
        rows = features[["customer_id"]].merge(assigned, how="left", on="customer_id")
        is_assigned = rows["segment_key"].notna()
        is_judged = rows["customer_id"].isin(assigned["customer_id"])
        rows["state"] = find_states(
            rows, features, is_assigned=is_assigned, is_judged=is_judged, min_known_days=self.min_known_days
        )
        rows["segment_said_by"] = is_assigned.map({True: "champion", False: None}).astype("object")
        if self.classifier is not None:
            rows = _told_by(rows, self.classifier.predict(features), is_assigned, "segment_classifier")
        elif self.models.newcomers is not None:
            is_new = rows["state"] == TOO_NEW
            told = self.models.newcomers.predict(features[is_new.to_numpy()]).set_axis(rows.index[is_new])
            told = told.reindex(rows.index)
            is_told = told["segment_key"].isin(list(self.rule.segment_names))
            rows = _told_by(rows, told, is_told, "newcomer_classifier")
        rows["segment_name"] = rows["segment_key"].map(dict(self.rule.segment_names))
        return rows


def _told_by(rows: pd.DataFrame, told: pd.DataFrame, is_told: pd.Series, name: str) -> pd.DataFrame:
    """Take the segment from a classifier where it is to say it."""
    taken = {
        ours: rows[ours].astype("object").where(~is_told, told[theirs].astype("object"))
        for ours, theirs in _SEGMENT.items()
    }
    return rows.assign(**taken, segment_said_by=rows["segment_said_by"].mask(is_told, name))


def load_scorer(
    tables: StoredTables, rule: LoadedRule, columns: Collection[str], chosen: Mapping[str, ModelReference]
) -> Scorer:
    """Load all models that are in force in the month of the tables, or chosen.

    Parameters
    ----------
    tables : StoredTables
    rule : LoadedRule
    columns : collection of str
        Columns of the customers that are to be scored.
    chosen : mapping of str to ModelReference
        Models to take in place of those in force, by their name in the store. A ``segment_classifier`` is only used
        where it is among them.
    """
    return Scorer(
        rule,
        load_scoring_models(tables, columns, chosen),
        tables.platform.settings.champion.min_known_days,
        _load_classifier(tables, chosen.get(CLASSIFIER)),
        chosen[CLASSIFIER].content_hash if CLASSIFIER in chosen else "",
    )


def _load_classifier(tables: StoredTables, reference: ModelReference | None) -> SegmentClassifier | None:
    from segmentation_assets.prediction.segment_classifier import SegmentClassifier

    if reference is None:
        return None
    stored = tables.platform.models.load(reference)
    return SegmentClassifier.from_state(stored.estimator, stored.state)
