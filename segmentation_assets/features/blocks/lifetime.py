"""All history in the few numbers that models of buying until one stops for good need."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn, FillRule, ImputationReason
from segmentation_assets.features.references import FADER_HARDIE_LEE_BG_NBD, FADER_HARDIE_LEE_VALUE
from segmentation_assets.features.snapshot import Snapshot

_NEVER_BOUGHT = "never bought, only returned"


def _summary(name: str, label: str, meaning: str, *reads: str) -> FeatureColumn:
    return FeatureColumn(
        name=name,
        label=label,
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule=_NEVER_BOUGHT,
        minimum=0,
        meaning=meaning,
        reads=tuple(f"customer_history.{column}" for column in reads),
        imputation="ordinary",
        direction="more_is_better",
        reference=FADER_HARDIE_LEE_BG_NBD,
    )


COLUMNS = (
    _summary(
        "btyd_frequency",
        "Repeat order days ever",
        "Different days with an order over all history, less the first.",
        "btyd_frequency",
    ),
    _summary(
        "btyd_recency",
        "Days from first to last order",
        "Calendar days from the first to the last order ever; not those since the last.",
        "btyd_recency",
    ),
    _summary(
        "btyd_T",
        "Days observed since first order",
        "Calendar days from the first order ever to the as-of date.",
        "btyd_T",
    ),
    FeatureColumn(
        name="repeat_spend_amount_mean",
        label="Money per repeat order day",
        dtype="DECIMAL(18,2)",
        unit="currency",
        nullable=True,
        null_rule="fewer than two order days ever",
        minimum=0,
        meaning="Mean gross revenue per day with an order over all history, the first such day left out.",
        reads=(
            "customer_history.lifetime_gross_revenue_amount",
            "customer_history.first_day_revenue_amount",
            "customer_history.btyd_frequency",
        ),
        imputation="undefined",
        undefined_rule=FillRule(
            reason=ImputationReason.UNDEFINED_ONE_ORDER_DAY,
            description="the average order value of the lookback: the first order is all that is known",
            column="average_order_value_amount",
        ),
        direction="more_is_better",
        reference=FADER_HARDIE_LEE_VALUE,
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is never absent."""
    return FeatureBlock(name="lifetime", columns=COLUMNS, select=_select)


def _select(_snapshot: Snapshot) -> str:
    return """
    SELECT
        customer_id,
        btyd_frequency,
        btyd_recency,
        btyd_T,
        money_per(lifetime_gross_revenue_amount - first_day_revenue_amount, btyd_frequency) AS repeat_spend_amount_mean
    FROM snapshot_history
    """
