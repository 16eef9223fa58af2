"""The settings of the built-in synthetic shop: its size, its customers' ways, its catalogue and its faults."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_FIRST_MONTH, _LAST_MONTH = "1900-01", "2099-12"
_FIRST_BUSINESS_YEAR, _LAST_BUSINESS_YEAR = 1970, 2099
_LARGEST_SEED = 2**31 - 1


def _check_month(text: str) -> str:
    """Accept a month written YYYY-MM."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise ValueError(f"'{text}' is not a month; write YYYY-MM, for example 2025-06")
    if not _FIRST_MONTH <= text <= _LAST_MONTH:
        raise ValueError(f"'{text}' does not lie between {_FIRST_MONTH} and {_LAST_MONTH}")
    return text


Month = Annotated[str, AfterValidator(_check_month)]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ArchetypeSettings(_Section):
    """What the customers of one archetype have in common; each one scatters around it."""

    name: str = Field(min_length=1, description="name of the archetype, in the truth only")
    share: float = Field(ge=0, description="weight among all customers")
    orders_per_month: float = Field(ge=0, le=10, description="mean order rate in an ordinary active month")
    rate_shape: int = Field(4, ge=1, le=50, description="shape of the gamma distribution of order rates; 1 is uneven")
    stays_months: float = Field(12.0, gt=0, description="mean months until a settled customer starts to slip")
    one_order_share: Probability = Field(0.2, description="share of newcomers who never order again")
    established_share: Probability = Field(0.4, description="share of customers from before the first month")
    lines_per_order: float = Field(3.0, ge=1, le=15, description="mean lines of an order")
    units: float = Field(0.35, ge=0, le=20, description="mean units of a line beyond the first")
    price_tilt: float = Field(1.0, gt=0, le=20, description="above 1 prefers cheap products, below 1 expensive ones")
    discount_probability: Probability = Field(0.15, description="probability that a line is bought at a discount")
    return_probability: Probability = Field(0.015, description="probability that a line comes back")
    settles_as: dict[str, float] = Field(description="settled state: weight")
    departments: dict[str, float] = Field(default={}, description="department: preference; 1 where it is not named")


def _archetype(name: str, share: float, rate: float, **habits: object) -> ArchetypeSettings:
    return ArchetypeSettings.model_validate({"name": name, "share": share, "orders_per_month": rate, **habits})


DEFAULT_ARCHETYPES = (
    _archetype(
        "connoisseur", 0.05, 0.80, rate_shape=3, stays_months=30, one_order_share=0.0, established_share=0.6,
        lines_per_order=8.5, units=0.6, price_tilt=0.6, discount_probability=0.06,
        settles_as={"vip": 0.85, "loyal": 0.15},
        departments={"Accessories & Footwear": 5.0, "Health & Wellness": 0.5, "Home & Lifestyle": 0.7, "Apparel": 2.5},
    ),
    _archetype(
        "home_maker", 0.19, 0.48, stays_months=24, one_order_share=0.1, established_share=0.5, lines_per_order=8.0,
        units=0.5, discount_probability=0.12, settles_as={"loyal": 0.8, "active": 0.15, "vip": 0.05},
        departments={"Accessories & Footwear": 0.4, "Health & Wellness": 1.0, "Home & Lifestyle": 6.0, "Apparel": 0.8},
    ),
    _archetype(
        "bargain_hunter", 0.19, 0.50, stays_months=16, one_order_share=0.12, established_share=0.4,
        lines_per_order=7.2, units=0.5, price_tilt=3.2, discount_probability=0.3,
        settles_as={"deal_seeker": 0.9, "active": 0.1},
        departments={"Accessories & Footwear": 0.4, "Health & Wellness": 6.0, "Home & Lifestyle": 0.9, "Apparel": 0.5},
    ),
    _archetype(
        "fashion_shopper", 0.21, 0.45, stays_months=16, one_order_share=0.15, lines_per_order=7.2, price_tilt=0.9,
        discount_probability=0.22, settles_as={"returner": 0.4, "active": 0.5, "loyal": 0.1},
        departments={"Accessories & Footwear": 0.9, "Health & Wellness": 0.2, "Home & Lifestyle": 0.3, "Apparel": 6.0},
    ),
    _archetype(
        "gift_buyer", 0.36, 0.22, rate_shape=2, stays_months=12, one_order_share=0.62, established_share=0.1,
        lines_per_order=4.0, units=0.2, price_tilt=1.2, discount_probability=0.25,
        settles_as={"active": 0.9, "deal_seeker": 0.1},
        departments={"Accessories & Footwear": 5.0, "Health & Wellness": 0.6, "Home & Lifestyle": 1.6, "Apparel": 0.6},
    ),
)  # fmt: skip
"""The customers of the packaged shop."""


