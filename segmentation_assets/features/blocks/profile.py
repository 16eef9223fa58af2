"""What the customers table says about a customer."""

from __future__ import annotations

from segmentation_assets.config.features import FeatureSettings
from segmentation_assets.features.declaration import FeatureBlock, FeatureColumn, FillRule, ImputationReason
from segmentation_assets.features.snapshot import Snapshot

_NOT_DELIVERED = "not delivered"


def _text(name: str, meaning: str) -> FeatureColumn:
    return FeatureColumn(
        name=name,
        dtype="VARCHAR",
        unit="name",
        nullable=True,
        null_rule=_NOT_DELIVERED,
        meaning=meaning,
        reads=(f"customers.{name}",),
        requires=(f"customers.{name}",),
        imputation="ordinary",
    )


COLUMNS = (
    FeatureColumn(
        name="account_age_days",
        label="Days since registration",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule="day of registration not delivered, or not before the as-of date",
        minimum=0,
        meaning="Calendar days from the day of registration, as last delivered, to the as-of date.",
        reads=("customers.registered_on",),
        requires=("customers.registered_on",),
        imputation="ordinary",
        direction="more_is_better",
    ),
    FeatureColumn(
        name="newsletter_days",
        label="Days with the newsletter",
        dtype="BIGINT",
        unit="days",
        nullable=True,
        null_rule="gets no newsletter before the as-of date, as far as is known",
        minimum=0,
        meaning="Calendar days from the day since which the customer gets the newsletter, as last delivered, to the "
        "as-of date.",
        reads=("customers.newsletter_since",),
        requires=("customers.newsletter_since",),
        imputation="undefined",
        undefined_rule=FillRule(
            reason=ImputationReason.UNDEFINED_NO_NEWSLETTER, description="0: no newsletter", value=0.0
        ),
        direction="more_is_better",
    ),
    FeatureColumn(
        name="age_years",
        label="Age in years",
        dtype="BIGINT",
        unit="years",
        nullable=True,
        null_rule=_NOT_DELIVERED,
        meaning="Year of the last day before the as-of date less the year of birth: the age reached within that year.",
        reads=("customers.birth_year",),
        requires=("customers.birth_year",),
        imputation="ordinary",
    ),
    FeatureColumn(
        name="household_size",
        dtype="BIGINT",
        unit="persons",
        nullable=True,
        null_rule=_NOT_DELIVERED,
        minimum=1,
        meaning="Persons in the household, as last delivered.",
        reads=("customers.household_size",),
        requires=("customers.household_size",),
        imputation="ordinary",
    ),
    _text("gender", "Gender as the shop writes it, as last delivered."),
    _text("acquisition_channel", "What brought the customer to the shop, as last delivered."),
)


def block(_settings: FeatureSettings) -> FeatureBlock:
    """Declare the block; it is absent without a customers table."""
    return FeatureBlock(name="profile", columns=COLUMNS, select=_select, requires=("customers",))


def _select(snapshot: Snapshot) -> str:
    """Treat a day that the snapshot cannot know of yet as missing."""
    as_of = snapshot.as_of_sql
    return f"""
    SELECT
        t.customer_id,
        CASE WHEN c.registered_on < {as_of} THEN days_between(c.registered_on, {as_of}) END AS account_age_days,
        CASE WHEN c.newsletter_since < {as_of} THEN days_between(c.newsletter_since, {as_of}) END AS newsletter_days,
        CAST({snapshot.last_day.year} - c.birth_year AS BIGINT) AS age_years,
        CAST(c.household_size AS BIGINT) AS household_size,
        c.gender,
        c.acquisition_channel
    FROM customer_totals AS t
    LEFT JOIN snapshot_customers AS c ON c.customer_id = t.customer_id
    """
