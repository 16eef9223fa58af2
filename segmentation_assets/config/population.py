"""The settings of who and what counts."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from segmentation_assets.config.section import Section

Name = Annotated[str, Field(min_length=1)]


class PopulationSettings(Section):
    """Which order lines and customers count; what is left out is marked, counted and shown, never removed."""

    countries: tuple[Name, ...] = Field((), description="countries of order lines that count; all when empty")
    channels: tuple[Name, ...] = Field((), description="channels of order lines that count; all when empty")
    brands: tuple[Name, ...] = Field((), description="brands or markets that count; all when empty")
    stores: tuple[Name, ...] = Field((), description="stores that count; all when empty")
    exclude_account_types: tuple[Name, ...] = Field(
        (), description="account types of customers who do not count, such as staff, wholesale, test"
    )
    exclude_customers: tuple[Name, ...] = Field((), description="customer ids that do not count")
    min_orders: int = Field(
        0, ge=0, description="orders in the lookback that a customer needs to get features; customers with fewer count "
        "in the totals and get no segment"
    )  # fmt: skip

    crosswalk: Path | None = Field(
        None, description="CSV that says which customer a delivered id stands for, to merge and split ids; every id "
        "stands for itself when absent"
    )  # fmt: skip

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """Columns of the order lines that the filters read."""
        filters = {"country": self.countries, "channel": self.channels, "brand": self.brands, "store_id": self.stores}
        return tuple(column for column, values in filters.items() if values)


EVERYONE = PopulationSettings()
"""Every line and every customer counts."""