class TransitionSettings(_Section):
    """Monthly probabilities of moving between the hidden states."""

    settle: Probability = Field(0.45, description="a newcomer or returning customer settles")
    move: Probability = Field(0.03, description="a settled customer takes another settled state, if one is drawn")
    leave: Probability = Field(0.004, description="a settled customer leaves for ever at once")
    recover: Probability = Field(0.12, description="a slipping customer settles again")
    fall_dormant: Probability = Field(0.35, description="a slipping customer stops ordering")
    reactivate: Probability = Field(0.05, description="a dormant customer comes back")
    leave_dormant: Probability = Field(0.10, description="a dormant customer leaves for ever")


class DriftEvent(_Section):
    """A change of the shop's business from a month on, for testing monitors."""

    kind: Literal["price_rise", "new_department", "channel_shift"] = Field(description="what changes")
    from_month: Month = Field(description="first month it holds in, YYYY-MM")
    amount: float = Field(
        0.15,
        ge=-0.9,
        le=10,
        description="price_rise: share by which prices rise; channel_shift: share of web and store orders that go to "
        "the app; new_department: preference for it beside the others",
    )
    department: str = Field("", description="new_department: a department of the catalogue, unsold until then")

    @model_validator(mode="after")
    def _check_department(self) -> "DriftEvent":
        if (self.kind == "new_department") != bool(self.department):
            raise ValueError(
                f"kind '{self.kind}' {'needs' if self.kind == 'new_department' else 'takes no'} department"
            )
        if self.kind == "channel_shift" and not 0 <= self.amount <= 1:
            raise ValueError(f"amount {self.amount} of a channel_shift is not a share from 0 to 1")
        return self


class FaultSettings(_Section):
    """What is wrong with the delivered files, each by its rate; a rate that is not set is that of the preset."""

    preset: Literal["none", "real"] = Field("none", description="none: no faults; real: the rates of real files")
    unmatched_returns: Probability | None = Field(
        None, description="returns of goods the customer never had, per sold line"
    )
    giant_orders: Probability | None = Field(
        None, description="probability per month of a giant order, cancelled twelve minutes later"
    )
    write_offs: Probability | None = Field(None, description="stock written off at price 0, per sold line")
    free_lines: Probability | None = Field(None, description="share of sold lines with price 0")
    adjustments: Probability | None = Field(None, description="probability per month of a book-keeping entry")
    guests: Probability | None = Field(None, description="share of orders without a customer")
    duplicate_lines: Probability | None = Field(None, description="share of lines that stand twice")
    redelivered: Probability | None = Field(
        None, description="share of the orders of a month's last three days that the next file holds again"
    )
    non_product_lines: Probability | None = Field(None, description="postage, fees and tests, per order")
    code_variants: Probability | None = Field(
        None, description="share of lines whose code is in lower case, has a blank or lacks its leading zero"
    )
    mixed_ids: Probability | None = Field(
        None, description="share of customers whose id is a number, which half of their orders write as 10000013.0"
    )
    odd_countries: Probability | None = Field(
        None, description="share of orders from 'Unspecified', 'European Community' or 'EIRE'"
    )
    split_times: Probability | None = Field(
        None, description="share of orders of several lines whose last line has a later time"
    )
    blank_fields: Probability | None = Field(None, description="share of customers' demographic fields left blank")
    padded_names: Probability | None = Field(None, description="share of product names with surrounding blanks")
    broken_names: Probability | None = Field(
        None, description="share of product names with accents that were read in the wrong encoding"
    )

    def rate(self, name: str) -> float:
        """Return the rate in force of a fault."""
        value: float | None = getattr(self, name)
        if value is not None:
            return value
        return REAL_RATES[name] if self.preset == "real" else 0.0


