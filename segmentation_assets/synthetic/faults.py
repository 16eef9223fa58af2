"""Faults of real files, planted into the synthetic shop's delivery at set rates, and counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segmentation_assets.config.synthetic import FaultSettings
from segmentation_assets.synthetic.draws import Draws

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

NON_PRODUCT_CODES = (
    "POST",
    "DOT",
    "M",
    "C2",
    "D",
    "S",
    "BANK CHARGES",
    "AMAZONFEE",
    "ADJUST",
    "TEST001",
    "GIFT_0001_20",
)
"""Codes of the built-in shop that are no products; the mapping names them."""

ADJUSTMENT_PREFIX = "A"
_ADJUSTMENT_CODE = "B"
_LARGEST_ADJUSTMENT = 50_000
_GIANT_UNITS = (50_000, 80_000)
_MINUTES_TO_CANCELLATION = 12
_LAST_DAYS = 3
_MOST_WRITTEN_OFF = 40
_LARGEST_FEE = 30.0
_BLANKED = ("birth_year", "gender", "household_size", "acquisition_channel")


@dataclass
class FaultPlanter:
    """Plants faults into frames of a delivery, month by month.

    Parameters
    ----------
    draws : Draws
    settings : FaultSettings
    counts : list of tuple of (str, str, int)
        Month as YYYY-MM, fault, and rows planted so far; rates of 0 are left out.
    """

    draws: Draws
    settings: FaultSettings
    counts: list[tuple[str, str, int]] = field(default_factory=list)
    _redelivered: pd.DataFrame | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is planted at all."""
        names = set(FaultSettings.model_fields) - {"preset"}
        return all(self.settings.rate(name) == 0 for name in names)

    def plant_lines(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Return a month's order lines with faults; what is appended is sorted in by instant.

        Parameters
        ----------
        lines : DataFrame
            As in `BusinessMonth`.
        month : str
            The month as YYYY-MM.
        """
        import pandas as pd

        if self.is_idle or lines.empty:
            return lines
        texts = lines.select_dtypes("category").columns
        clean = lines.astype(dict.fromkeys(texts, object))
        overlap = self._redelivered
        if overlap is not None:
            self._count(month, "redelivered", len(overlap))
        changed = self._vary_codes(self._free(self._hide_customers(clean, month), month), month)
        self._redelivered = self._choose_redelivered(changed, month)
        added = [
            self._return_unbought(changed, month),
            self._write_off(changed, month),
            self._charge(changed, month),
            self._order_giant(changed, month),
            self._adjust(changed, month),
            self._repeat(changed, month),
        ]
        whole = pd.concat([frame for frame in (overlap, changed, *added) if frame is not None and len(frame)])
        return whole.sort_values("order_at", kind="stable", ignore_index=True)

    def plant_customers(self, customers: pd.DataFrame, month: str) -> pd.DataFrame:
        """Leave demographic fields of a month's new customers blank."""
        import numpy as np

        rate = self.settings.rate("blank_fields")
        if rate == 0 or customers.empty:
            return customers
        numbers = customers["customer_id"].str[1:].astype(np.int64).to_numpy()
        blanks = {name: self.draws.uniform(f"blank {name}", numbers) < rate for name in _BLANKED}
        self._count(month, "blank_fields", int(sum(blank.sum() for blank in blanks.values())))
        return customers.assign(
            **{name: customers[name].astype(object).mask(blank, None) for name, blank in blanks.items()}
        )

    def plant_products(self, products: pd.DataFrame, month: str) -> pd.DataFrame:
        """Surround names of a month's new products with blanks, and misread those with accents."""
        import numpy as np
        import pandas as pd

        if products.empty:
            return products
        numbers = pd.util.hash_array(products["product_id"].to_numpy(dtype=object)) >> np.uint64(1)
        padded = self.draws.uniform("padded name", numbers) < self.settings.rate("padded_names")
        has_accent = ~products["product_name"].map(str.isascii).to_numpy(dtype=bool)
        broken = has_accent & (self.draws.uniform("broken name", numbers) < self.settings.rate("broken_names"))
        names = products["product_name"]
        misread = names.str.encode("utf-8").str.decode("latin-1")
        names = names.mask(broken, misread)
        names = names.mask(padded, " " + names + "  ")
        self._count(month, "padded_names", int(padded.sum()))
        self._count(month, "broken_names", int(broken.sum()))
        return products.assign(product_name=names)

    def counts_frame(self) -> pd.DataFrame:
        """Planted rows: ``month``, ``fault``, ``row_count``."""
        import pandas as pd

        return pd.DataFrame(self.counts, columns=["month", "fault", "row_count"])

    def _count(self, month: str, fault: str, rows: int) -> None:
        if self.settings.rate(fault) > 0:
            self.counts.append((month, fault, rows))

    def _hits(self, fault: str, lines: pd.DataFrame, *, by_order: bool = False) -> NDArray[np.bool_]:
        """Whether a fault strikes each line; with `by_order` all lines of an order, and their returns, alike."""
        import numpy as np

        orders = lines["order_id"].str[1:].astype(np.int64).to_numpy()
        keys = orders if by_order else _line_keys(lines, orders)
        return self.draws.uniform(f"fault {fault}", keys) < self.settings.rate(fault)

    def _hide_customers(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Take the customer off some orders."""
        hits = self._hits("guests", lines, by_order=True)
        self._count(month, "guests", int(hits.sum()))
        return lines.assign(customer_id=lines["customer_id"].astype(object).mask(hits, None))

    def _free(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        hits = self._hits("free_lines", lines) & (lines["quantity"] > 0).to_numpy()
        self._count(month, "free_lines", int(hits.sum()))
        return lines.assign(unit_price=lines["unit_price"].mask(hits, 0.0))

    def _vary_codes(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Write some codes in lower case, with a blank behind, or as a spreadsheet would."""
        import numpy as np

        hits = self._hits("code_variants", lines)
        rows = np.flatnonzero(hits)
        codes = lines["product_id"].to_numpy(dtype=object).copy()
        kinds = rows % 3
        chosen = lines["product_id"].iloc[rows].astype(str)
        variants = np.select(
            [kinds == 0, kinds == 1], [chosen.str.lower(), chosen + " "], default=chosen.str.lstrip("0")
        )
        codes[rows] = variants
        self._count(month, "code_variants", int((variants != chosen.to_numpy()).sum()))
        return lines.assign(product_id=codes)

    def _choose_redelivered(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Choose the orders that the next month's file holds again."""
        import pandas as pd

        end = pd.Timestamp(f"{month}-01") + pd.offsets.MonthBegin(1)
        is_last = (lines["order_at"] >= end - pd.Timedelta(days=_LAST_DAYS)).to_numpy()
        return lines[self._hits("redelivered", lines, by_order=True) & is_last]

    def _return_unbought(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Return goods that were never bought by the customer: those of another line."""
        import numpy as np

        rows = np.flatnonzero(self._hits("unmatched_returns", lines))
        others = lines.iloc[(rows + len(lines) // 2) % len(lines)]
        self._count(month, "unmatched_returns", len(rows))
        taken = ["product_id", "unit_price", "list_price", "cost_price", "brand"]
        back = lines.iloc[rows].assign(**{name: others[name].to_numpy() for name in taken})
        return back.assign(order_id="RU" + back["order_id"].str[1:], quantity=-1)

    def _write_off(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Write stock off: negative quantity, price 0, nobody's."""
        import numpy as np

        rows = np.flatnonzero(self._hits("write_offs", lines))
        self._count(month, "write_offs", len(rows))
        off = lines.iloc[rows]
        return off.assign(
            order_id="W" + off["order_id"].str[1:],
            customer_id=None,
            quantity=-(1 + rows % _MOST_WRITTEN_OFF),
            unit_price=0.0,
        )

    def _charge(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Add a line of postage, fees or tests to some orders."""
        import numpy as np

        first = lines[~lines["order_id"].duplicated().to_numpy() & (lines["quantity"] > 0).to_numpy()]
        hits = np.flatnonzero(self._hits("non_product_lines", first, by_order=True))
        charged = first.iloc[hits]
        self._count(month, "non_product_lines", len(hits))
        numbers = charged["order_id"].str[1:].astype(np.int64).to_numpy()
        position = self.draws.uniform("non-product code", numbers) ** 2
        codes = np.array(NON_PRODUCT_CODES, dtype=object)[(position * len(NON_PRODUCT_CODES)).astype(np.int64)]
        fees = np.round(1 + _LARGEST_FEE * self.draws.uniform("fee", numbers), 2)
        return charged.assign(product_id=codes, quantity=1, unit_price=fees, list_price=fees, cost_price=fees)

    def _order_giant(self, lines: pd.DataFrame, month: str) -> pd.DataFrame | None:
        """Order an absurd number of units and cancel it minutes later."""
        import pandas as pd

        place = self._monthly("giant_orders", month, len(lines))
        if place is None:
            return None
        low, high = _GIANT_UNITS
        ordered = lines.iloc[[place]].assign(
            order_id="SG" + lines["order_id"].iloc[place][1:], quantity=low + place % (high - low)
        )
        cancelled = ordered.assign(
            order_id="RG" + lines["order_id"].iloc[place][1:],
            order_at=ordered["order_at"] + pd.Timedelta(minutes=_MINUTES_TO_CANCELLATION),
            quantity=-ordered["quantity"],
        )
        return pd.concat([ordered, cancelled])

    def _adjust(self, lines: pd.DataFrame, month: str) -> pd.DataFrame | None:
        """Add a book-keeping entry over a large negative amount."""
        place = self._monthly("adjustments", month, len(lines))
        if place is None:
            return None
        amount = -float(1 + place % _LARGEST_ADJUSTMENT)
        return lines.iloc[[place]].assign(
            order_id=ADJUSTMENT_PREFIX + lines["order_id"].iloc[place][1:],
            customer_id=None,
            product_id=_ADJUSTMENT_CODE,
            quantity=1,
            unit_price=amount,
            list_price=amount,
            cost_price=0.0,
        )

    def _repeat(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        hits = self._hits("duplicate_lines", lines)
        self._count(month, "duplicate_lines", int(hits.sum()))
        return lines[hits]

    def _monthly(self, fault: str, month: str, n_lines: int) -> int | None:
        """Row at which a fault strikes that happens at most once a month."""
        import numpy as np

        key = np.array([int(month.replace("-", ""))], dtype=np.int64)
        strikes = bool(self.draws.uniform(f"fault {fault}", key)[0] < self.settings.rate(fault))
        self._count(month, fault, int(strikes))
        return int(self.draws.uniform(f"row of {fault}", key)[0] * n_lines) if strikes else None


def _line_keys(lines: pd.DataFrame, orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keys of lines by order and product, apart for returns."""
    import numpy as np
    import pandas as pd

    codes = pd.util.hash_array(lines["product_id"].to_numpy(dtype=object)) % np.uint64(2**18)
    keys: NDArray[np.int64] = orders * 2**19 + codes.astype(np.int64) * 2 + (lines["quantity"] < 0).to_numpy()
    return keys
