"""The settings of the built-in synthetic shop: its size, its customers' ways, its catalogue and its faults."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from segmentation_assets.config.catalogue import CatalogueFile, catalogue_name, read_catalogue_file
from segmentation_assets.config.section import LARGEST_SEED, Section
from segmentation_assets.config.shop_faults import FaultSettings
from segmentation_assets.config.shop_profile import (
    ArchetypeSettings,
    Probability,
    check_shop_profile,
    is_shop_profile_file,
    read_shop_profile,
)
from segmentation_assets.errors import DataError, closest_hint

_FIRST_MONTH, _LAST_MONTH = "1900-01", "2099-12"
_FIRST_BUSINESS_YEAR, _LAST_BUSINESS_YEAR = 1970, 2099


def _check_month(text: str) -> str:
    """Accept a month written YYYY-MM."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise ValueError(f"'{text}' is not a month; write YYYY-MM, for example 2025-06")
    if not _FIRST_MONTH <= text <= _LAST_MONTH:
        raise ValueError(f"'{text}' does not lie between {_FIRST_MONTH} and {_LAST_MONTH}")
    return text


Month = Annotated[str, AfterValidator(_check_month)]


def _of_profile(field: str) -> Callable[[dict[str, Any]], Any]:
    """Default of a setting that the kind of shop decides."""
    return lambda validated: getattr(read_shop_profile(validated["profile"]), field)


_ROUNDING = 1e-9


def _check_rates(rates: dict[str, float], whose: str = "") -> None:
    """Refuse probabilities of events that exclude each other and add up to more than 1."""
    total = sum(rates.values())
    if total > 1 + _ROUNDING:
        listed = " + ".join(f"{name} {rate:g}" for name, rate in rates.items())
        raise ValueError(f"{listed}{whose} add up to {total:g}, more than 1; of these at most one happens")


class TransitionSettings(Section):
    """Monthly probabilities of moving between the hidden states; of those from one state at most one happens."""

    settle: Probability = Field(0.45, description="a newcomer or returning customer settles")
    stop_early: Probability = Field(0.05, description="a newcomer stops ordering without having settled")
    move: Probability = Field(0.03, description="a settled customer takes another settled state, if one is drawn")
    leave: Probability = Field(0.004, description="a settled customer leaves for ever at once")
    recover: Probability = Field(0.12, description="a slipping customer settles again")
    fall_dormant: Probability = Field(0.35, description="a slipping customer stops ordering")
    reactivate: Probability = Field(0.05, description="a dormant customer comes back")
    leave_dormant: Probability = Field(0.10, description="a dormant customer leaves for ever")
    start_settled: Probability = Field(0.75, description="share of customers from before who are settled at the start")
    start_slipping: Probability = Field(
        0.08, description="share of customers from before who are slipping at the start"
    )
    start_dormant: Probability = Field(
        0.12, description="share of customers from before who are dormant at the start; the others are gone"
    )

    @model_validator(mode="after")
    def _check_sums(self) -> "TransitionSettings":
        together = (
            ("settle", "stop_early"),
            ("recover", "fall_dormant"),
            ("reactivate", "leave_dormant"),
            ("start_settled", "start_slipping", "start_dormant"),
        )
        for names in together:
            _check_rates({name: getattr(self, name) for name in names})
        return self


class DriftEvent(Section):
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
        if self.kind == "new_department" and self.amount < 0:
            raise ValueError(f"amount {self.amount} of a new_department is a preference, 0 or more")
        if self.kind == "channel_shift" and not 0 <= self.amount <= 1:
            raise ValueError(f"amount {self.amount} of a channel_shift is not a share from 0 to 1")
        return self