REAL_RATES = {
    "unmatched_returns": 0.0033,
    "giant_orders": 0.17,
    "write_offs": 0.0025,
    "free_lines": 0.0022,
    "adjustments": 0.25,
    "guests": 0.143,
    "duplicate_lines": 0.0097,
    "redelivered": 0.2,
    "non_product_lines": 0.115,
    "code_variants": 0.0036,
    "mixed_ids": 0.05,
    "odd_countries": 0.0009,
    "split_times": 0.0017,
    "blank_fields": 0.05,
    "padded_names": 0.21,
    "broken_names": 0.5,
}
"""Rates of the preset ``real``: counts of Online Retail where it has the fault; `blank_fields`, `broken_names` and
`mixed_ids`, of which it says nothing, are assumed."""


class SyntheticSettings(_Section):
    """The built-in synthetic shop; used when source.kind is synthetic."""

    customers: int = Field(15_000, ge=10, le=5_000_000, description="number of customers")
    first_month: Month = Field("2023-09", description="first month of business, YYYY-MM")
    months: int = Field(24, ge=2, le=240, description="months of business")
    seed: int = Field(7, ge=0, le=_LARGEST_SEED, description="seed of all random draws")
    catalogue: Path | None = Field(
        None, description="YAML file of departments, classes and items; the packaged one when absent"
    )
    personal_data: bool = Field(False, description="whether customers get names, addresses, e-mails and phone numbers")
    outlier_share: Probability = Field(
        0.002, description="share of customers planted as bulk buyers, told in the truth"
    )
    mix: dict[str, float] = Field(default={}, description="archetype: share, in place of its own")
    archetypes: tuple[ArchetypeSettings, ...] = Field(
        DEFAULT_ARCHETYPES, min_length=1, description="lasting habits and their shares"
    )
    transitions: TransitionSettings = TransitionSettings()
    drift: tuple[DriftEvent, ...] = Field((), description="changes of the business from a month on")
    faults: FaultSettings = FaultSettings()

    @model_validator(mode="after")
    def _check_months(self) -> "SyntheticSettings":
        year, month = int(self.first_month[:4]), int(self.first_month[5:])
        last_year = (year * 12 + month + self.months - 2) // 12
        if year < _FIRST_BUSINESS_YEAR or last_year > _LAST_BUSINESS_YEAR:
            raise ValueError(
                f"business must lie between {_FIRST_BUSINESS_YEAR}-01 and {_LAST_BUSINESS_YEAR}-12, got {self.months} "
                f"months from {self.first_month}"
            )
        return self

    @model_validator(mode="after")
    def _check_archetypes(self) -> "SyntheticSettings":
        names = [archetype.name for archetype in self.archetypes]
        if len(set(names)) < len(names):
            raise ValueError(f"archetypes must have names of their own, got {', '.join(names)}")
        unknown = sorted(set(self.mix) - set(names))
        if unknown:
            raise ValueError(f"mix names {', '.join(unknown)}; archetypes are {', '.join(names)}")
        shares = [self.mix.get(archetype.name, archetype.share) for archetype in self.archetypes]
        if min(shares) < 0 or sum(shares) <= 0:
            raise ValueError(f"shares of archetypes must be 0 or more and not all 0, got {shares}")
        return self

    @model_validator(mode="after")
    def _check_settling(self) -> "SyntheticSettings":
        for archetype in self.archetypes:
            unknown = sorted(set(archetype.settles_as) - set(SETTLED_STATES))
            weights = [*archetype.settles_as.values(), *archetype.departments.values()]
            if unknown or sum(archetype.settles_as.values()) <= 0 or min(weights) < 0:
                raise ValueError(
                    f"archetype '{archetype.name}' must settle as some of {', '.join(SETTLED_STATES)}, and its weights "
                    "must be 0 or more"
                )
        return self


SETTLED_STATES = ("active", "loyal", "vip", "deal_seeker", "returner")
"""States a customer stays in for long."""
