"""Categories as numbers: the categories are fitted once; what was not seen then counts as ``other``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from segmentation_assets.tables.slugs import REST, slug

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


@dataclass(frozen=True)
class Encoding:
    """How a feature that is a category becomes numbers.

    Parameters
    ----------
    feature : str
    method : str
        ``one_hot``: a column of zeros and ones per category; ``ordinal``: the place of the category.
    categories : tuple of str
        Those with a place of their own, most frequent first, equally frequent ones by the alphabet.
    rare : tuple of str
        The other categories seen in fitting; they count as ``other``, which comes last.
    """

    feature: str
    method: Literal["one_hot", "ordinal"]
    categories: tuple[str, ...]
    rare: tuple[str, ...]

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Encoding:
        """Rebuild from plain lists and texts."""
        return cls(**(plain | {name: tuple(plain[name]) for name in ("categories", "rare")}))

    def encode(self, categories: Sequence[str]) -> dict[str, npt.NDArray[np.float64]]:
        """Make the columns, by name; each of shape (n_customers,)."""
        import numpy as np

        places = self._places(categories)
        if self.method == "ordinal":
            return {self.feature: places.astype(np.float64)}
        return {name: (places == place).astype(np.float64) for place, name in enumerate(self.column_names)}

    def count_other(self, categories: Sequence[str]) -> dict[str, int]:
        """Count the customers whose category counts as ``other``: rare in fitting, or not seen then."""
        import pandas as pd

        is_rare = pd.Series(categories).isin(self.rare).to_numpy()
        is_other = self._places(categories) == len(self.categories)
        counts = {"rare_category": int(is_rare.sum()), "unseen_category": int((is_other & ~is_rare).sum())}
        return {kind: count for kind, count in counts.items() if count}

    @property
    def column_names(self) -> tuple[str, ...]:
        """Columns it makes, such as ``gender_is_female``.

        Categories that share a word are numbered by the alphabet, as frequencies change; ``other`` keeps its word.
        """
        if self.method == "ordinal":
            return (self.feature,)
        words: list[str] = []
        names = {}
        for category in (REST, *sorted(self.categories)):
            words.append(f"{self.feature}_is_{slug(category)}")
            number = words.count(words[-1])
            names[category] = words[-1] if number == 1 else f"{words[-1]}__{number}"
        return tuple(names[category] for category in (*self.categories, REST))

    def _places(self, categories: Sequence[str]) -> npt.NDArray[np.int64]:
        """Place of each category, that of ``other`` where it has none of its own."""
        import numpy as np
        import pandas as pd

        found = pd.Index(list(self.categories), dtype="object").get_indexer(pd.Index(categories, dtype="object"))
        places: npt.NDArray[np.int64] = np.where(found < 0, len(self.categories), found)
        return places


def fit_encoding(
    feature: str, categories: pd.Series, method: Literal["one_hot", "ordinal"], max_categories: int
) -> Encoding:
    """Determine which categories of a feature get a place of their own.

    Parameters
    ----------
    feature : str
    categories : Series of str, shape (n_customers,)
        Complete; the order of rows does not matter.
    method : str
    max_categories : int
        Those that get a place at most. One that is called ``other`` gets none of its own.

    Returns
    -------
    Encoding
    """
    counts = categories.value_counts()
    ranked = sorted(map(str, counts.index), key=lambda category: (-int(counts[category]), category))
    chosen = [category for category in ranked if category != REST][:max_categories]
    rare = tuple(category for category in ranked if category not in set(chosen))
    return Encoding(feature, method, tuple(chosen), rare)
