"""`segmentation predict`: segment, churn and value of the customers of a file, by the stored models."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from segmentation_assets.cli.stored_month import open_month
from segmentation_assets.errors import SettingsError, plural
from segmentation_assets.graph.platform import Platform
from segmentation_assets.segments.assignment import OUTSIDE
from segmentation_assets.serving.predict import (
    MOST_WITH_REASONS,
    REASONS,
    PredictionOutcome,
    PredictionRequest,
    predict_file,
)
from segmentation_assets.serving.scoring_models import describe_left_out
from segmentation_assets.storage.manifest import SHORT_HASH
from segmentation_assets.storage.model_catalogue import find_model
from segmentation_assets.storage.models import ModelReference
from segmentation_assets.tables.gold import CUSTOMER_STATES
from segmentation_assets.tables.prediction import SEGMENT_SAID_BY

_USABLE = ("champion", "churn", "lifetime_value", "newcomer_classifier", "segment_classifier")
_MOST_OUTSIDE = 0.5
_DAYS_WITHOUT_LINES = 31


def predict(parsed: argparse.Namespace) -> int:
    """Score the customers of a file, write them to another one, and print what that rests on."""
    platform, month = open_month(parsed, "gold/customer_segments")
    request = PredictionRequest(
        parsed.input,
        parsed.output,
        month,
        parsed.as_of,
        _chosen(platform, parsed.model),
        parsed.reasons,
        tuple(parsed.sheet),
    )
    for line in _summary(predict_file(platform, request), request, platform.settings.currency):
        print(line)
    return 0


def _chosen(platform: Platform, texts: list[str]) -> dict[str, ModelReference]:
    """Models that are named, by their name in the store."""
    found: dict[str, ModelReference] = {}
    for text in texts:
        reference = find_model(platform.models, text).reference
        if reference.name not in _USABLE:
            raise SettingsError(
                f"{text} is a model of {reference.name}, by which no file is scored",
                f"name one of {', '.join(_USABLE)}; a clustering scores once 'segmentation promote' put it in force.",
            )
        if reference.name in found:
            raise SettingsError(f"two models of {reference.name} are named", "name one of them.")
        found[reference.name] = reference
    return found


def _summary(outcome: PredictionOutcome, request: PredictionRequest, currency: str) -> Iterator[str]:
    yield f"{request.target}: {plural(outcome.customers, 'customer')}, by the models of {request.month[:7]}"
    yield from _about_lines(outcome)
    yield from (f"  {name}: {plural(count, 'customer')}" for name, count in outcome.segments.items())
    yield from (f"  {state}: {count:,} ({CUSTOMER_STATES[state]})" for state, count in outcome.states.items())
    yield from (f"  segment said by {name}: {count:,} ({SEGMENT_SAID_BY[name]})" for name, count in
                outcome.said_by.items())  # fmt: skip
    yield from (f"  {name}: known of {count:,}" for name, count in outcome.scored.items())
    yield f"  models: {', '.join(f'{name}@{value[:SHORT_HASH]}' for name, value in outcome.hashes.items())}"
    if outcome.reasons:
        yield f"  at most {plural(outcome.reasons, 'reason')} each"
    elif request.reasons is None:
        yield f"  no reasons, as there are more than {MOST_WITH_REASONS:,} customers; --reasons {REASONS} adds them"
    if outcome.states.get(OUTSIDE, 0) > _MOST_OUTSIDE * outcome.customers:
        yield (
            f"  warning: most customers are {OUTSIDE}; check that amounts are in {currency} and times in days, as they "
            "are in the shop"
        )
    yield from (f"  warning: {sentence}" for sentence in describe_left_out(outcome.models.left_out))


def _about_lines(outcome: PredictionOutcome) -> Iterator[str]:
    """Say what became of order lines, and who has no row."""
    lines = outcome.lines
    if lines is None:
        return
    newest = lines.ingested.last_at
    yield (
        f"  as of {outcome.as_of_date}, from {plural(lines.ingested.stored_rows, 'order line')}, the newest of "
        f"{newest:%Y-%m-%d}"
    )
    if outcome.as_of_date and newest and (outcome.as_of_date - newest.date()).days > _DAYS_WITHOUT_LINES:
        yield "  warning: no order line is near that date, so that nobody seems to order any more; check --as-of"
    if outcome.unread:
        yield f"  columns that the mapping does not name, and that are not read: {', '.join(outcome.unread)}"
    if lines.anonymous_lines:
        yield f"  order lines without a customer: {lines.anonymous_lines:,}"
    if outcome.set_aside is not None:
        yield f"  order lines that cannot be read: {lines.ingested.quarantined_rows:,}, see {outcome.set_aside}"
    if lines.customers > outcome.customers:
        yield (
            f"  customers without a row: {lines.customers - outcome.customers:,}, with no sale or return in the "
            "lookback, too few orders, or outside of the population"
        )
    if lines.known_customers:
        yield (
            f"  warning: {lines.known_customers:,} of the customers have order lines in the shop already; what is said "
            "here rests on the lines of the file alone"
        )
