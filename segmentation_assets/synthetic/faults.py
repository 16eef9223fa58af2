"""Faults of real files, planted into the synthetic shop's delivery at set rates, and counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segmentation_assets.config.synthetic import FaultSettings
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.line_keys import (
    CUSTOMER_NUMBER,
    LINE_KEY,
    ORDER_NUMBER,
    customer_numbers,
    purchase_keys,
    with_keys,
)

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
_ODD_COUNTRIES = ("Unspecified", "European Community", "EIRE")
_MINUTES_APART = 2
_LAST_HOUR = 23
_FIRST_CUSTOMERS = 10
"""Customers that every shop has: what happens once a month happens to them, however many others there are."""

_UNBOUGHT_TRIES = 8
_CHANGED = ("order_id", "customer_id", "product_id", "country", "brand")
"""Columns of lines in which other texts may come to stand than the shop itself has."""

_BLANKED = ("birth_year", "gender", "household_size", "acquisition_channel")


@dataclass
class FaultPlanter:
    """Plants faults into frames of a delivery, month by month.

    Parameters
    ----------
    draws : Draws
    settings : FaultSettings
    goods : DataFrame
        Products that every month sells: ``product_id``, ``list_price``, ``cost_price`` and ``brand``.
    counts : list of tuple of (str, str, int)
        Month as YYYY-MM, fault, and rows planted so far; rates of 0 are left out.
    """

    draws: Draws
    settings: FaultSettings
    goods: pd.DataFrame
    counts: list[tuple[str, str, int]] = field(default_factory=list)
    _bought: list[NDArray[np.int64]] = field(default_factory=list)
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
        clean = with_keys(lines.astype(dict.fromkeys(_CHANGED, object)))
        overlap = self._redelivered
        if overlap is not None:
            self._count(month, "redelivered", len(overlap))
        changed = self._change(clean, month)
        self._note_purchases(clean)
        plain = changed[_is_unchanged(clean, changed)]
        often = plain[((plain[CUSTOMER_NUMBER] <= _FIRST_CUSTOMERS) & (plain["quantity"] > 0)).to_numpy()]
        added = [
            self._return_unbought(plain, month),
            self._write_off(plain, month),
            self._charge(plain, month),
            self._order_giant(often, month),
            self._adjust(often, month),
            self._repeat(plain, month),
        ]
        whole = pd.concat([frame for frame in (overlap, changed, *added) if frame is not None and len(frame)])
        self._redelivered = whole[whole["order_id"].isin(self._choose_redelivered(changed, month))]
        written = self._write_decimals(whole.sort_values("order_at", kind="stable", ignore_index=True), month)
        return written[list(lines.columns)]

    def _change(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Change lines in place: their customer, price, country, instant and code."""
        for change in (self._hide_customers, self._free, self._misplace, self._set_apart, self._vary_codes):
            lines = change(lines, month)
        return lines

    def write_ids(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Give some customers an id that is a number, in whatever table they stand."""
        rate = self.settings.rate("mixed_ids")
        if rate == 0:
            return frame
        hits = self.draws.uniform("number id", customer_numbers(frame["customer_id"])) < rate
        return frame.assign(customer_id=_as_number(frame["customer_id"], hits))

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
        keys = lines[ORDER_NUMBER if by_order else LINE_KEY].to_numpy()
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
        chosen = lines["product_id"].iloc[rows].astype(str)
        kinds = (3 * self.draws.uniform("kind of variant", lines[LINE_KEY].to_numpy()[rows])).astype(np.int64)
        variants = np.select(
            [kinds == 0, kinds == 1], [chosen.str.lower(), chosen + " "], default=chosen.str.lstrip("0")
        )
        codes[rows] = variants
        self._count(month, "code_variants", int((variants != chosen.to_numpy()).sum()))
        return lines.assign(product_id=codes)

    def _choose_redelivered(self, lines: pd.DataFrame, month: str) -> pd.Series:
        """Choose the orders that the next month's file holds again, with all that was added to them."""
        import pandas as pd

        end = pd.Timestamp(f"{month}-01") + pd.offsets.MonthBegin(1)
        is_last = (lines["order_at"] >= end - pd.Timedelta(days=_LAST_DAYS)).to_numpy()
        return lines["order_id"][self._hits("redelivered", lines, by_order=True) & is_last]

    def _misplace(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Write a country that is none, or not as others write it."""
        import numpy as np

        hits = self._hits("odd_countries", lines, by_order=True)
        self._count(month, "odd_countries", int(hits.sum()))
        kinds = (len(_ODD_COUNTRIES) * self.draws.uniform("odd country", lines[ORDER_NUMBER].to_numpy())).astype(
            np.int64
        )
        return lines.assign(country=np.where(hits, np.array(_ODD_COUNTRIES, dtype=object)[kinds], lines["country"]))

    def _set_apart(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Enter the last line of some orders of several lines minutes later, on the same day."""
        import pandas as pd

        orders = lines[ORDER_NUMBER] * 2 + (lines["quantity"] < 0)
        is_last = (orders.duplicated() & ~orders.duplicated(keep="last")).to_numpy()
        is_early = (lines["order_at"].dt.hour < _LAST_HOUR).to_numpy()
        hits = is_last & is_early & self._hits("split_times", lines, by_order=True)
        self._count(month, "split_times", int(hits.sum()))
        later = lines["order_at"] + pd.Timedelta(minutes=_MINUTES_APART)
        return lines.assign(order_at=lines["order_at"].mask(hits, later.astype(lines["order_at"].dtype)))

    def _write_decimals(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Write the ids that are numbers with a decimal in half of their orders, as a spreadsheet does."""
        rate = self.settings.rate("mixed_ids")
        if rate == 0:
            return lines
        hits = self.draws.uniform("number id", lines[CUSTOMER_NUMBER].to_numpy()) < rate
        ids = _as_number(lines["customer_id"], hits)
        hits &= (self.draws.uniform("decimal id", lines[ORDER_NUMBER].to_numpy()) < 1 / 2) & ids.notna().to_numpy()
        self._count(month, "mixed_ids", int(hits.sum()))
        ids[hits] = ids[hits] + ".0"
        return lines.assign(customer_id=ids)

    def _note_purchases(self, lines: pd.DataFrame) -> None:
        """Remember who had what, by month, where that is needed."""
        import numpy as np

        if self.settings.rate("unmatched_returns") > 0:
            keys = purchase_keys(lines[CUSTOMER_NUMBER].to_numpy(), lines["product_id"].to_numpy(dtype=object))
            self._bought.append(np.unique(keys))

    def _was_bought(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        import numpy as np

        found = np.zeros(len(keys), dtype=bool)
        for bought in self._bought:
            found |= bought[np.minimum(np.searchsorted(bought, keys), len(bought) - 1)] == keys
        return found

    def _return_unbought(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Return goods that the customer never had; who had all that was tried returns nothing."""
        import numpy as np

        back = lines[(lines["quantity"] > 0).to_numpy() & self._hits("unmatched_returns", lines)]
        keys, customers = back[LINE_KEY].to_numpy(), back[CUSTOMER_NUMBER].to_numpy()
        codes = self.goods["product_id"].to_numpy(dtype=object)
        chosen = np.full(len(back), -1)
        for attempt in range(_UNBOUGHT_TRIES):
            tried = (len(codes) * self.draws.uniform(f"unbought goods {attempt}", keys)).astype(np.int64)
            is_new = ~self._was_bought(purchase_keys(customers, codes[tried]))
            chosen = np.where((chosen < 0) & is_new, tried, chosen)
        back, goods = back[chosen >= 0], self.goods.iloc[chosen[chosen >= 0]]
        self._count(month, "unmatched_returns", len(back))
        taken = {name: goods[name].to_numpy() for name in ("product_id", "list_price", "cost_price", "brand")}
        return back.assign(
            **taken, unit_price=taken["list_price"], order_id="RU" + back["order_id"].str[1:], quantity=-1
        )

    def _write_off(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Write stock off: negative quantity, price 0, nobody's."""
        import numpy as np

        rows = np.flatnonzero(self._hits("write_offs", lines))
        self._count(month, "write_offs", len(rows))
        off = lines.iloc[rows]
        units = 1 + (_MOST_WRITTEN_OFF * self.draws.uniform("units written off", off[LINE_KEY].to_numpy())).astype(
            np.int64
        )
        return off.assign(
            order_id="W" + off["order_id"].str[1:],
            customer_id=None,
            quantity=-units,
            unit_price=0.0,
        )

    def _charge(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Add a line of postage, fees or tests to some orders."""
        import numpy as np

        orders = lines[ORDER_NUMBER].where(lines["quantity"] > 0, -1)
        first = lines[(~orders.duplicated() & (orders >= 0)).to_numpy()]
        hits = np.flatnonzero(self._hits("non_product_lines", first, by_order=True))
        charged = first.iloc[hits]
        self._count(month, "non_product_lines", len(hits))
        numbers = charged[ORDER_NUMBER].to_numpy()
        position = self.draws.uniform("non-product code", numbers) ** 2
        codes = np.array(NON_PRODUCT_CODES, dtype=object)[(position * len(NON_PRODUCT_CODES)).astype(np.int64)]
        fees = np.round(1 + _LARGEST_FEE * self.draws.uniform("fee", numbers), 2)
        return charged.assign(product_id=codes, quantity=1, unit_price=fees, list_price=fees, cost_price=fees)

    def _order_giant(self, lines: pd.DataFrame, month: str) -> pd.DataFrame | None:
        """Order an absurd number of units and cancel it minutes later."""
        import pandas as pd

        chosen = self._monthly("giant_orders", month, lines)
        if chosen is None:
            return None
        low, high = _GIANT_UNITS
        numbers = chosen["order_id"].str[1:]
        units = low + int((high - low) * self.draws.uniform("giant units", chosen[LINE_KEY].to_numpy())[0])
        ordered = chosen.assign(order_id="SG" + numbers, quantity=units)
        cancelled = ordered.assign(
            order_id="RG" + numbers,
            order_at=ordered["order_at"] + pd.Timedelta(minutes=_MINUTES_TO_CANCELLATION),
            quantity=-ordered["quantity"],
        )
        return pd.concat([ordered, cancelled])

    def _adjust(self, lines: pd.DataFrame, month: str) -> pd.DataFrame | None:
        """Add a book-keeping entry over a large negative amount."""
        chosen = self._monthly("adjustments", month, lines)
        if chosen is None:
            return None
        amount = -float(1 + int(_LARGEST_ADJUSTMENT * self.draws.uniform("adjusted", chosen[LINE_KEY].to_numpy())[0]))
        return chosen.assign(
            order_id=ADJUSTMENT_PREFIX + chosen["order_id"].str[1:],
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

    def _monthly(self, fault: str, month: str, lines: pd.DataFrame) -> pd.DataFrame | None:
        """Choose the line at which a fault strikes that happens at most once a month."""
        import numpy as np

        key = np.array([int(month.replace("-", ""))], dtype=np.int64)
        strikes = len(lines) > 0 and bool(self.draws.uniform(f"fault {fault}", key)[0] < self.settings.rate(fault))
        self._count(month, fault, int(strikes))
        return (
            lines.iloc[[int(self.draws.uniform(f"row of {fault}", lines[LINE_KEY].to_numpy()).argmin())]]
            if strikes
            else None
        )


def _is_unchanged(clean: pd.DataFrame, changed: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether a line has no fault yet, so that what is added to it counts under its own name alone."""
    import numpy as np

    names = ("customer_id", "unit_price", "country", "order_at", "product_id")
    same: NDArray[np.bool_] = np.all([(changed[name] == clean[name]).to_numpy(dtype=bool) for name in names], axis=0)
    return same


def _as_number(ids: pd.Series, hits: NDArray[np.bool_]) -> pd.Series:
    """Write some ids as numbers; guests have none."""
    ids = ids.astype(object)
    ids[hits] = "1" + ids[hits].str[1:]
    return ids
