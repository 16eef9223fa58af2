"""Body of the reports about the models of a month."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from segmentation_assets.orchestration.assets.outputs import deliver_report
from segmentation_assets.orchestration.step import Step
from segmentation_assets.prediction.model_record import ModelRecord
from segmentation_assets.reporting.model_cards import render_model_card
from segmentation_assets.reporting.model_figures import draw_churn, draw_tracking
from segmentation_assets.serving.scoring_models import record_of
from segmentation_assets.storage.models import ModelReference

FOLDER = "models"
"""Folder below that of the month."""

_PICTURES: dict[str, tuple[str, Callable[[Mapping[str, Any]], bytes]]] = {
    "models/churn": ("Calibration, gain, lift and importance on the test customers", draw_churn),
    "models/lifetime_value": ("Expected and observed repeat order days", draw_tracking),
}
"""What is drawn of a model, and its caption; the others have a card alone."""


def models(step: Step) -> None:
    """Write a card and a picture of every model."""
    keys = [item.key for item in step.node.inputs if item.key.startswith("models/")]
    for key in keys:
        _write_card(step, key)
    step.metadata |= {"models": len(keys)}


def _write_card(step: Step, key: str) -> None:
    record = record_of(step, key)
    pictures = []
    if record.trained_month is not None and key in _PICTURES:
        caption, draw = _PICTURES[key]
        pictures = [(caption, f"{record.noun}.png")]
        deliver_report(step, f"{FOLDER}/{record.noun}.png").write_bytes(draw(record.details))
    card = render_model_card(record, step.frame(key), step.partition, pictures, _facts(step, record))
    deliver_report(step, f"{FOLDER}/{record.noun}.md").write_text(card, encoding="utf-8")


def _facts(step: Step, record: ModelRecord) -> list[tuple[str, str]]:
    """What is known of the data and of the model in force, for the card."""
    settings = step.platform.settings
    source = {"synthetic": "the built-in shop, made up"}.get(settings.source.kind, "delivered order lines")
    facts = [("Source", f"{source}; money in {settings.currency}")]
    if record.in_force is None:
        return facts
    described = step.platform.models.describe(ModelReference(record.noun, record.in_force))
    month = f"{record.in_force_month}-01"
    made = step.platform.store.manifest(record.key, month)
    packages = ", ".join(f"{name} {version}" for name, version in described["packages"].items())
    return [
        *facts,
        ("Model in force", f"`{record.noun}@{record.in_force}`"),
        ("Its inputs", "not recorded" if made is None else _hash_inputs(made.inputs, f"{record.key}/{month}.json")),
        ("Seed", str(described["seed"])),
        ("Made with", packages),
    ]  # fmt: skip


def _hash_inputs(inputs: Mapping[str, str], name: str) -> str:
    text = json.dumps(inputs, sort_keys=True)
    return (
        f"{len(inputs)}, together SHA-256 `{hashlib.sha256(text.encode()).hexdigest()}`; listed in `manifests/{name}`"
    )
