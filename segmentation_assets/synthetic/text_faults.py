"""Faults of the product texts on the synthetic shop's order lines: second texts, notes of the staff, and none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segmentation_assets.config.shop_faults import FaultSettings
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.line_keys import LINE_KEY

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_NOTES = ("check", "?", "damaged", "wet", "thrown away", "sold as set", "missing", "wrong label")


def vary_texts(texts: pd.Series, rows: NDArray[np.int64]) -> NDArray[np.object_]:
    """Write the texts of some rows in capitals and without their last part, such as the size."""
    varied: NDArray[np.object_] = texts.to_numpy(dtype=object).copy()
    varied[rows] = texts.iloc[rows].str.rsplit(", ", n=1).str[0].str.upper()
    return varied


def note_texts(
    draws: Draws, settings: FaultSettings, off: pd.DataFrame
) -> tuple[NDArray[np.object_], dict[str, NDArray[np.bool_]]]:
    """Put notes of the staff in place of some texts of written-off lines, and nothing in place of others.

    Returns
    -------
    tuple of (ndarray of str or None, dict of str to ndarray of bool)
        Texts; fault → the lines that it strikes. A line with a note has a text.
    """
    import numpy as np

    keys = off[LINE_KEY].to_numpy()
    drawn, noted = draws.uniform("text of a write-off", keys), settings.rate("staff_notes")
    is_noted, is_blank = drawn < noted, (drawn >= noted) & (drawn < noted + settings.rate("blank_texts"))
    notes = np.array(_NOTES, dtype=object)[(len(_NOTES) * draws.uniform("note", keys)).astype(np.int64)]
    texts = np.select([is_noted, is_blank], [notes, np.array(None)], default=off["product_name"].to_numpy(dtype=object))
    return texts, {"staff_notes": is_noted, "blank_texts": is_blank}
