"""Kinds of shop: the archetypes of a profile of the built-in shop, packaged or from a file of one's own."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from segmentation_assets.config.section import Section

Probability = Annotated[float, Field(ge=0, le=1)]


class ArchetypeSettings(Section):
    """What the customers of one archetype have in common; each one scatters around it."""

    name: str = Field(min_length=1, description="name of the archetype, in the truth only")
    share: float = Field(ge=0, description="weight among all customers")
    orders_per_month: float = Field(
        ge=0,
        le=10,
        description="mean orders of an active customer in an ordinary month; nobody has more than 98 in a month",
    )
    rate_shape: int = Field(4, ge=1, le=50, description="shape of the gamma distribution of order rates; 1 is uneven")
    stays_months: float = Field(12.0, ge=1, description="mean months until a settled customer starts to slip")
    one_order_share: Probability = Field(0.2, description="share of newcomers who never order again")
    established_share: Probability = Field(0.4, description="share of customers from before the first month")
    lines_per_order: float = Field(3.0, ge=1, le=15, description="mean lines of an order")
    units: float = Field(0.15, ge=0, le=20, description="mean units of a line beyond the first")
    price_tilt: float = Field(1.0, gt=0, le=20, description="above 1 prefers cheap products, below 1 expensive ones")
    discount_probability: Probability = Field(
        0.15,
        description="probability that an active customer buys a line at a discount; 2.6 times as probable for deal "
        "seekers, less for VIPs, 1.4 times in November, and never above 1",
    )
    return_probability: Probability = Field(
        0.015,
        description="probability that a line of an active customer comes back, times the department's return_factor; "
        "13 times as probable for returners, and never above 1",
    )
    settles_as: dict[str, float] = Field(description="settled state: weight")
    departments: dict[str, float] = Field(
        default={},
        description="department: preference; 1 where it is not named, and 0 is never bought. Who prefers nothing that "
        "is on sale orders nothing",
    )


class ShopProfile(Section):
    """A kind of shop, as a file in `segmentation_assets/config/shops` or one of your own describes it."""

    description: str = Field("", description="what kind of shop it is")
    outlier_share: Probability = Field(0.002, description="as synthetic.outlier_share")
    archetypes: tuple[ArchetypeSettings, ...] = Field(min_length=1, description="as synthetic.archetypes")


def shop_profile_names() -> tuple[str, ...]:
    """Return the names of the packaged kinds of shop."""
    folder = files("segmentation_assets.config").joinpath("shops")
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def is_shop_profile_file(name: str) -> bool:
    """Whether a profile of the shop is named by its file."""
    return name.endswith((".yaml", ".yml"))


def read_shop_profile(name: str) -> ShopProfile:
    """Read a packaged kind of shop, or one of your own from a YAML file.

    Raises
    ------
    ValueError
        There is none of that name, or the file is no profile.
    """
    import yaml

    if is_shop_profile_file(name):
        source: Traversable = Path(name)
    elif name in shop_profile_names():
        source = files("segmentation_assets.config").joinpath("shops", f"{name}.yaml")
    else:
        raise ValueError(f"'{name}' is no kind of shop; there are {', '.join(shop_profile_names())}, or write a file")
    try:
        return ShopProfile.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise ValueError(f"{name} cannot be read: {problem}") from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"{name}: {place}: {first['msg']}, got {first['input']!r:.80}") from problem


def check_shop_profile(name: str) -> str:
    """Accept names of packaged profiles, and files that are one."""
    read_shop_profile(name)
    return name