class SyntheticSettings(Section):
    """The built-in synthetic shop; used when source.kind is synthetic."""

    profile: Annotated[str, AfterValidator(check_shop_profile)] = Field(
        "general",
        description="kind of shop: general, fashion, wholesale, grocery, or a YAML file of your own; it decides "
        "archetypes and outlier_share where they are not set",
    )
    customers: int = Field(
        15_000,
        ge=10,
        le=5_000_000,
        description="number of customers ever; about 83 % of them have registered after 12 months, 94 % after 24 and "
        "98 % after 36",
    )
    first_month: Month = Field("2023-09", description="first month of business, YYYY-MM")
    months: int = Field(24, ge=2, le=240, description="months of business")
    seed: int = Field(7, ge=0, le=LARGEST_SEED, description="seed of all random draws")
    catalogue: Path | None = Field(
        None, description="YAML file of departments, classes and items; the packaged one when absent"
    )
    personal_data: bool = Field(False, description="whether customers get names, addresses, e-mails and phone numbers")
    outlier_share: Probability = Field(
        default_factory=_of_profile("outlier_share"),
        description="share of customers planted as bulk buyers, told in the truth; that of the profile when absent",
    )
    mix: dict[str, float] = Field(
        default={},
        description="archetype: share of all customers; those not named share the rest as their own shares stand",
    )
    archetypes: tuple[ArchetypeSettings, ...] = Field(
        default_factory=_of_profile("archetypes"),
        min_length=1,
        description="lasting habits and their shares; those of the profile when absent",
    )
    transitions: TransitionSettings = TransitionSettings()
    drift: tuple[DriftEvent, ...] = Field((), description="changes of the business from a month on")
    faults: FaultSettings = FaultSettings()

    @model_validator(mode="after")
    def _check_months(self) -> "SyntheticSettings":
        if int(self.first_month[:4]) < _FIRST_BUSINESS_YEAR or int(self.last_month[:4]) > _LAST_BUSINESS_YEAR:
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
        named = sum(self.mix.values())
        others = sum(archetype.share for archetype in self.archetypes if archetype.name not in self.mix)
        if min(self.mix.values(), default=0.0) < 0:
            raise ValueError(f"shares in mix must be 0 or more, got {min(self.mix.values()):g}")
        if named > 1 + _ROUNDING:
            raise ValueError(f"shares in mix add up to {named:g}, more than 1")
        if others <= 0 and not self.mix:
            raise ValueError("all archetypes have share 0; give one of them a share above 0")
        if others <= 0 and named < 1 - _ROUNDING:
            raise ValueError(f"shares in mix add up to {named:g}, and no other archetype has a share of the rest")
        return self

    @model_validator(mode="after")
    def _check_slipping(self) -> "SyntheticSettings":
        rates = self.transitions
        for archetype in self.archetypes:
            slip = {"slip (1 / stays_months)": 1 / archetype.stays_months}
            whose = f" of archetype '{archetype.name}'"
            _check_rates({"transitions.move": rates.move, "transitions.leave": rates.leave} | slip, whose)
            _check_rates({"transitions.settle": rates.settle} | slip, whose)
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

    @model_validator(mode="after")
    def _check_drift(self) -> "SyntheticSettings":
        for event in self.drift:
            if not self.first_month <= event.from_month <= self.last_month:
                raise ValueError(
                    f"drift has a {event.kind} from {event.from_month}, outside of business, which goes from "
                    f"{self.first_month} to {self.last_month}"
                )
        new = self._new_departments()
        repeated = sorted({name for name in new if new.count(name) > 1})
        if repeated:
            raise ValueError(f"drift has two events new_department of '{repeated[0]}'; a department is new once")
        return self

    @model_validator(mode="after")
    def _check_goods(self) -> "SyntheticSettings":
        try:
            written = read_catalogue_file(self.catalogue)
        except DataError as problem:
            raise ValueError(problem.message) from problem
        name, departments = catalogue_name(self.catalogue), written.department_names
        for department in self._new_departments():
            if department not in departments:
                raise ValueError(f"drift {_not_in(department, name, departments)}")
        if not written.first_sold - set(self._new_departments()):
            raise ValueError(f"{name} has nothing on sale in the first month; launch items, or departments, earlier")
        self._check_preferences(written, name)
        return self

    def _check_preferences(self, written: CatalogueFile, name: str) -> None:
        """Refuse own archetypes that prefer what there is not, and any that want nothing of what there is."""
        unknown = unknown_preferences(self, written)
        if unknown and (is_shop_profile_file(self.profile) or self.archetypes != _packaged_archetypes(self.profile)):
            archetype, department = unknown[0]
            raise ValueError(f"archetype '{archetype}' {_not_in(department, name, written.department_names)}")
        for kind in self.archetypes:
            if not any(kind.departments.get(department, 1.0) > 0 for department in written.department_names):
                raise ValueError(
                    f"archetype '{kind.name}' prefers no department of {name}; give one a preference above 0"
                )

    def _new_departments(self) -> list[str]:
        return [event.department for event in self.drift if event.kind == "new_department"]

    @property
    def last_month(self) -> str:
        """Last month of business, YYYY-MM."""
        years, place = divmod(int(self.first_month[:4]) * 12 + int(self.first_month[5:]) + self.months - 2, 12)
        return f"{years:04d}-{place + 1:02d}"


def unknown_preferences(settings: SyntheticSettings, written: CatalogueFile) -> list[tuple[str, str]]:
    """List archetypes and the departments they have preferences for that the catalogue does not have."""
    known = set(written.department_names)
    return [(kind.name, name) for kind in settings.archetypes for name in kind.departments if name not in known]


def _packaged_archetypes(profile: str) -> tuple[ArchetypeSettings, ...]:
    return read_shop_profile(profile).archetypes


def _not_in(department: str, name: str, departments: tuple[str, ...]) -> str:
    """Say that a named department is none of the catalogue, and which is closest."""
    return f"names the department '{department}', which {name} does not have; {closest_hint(department, departments)}"


SETTLED_STATES = ("active", "loyal", "vip", "deal_seeker", "returner")
"""States a customer stays in for long."""
