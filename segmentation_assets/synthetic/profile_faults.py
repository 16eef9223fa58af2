"""Faults of the synthetic shop's customers and products: blank fields, and names that are blank, padded or misread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.config.shop_faults import FaultSettings
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.line_keys import customer_numbers

if TYPE_CHECKING:
    import pandas as pd

_BLANKED = ("birth_year", "gender", "household_size", "acquisition_channel")


def blank_fields(draws: Draws, settings: FaultSettings, customers: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Leave demographic fields of customers blank; count the fields."""
    rate = settings.rate("blank_fields")
    if rate == 0:
        return customers, 0
    numbers = customer_numbers(customers["customer_id"])
    blanks = {name: draws.uniform(f"blank {name}", numbers) < rate for name in _BLANKED}
    blanked = customers.assign(
        **{name: customers[name].astype(object).mask(blank, None) for name, blank in blanks.items()}
    )
    return blanked, int(sum(blank.sum() for blank in blanks.values()))


def spoil_names(draws: Draws, settings: FaultSettings, products: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave names of products out, surround others with blanks, and misread those with accents; count the products."""
    import numpy as np
    import pandas as pd

    if products.empty:
        return products, {}
    numbers = pd.util.hash_array(products["product_id"].to_numpy(dtype=object)) >> np.uint64(1)
    names = products["product_name"]
    missing = draws.uniform("missing name", numbers) < settings.rate("missing_names")
    named = 1 - settings.rate("missing_names")
    padded = ~missing & (draws.uniform("padded name", numbers) * named < settings.rate("padded_names"))
    has_accent = ~names.map(str.isascii).to_numpy(dtype=bool)
    broken = ~missing & has_accent & (draws.uniform("broken name", numbers) * named < settings.rate("broken_names"))
    misread = names.str.encode("utf-8").str.decode("latin-1")
    names = names.mask(broken, misread)
    names = names.mask(padded, " " + names + "  ").astype(object).mask(missing, None)
    counts = {"missing_names": missing, "padded_names": padded, "broken_names": broken}
    return products.assign(product_name=names), {name: int(hits.sum()) for name, hits in counts.items()}
