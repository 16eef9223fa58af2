"""What is wrong with the files of the built-in shop: each fault by its rate, and the rates of real files."""

from typing import Literal

from pydantic import Field, model_validator

from segmentation_assets.config.section import Section
from segmentation_assets.config.shop_profile import Probability


class FaultSettings(Section):
    """What is wrong with the delivered files, each by its rate; a rate that is not set is that of the preset."""

    preset: Literal["none", "real"] = Field("none", description="none: no faults; real: the rates of real files")
    unmatched_returns: Probability | None = Field(
        None, description="returns of goods the customer never had, per sold line"
    )
    return_only_customers: Probability | None = Field(
        None,
        description="share of customers who never buy and return one thing in place of each order; the first "
        "customer buys",
    )
    refunded_customers: Probability | None = Field(
        None, description="share of customers who cancel each of their orders twelve minutes later"
    )
    positive_cancellations: Probability | None = Field(
        None, description="share of returned lines whose quantity lacks its sign"
    )
    giant_orders: Probability | None = Field(
        None, description="probability per month of a giant order, cancelled twelve minutes later"
    )
    write_offs: Probability | None = Field(None, description="stock written off at price 0, per sold line")
    free_lines: Probability | None = Field(None, description="share of sold lines with price 0; they do not come back")
    tiny_prices: Probability | None = Field(
        None, description="share of sold lines with a price below 0.01; they do not come back"
    )
    adjustments: Probability | None = Field(
        None, description="probability per month of a book-keeping entry, one of four positive"
    )
    guests: Probability | None = Field(None, description="share of orders, and of their returns, without a customer")
    duplicate_lines: Probability | None = Field(None, description="share of sold and returned lines that stand twice")
    redelivered: Probability | None = Field(
        None, description="share of the orders of a month's last three days that the next file holds again"
    )
    non_product_lines: Probability | None = Field(
        None, description="postage, fees and tests, per order; orders of guests have none"
    )
    code_variants: Probability | None = Field(
        None,
        description="share of sold and returned lines whose code is in lower case, lacks its leading zero or has a "
        "blank behind",
    )
    mixed_ids: Probability | None = Field(None, description="share of customers whose id is a number, in all tables")
    decimal_ids: Probability | None = Field(
        None,
        description="share of the orders of customers whose id is a number that write it as 10000013.0; "
        "needs mixed_ids",
    )
    odd_countries: Probability | None = Field(
        None, description="share of orders from 'Unspecified', 'European Community' or 'EIRE'"
    )
    split_times: Probability | None = Field(
        None, description="share of orders of several lines whose last line has a later time"
    )
    blank_fields: Probability | None = Field(
        None, description="share of customers' demographic fields left blank, of each of four columns"
    )
    missing_names: Probability | None = Field(None, description="share of products without a name")
    padded_names: Probability | None = Field(None, description="share of products whose name has surrounding blanks")
    broken_names: Probability | None = Field(
        None, description="share of product names with accents that were read in the wrong encoding"
    )

    several_texts: Probability | None = Field(
        None,
        description="share of sold and returned lines whose product text is in capitals and lacks its last part, so "
        "that codes have several texts and texts several codes",
    )
    staff_notes: Probability | None = Field(
        None,
        description="share of written-off lines with a note of the staff, such as 'damaged', as product text; needs "
        "write_offs",
    )
    blank_texts: Probability | None = Field(
        None, description="share of written-off lines without a product text; needs write_offs"
    )
    cut_last_month: Probability | None = Field(
        None, description="share of the last month's days that its files lack from the end; the first day is kept"
    )

    @model_validator(mode="after")
    def _check_needed(self) -> "FaultSettings":
        """Refuse faults asked for that cannot occur, as what they strike is never planted."""
        for name, needed in _NEEDED.items():
            if getattr(self, name) and self.rate(needed) == 0:
                raise ValueError(
                    f"{name} is {getattr(self, name):g} and {needed} is 0, so that it cannot occur; set {needed} above "
                    f"0, or leave {name} out"
                )
        return self

    @property
    def has_texts(self) -> bool:
        """Whether order lines carry product texts, since some of these are wrong."""
        return any(self.rate(name) > 0 for name in ("several_texts", "staff_notes", "blank_texts"))

    def rate(self, name: str) -> float:
        """Return the rate in force of a fault."""
        value: float | None = getattr(self, name)
        if value is not None:
            return value
        return REAL_RATES[name] if self.preset == "real" else 0.0


_NEEDED = {"decimal_ids": "mixed_ids", "staff_notes": "write_offs", "blank_texts": "write_offs"}
"""Fault → the fault whose rows it strikes."""

REAL_RATES = {
    "unmatched_returns": 0.0033,
    "return_only_customers": 0.0075,
    "refunded_customers": 0.0039,
    "positive_cancellations": 0.00005,
    "giant_orders": 0.17,
    "write_offs": 0.0025,
    "free_lines": 0.0022,
    "tiny_prices": 0.0000075,
    "adjustments": 0.25,
    "guests": 0.143,
    "duplicate_lines": 0.0097,
    "redelivered": 0.42,
    "non_product_lines": 0.115,
    "code_variants": 0.0036,
    "mixed_ids": 0.05,
    "decimal_ids": 0.5,
    "odd_countries": 0.0009,
    "split_times": 0.0017,
    "blank_fields": 0.05,
    "missing_names": 0.0027,
    "padded_names": 0.21,
    "broken_names": 0.5,
    "several_texts": 0.013,
    "staff_notes": 0.31,
    "blank_texts": 0.645,
    "cut_last_month": 0.71,
}
"""Rates of the preset ``real``: counts of Online Retail where it has the fault, and of the sheet before it for
`positive_cancellations` (1 of 19,494 returned lines). `redelivered` makes 4 % of the rows stand twice, as 22,523 of
541,909 do; 6,945 of 539,392 lines with a price have another text than most of their code, and the last month ends 22
days early. `blank_fields`, `broken_names`, `mixed_ids` and `decimal_ids`, of which nothing is known, are assumed."""
