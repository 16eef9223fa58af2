"""What the customers table says about a customer."""

from __future__ import annotations

from segmentation_assets.config.settings import FeatureSettings
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn
from segmentation_assets.features.snapshot import Snapshot

COLUMNS = (
    FeatureColumn(
        name="account_age_days",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule="day of registration not delivered, or not before the as-of date",
        minimum=0,
        meaning="Calendar days from registration to the as-of date.",
        reads=("customers.registered_on",),
        imputation="ordinary",
        direction="more_is_better",
    ),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent without a customers table."""
    return FeatureBlock(name="profile", columns=COLUMNS, select=_select, requires=("customers",))


def _select(snapshot: Snapshot) -> str:
    """Treat a registration that the snapshot cannot know of yet as missing."""
    return f"""
    SELECT
        t.customer_id,
        CASE WHEN c.registered_on < {snapshot.as_of_sql} THEN days_between(c.registered_on, {snapshot.as_of_sql}) END
            AS account_age_days
    FROM customer_totals AS t
    LEFT JOIN snapshot_customers AS c ON c.customer_id = t.customer_id
    """
