"""Faults of real files, planted into the synthetic shop's delivery at set rates, and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segmentation_assets.config.shop_faults import REAL_RATES, FaultSettings
from segmentation_assets.synthetic.added_lines import (
    adjust,
    cancel,
    charge,
    order_giant,
    return_unbought,
    write_off,
)
from segmentation_assets.synthetic.draws import Draws
from segmentation_assets.synthetic.line_keys import (
    CUSTOMER_NUMBER,
    LINE_KEY,
    ORDER_NUMBER,
    customer_numbers,
    purchase_keys,
    with_keys,
)
from segmentation_assets.synthetic.profile_faults import blank_fields, spoil_names
from segmentation_assets.synthetic.shop import BusinessMonth
from segmentation_assets.synthetic.text_faults import note_texts, vary_texts
from segmentation_assets.synthetic.unfinished import cut_short

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_LAST_DAYS = 3
_ODD_COUNTRIES = ("Unspecified", "European Community", "EIRE")
_MINUTES_APART = 2
_TINY_PRICES = (0.001, 0.003, 0.0075)
_FIRST_CUSTOMERS = 10
"""Customers that every shop has: what happens once a month happens to them, however many others there are."""

_MARKS = "marks"
_BITS = {fault: 1 << place for place, fault in enumerate(REAL_RATES)}
"""Fault → its bit in the marks of a line, which tell what the line shows."""

_OF_CUSTOMERS = _BITS["return_only_customers"] | _BITS["refunded_customers"]
"""Marks of what a line shows only while it is seen to be a return, and whose."""

_CHANGED = ("order_id", "customer_id", "product_id", "country", "brand", "product_name")
"""Columns of lines in which other texts may come to stand than the shop itself has."""


@dataclass
class FaultPlanter:
    """Plants faults into frames of a delivery, month by month.

    Parameters
    ----------
    draws : Draws
    settings : FaultSettings
    goods : callable
        Month as YYYY-MM → products that every month sells, at the prices of this one: ``product_id``,
        ``product_name``, ``list_price``, ``cost_price`` and ``brand``.
    last_month : str
        Month as YYYY-MM that may be cut short.
    counts : list of tuple of (str, str, int)
        Month as YYYY-MM, fault, and delivered rows that show it; rates of 0 are left out. A row that shows several
        counts for each. A row that is delivered again counts as redelivered alone, as all else of it was counted. Of a
        month that is cut short the rows that are missing count.
    """

    draws: Draws
    settings: FaultSettings
    goods: Callable[[str], pd.DataFrame]
    last_month: str = ""
    counts: list[tuple[str, str, int]] = field(default_factory=list)
    _bought: list[NDArray[np.int64]] = field(default_factory=list)
    _redelivered: pd.DataFrame | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is planted at all."""
        names = set(FaultSettings.model_fields) - {"preset"}
        return all(self.settings.rate(name) == 0 for name in names)

    def cut_short(self, made: BusinessMonth) -> BusinessMonth:
        """Cut the last month short, and count the rows that are missing."""
        rate = self.settings.rate("cut_last_month")
        if rate == 0 or made.month != self.last_month:
            return made
        left, missing = cut_short(made, rate)
        self._count(made.month, "cut_last_month", missing)
        return left

    def plant_lines(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Return a month's order lines with faults; what is appended is sorted in by instant.

        Parameters
        ----------
        lines : DataFrame
            As in `BusinessMonth`.
        month : str
            The month as YYYY-MM.
        """
        if self.is_idle or lines.empty:
            return lines
        texts = lines.columns.intersection(_CHANGED)
        planted = self._plant(with_keys(lines.astype(dict.fromkeys(texts, object))), month)
        return planted[list(lines.columns)].sort_values("order_at", kind="stable", ignore_index=True)

    def _plant(self, lines: pd.DataFrame, month: str) -> pd.DataFrame:
        """Change lines and add others, in no order; also keep what the next file holds again.

        Frames are given up as soon as they are used, since each is as large as the month.
        """
        import pandas as pd

        clean = self._keep_unpaid(self._turn_customers(lines.assign(**{_MARKS: 0})))
        del lines
        self._note_purchases(clean)
        repeated = self._hits("duplicate_lines", clean)
        changed = self._change(clean, repeated)
        added = [*self._add(clean, month), self._charge(changed), self._mark(changed[repeated], "duplicate_lines")]
        chosen = self._choose_redelivered(changed, month)
        parts = [changed, *(frame for frame in added if len(frame))]
        del clean, changed, added
        new = pd.concat(parts, ignore_index=True)
        del parts
        new = self._write_numbers(new)
        for fault, bit in _BITS.items():
            self._count(month, fault, int((new[_MARKS].to_numpy() & bit).astype(bool).sum()))
        again = self._redelivered
        self._redelivered = new[new["order_id"].isin(chosen)]
        if again is None:
            return new
        self._count(month, "redelivered", len(again))
        return pd.concat([again, new])

    def write_ids(self, frame: pd.DataFrame, month: str | None = None) -> pd.DataFrame:
        """Give some customers an id that is a number, in whatever table they stand; count the rows of a month."""
        if self.settings.rate("mixed_ids") == 0:
            return frame
        hits = self._has_number(customer_numbers(frame["customer_id"]))
        if month is not None:
            self._count(month, "mixed_ids", int(hits.sum()))
        return frame.assign(customer_id=_as_number(frame["customer_id"], hits))

    def plant_customers(self, customers: pd.DataFrame, month: str) -> pd.DataFrame:
        """Leave demographic fields of a month's new customers blank."""
        blanked, fields = blank_fields(self.draws, self.settings, customers)
        self._count(month, "blank_fields", fields)
        return blanked

    def plant_products(self, products: pd.DataFrame, month: str) -> pd.DataFrame:
        """Leave out, pad and misread names of a month's new products."""
        spoilt, counts = spoil_names(self.draws, self.settings, products)
        for fault, rows in counts.items():
            self._count(month, fault, rows)
        return spoilt

    def counts_frame(self) -> pd.DataFrame:
        """Planted rows: ``month``, ``fault``, ``row_count``."""
        import pandas as pd

        counts = pd.DataFrame(self.counts, columns=["month", "fault", "row_count"])
        return counts.groupby(["month", "fault"], sort=False, as_index=False)["row_count"].sum()

    def _count(self, month: str, fault: str, rows: int) -> None:
        if rows > 0:
            self.counts.append((month, fault, rows))

    def _mark(self, lines: pd.DataFrame, fault: str, *, kept: int = -1) -> pd.DataFrame:
        """Mark lines with a fault, and keep those of the marks that they have which are in `kept`."""
        return lines.assign(**{_MARKS: lines[_MARKS] & kept | _BITS[fault]})

    def _hits(
        self, fault: str, lines: pd.DataFrame, *, by_order: bool = False, eligible: float = 1.0
    ) -> NDArray[np.bool_]:
        """Whether a fault strikes each line; with `by_order` all lines of an order, and their returns, alike.

        Where only a share of the lines is eligible, they are struck the more often.
        """
        keys = lines[ORDER_NUMBER if by_order else LINE_KEY].to_numpy()
        return self.draws.uniform(f"fault {fault}", keys) * eligible < self.settings.rate(fault)

    def _turn_customers(self, lines: pd.DataFrame) -> pd.DataFrame:
        """Let some customers only return, one thing for each order of theirs, and others cancel whatever they order."""
        import pandas as pd

        rates = [self.settings.rate(name) for name in ("return_only_customers", "refunded_customers")]
        if sum(rates) == 0:
            return lines
        numbers = lines[CUSTOMER_NUMBER].to_numpy()
        drawn = self.draws.uniform("fault of a customer", numbers)
        only_returns = (drawn < rates[0]) & (numbers > 1)
        is_refunded = ~only_returns & (drawn >= rates[0]) & (drawn < sum(rates))
        is_sold = (lines["quantity"] > 0).to_numpy()
        returned = lines[only_returns & is_sold]
        returned = cancel(returned[~returned[ORDER_NUMBER].duplicated().to_numpy()]).assign(quantity=-1)
        parts = [
            lines[~only_returns & (is_sold | ~is_refunded)],
            self._mark(returned, "return_only_customers"),
            self._mark(cancel(lines[is_refunded & is_sold]), "refunded_customers"),
        ]
        return pd.concat(parts, ignore_index=True)

    def _price_draws(self, lines: pd.DataFrame) -> NDArray[np.float64]:
        """Draws that decide on the price of purchases; a return has that of its purchase."""
        return self.draws.uniform("fault free_lines", lines[LINE_KEY].to_numpy() & ~1)

    def _keep_unpaid(self, lines: pd.DataFrame) -> pd.DataFrame:
        """Leave out returns of what cost nothing or next to nothing."""
        rate = self.settings.rate("free_lines") + self.settings.rate("tiny_prices")
        if rate == 0:
            return lines
        return lines[((lines["quantity"] > 0) | (self._price_draws(lines) >= rate)).to_numpy()].reset_index(drop=True)

    def _change(self, lines: pd.DataFrame, repeated: NDArray[np.bool_]) -> pd.DataFrame:
        """Change lines: their customer, price, country, instant, code, sign and text, a column each."""
        marks = lines[_MARKS].to_numpy().copy()
        columns = {
            "customer_id": self._hide_customers(lines, marks),
            "unit_price": self._lower_prices(lines, marks),
            "country": self._misplace(lines, marks),
            "order_at": self._set_apart(lines, repeated, marks),
            "product_id": self._vary_codes(lines, marks),
            "quantity": self._turn_signs(lines, marks),
        }
        if self.settings.rate("several_texts") > 0:
            columns["product_name"] = self._vary_texts(lines, marks)
        return lines.assign(**columns, **{_MARKS: marks})

    def _hide_customers(self, lines: pd.DataFrame, marks: NDArray[np.int64]) -> NDArray[np.object_]:
        """Take the customer off some orders; then nobody sees who only returned, or cancelled all they ordered."""
        hits = self._hits("guests", lines, by_order=True)
        marks |= hits * _BITS["guests"]
        marks[hits] &= ~_OF_CUSTOMERS
        ids: NDArray[np.object_] = lines["customer_id"].to_numpy(dtype=object).copy()
        ids[hits] = None
        return ids

    def _lower_prices(self, lines: pd.DataFrame, marks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sell some lines for nothing, and others for less than a hundredth."""
        import numpy as np

        free, tiny = self.settings.rate("free_lines"), self.settings.rate("tiny_prices")
        drawn, is_sold = self._price_draws(lines), (lines["quantity"] > 0).to_numpy()
        is_free = is_sold & (drawn < free)
        is_tiny = is_sold & ~is_free & (drawn < free + tiny)
        marks |= is_free * _BITS["free_lines"] | is_tiny * _BITS["tiny_prices"]
        kinds = (len(_TINY_PRICES) * self.draws.uniform("tiny price", lines[LINE_KEY].to_numpy())).astype(np.int64)
        prices = [np.zeros(len(lines)), np.array(_TINY_PRICES)[kinds]]
        return np.select([is_free, is_tiny], prices, default=lines["unit_price"].to_numpy())

    def _misplace(self, lines: pd.DataFrame, marks: NDArray[np.int64]) -> NDArray[np.object_]:
        """Write a country that is none, or not as others write it."""
        import numpy as np

        hits = self._hits("odd_countries", lines, by_order=True)
        marks |= hits * _BITS["odd_countries"]
        drawn = self.draws.uniform("odd country", lines[ORDER_NUMBER].to_numpy())
        odd = np.array(_ODD_COUNTRIES, dtype=object)[(len(_ODD_COUNTRIES) * drawn).astype(np.int64)]
        return np.where(hits, odd, lines["country"].to_numpy(dtype=object))

    def _set_apart(
        self, lines: pd.DataFrame, repeated: NDArray[np.bool_], marks: NDArray[np.int64]
    ) -> NDArray[np.datetime64]:
        """Enter the last line of some orders of several lines minutes later on the same day, unless it is repeated."""
        import numpy as np
        import pandas as pd

        orders = lines[ORDER_NUMBER] * 2 + (lines["quantity"] < 0)
        is_last = (orders.duplicated() & ~orders.duplicated(keep="last")).to_numpy()
        at = lines["order_at"].to_numpy()
        later = at + pd.Timedelta(minutes=_MINUTES_APART).to_timedelta64()
        eligible = is_last & ~repeated & (later.astype("datetime64[D]") == at.astype("datetime64[D]"))
        share = 1 - self.settings.rate("duplicate_lines")
        hits = eligible & self._hits("split_times", lines, by_order=True, eligible=share)
        marks |= hits * _BITS["split_times"]
        entered: NDArray[np.datetime64] = np.where(hits, later, at).astype(at.dtype)
        return entered

    def _vary_codes(self, lines: pd.DataFrame, marks: NDArray[np.int64]) -> NDArray[np.object_]:
        """Write some codes in lower case or as a spreadsheet would, and with a blank behind where neither differs."""
        import numpy as np

        rows = np.flatnonzero(self._hits("code_variants", lines))
        marks[rows] |= _BITS["code_variants"]
        codes: NDArray[np.object_] = lines["product_id"].to_numpy(dtype=object).copy()
        chosen = lines["product_id"].iloc[rows].astype(str)
        kinds = (3 * self.draws.uniform("kind of variant", lines[LINE_KEY].to_numpy()[rows])).astype(np.int64)
        variants = np.select([kinds == 0, kinds == 1], [chosen.str.lower(), chosen.str.lstrip("0")], default=chosen)
        codes[rows] = np.where(variants == chosen.to_numpy(), chosen + " ", variants)
        return codes

    def _vary_texts(self, lines: pd.DataFrame, marks: NDArray[np.int64]) -> NDArray[np.object_]:
        """Give some lines another product text than the others of their code have."""
        hits = self._hits("several_texts", lines)
        marks |= hits * _BITS["several_texts"]
        return vary_texts(lines["product_name"], hits.nonzero()[0])

    def _turn_signs(self, lines: pd.DataFrame, marks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Write the units of some returns without their sign; then nobody sees that these were returned."""
        import numpy as np

        units: NDArray[np.int64] = lines["quantity"].to_numpy()
        hits = (units < 0) & self._hits("positive_cancellations", lines)
        marks[hits] &= ~_OF_CUSTOMERS
        marks |= hits * _BITS["positive_cancellations"]
        return np.where(hits, -units, units)

    def _add(self, lines: pd.DataFrame, month: str) -> list[pd.DataFrame]:
        """Add lines of orders of their own, made of lines as they are without faults."""
        sold = lines[(lines["quantity"] > 0).to_numpy()]
        first = sold[(sold[CUSTOMER_NUMBER] <= _FIRST_CUSTOMERS).to_numpy()]
        cheapest = first[(first["unit_price"] == first["unit_price"].min()).to_numpy()]
        back = sold[self._hits("unmatched_returns", sold)]
        off = sold[self._hits("write_offs", sold)]
        made = {
            "unmatched_returns": return_unbought(self.draws, back, self.goods(month), self._was_bought),
            "write_offs": write_off(self.draws, off),
            "giant_orders": self._once(order_giant, "giant_orders", cheapest, month),
            "adjustments": self._once(adjust, "adjustments", first, month),
        }
        marked = {fault: self._mark(frame, fault, kept=0) for fault, frame in made.items()}
        return list((marked | {"write_offs": self._note(marked["write_offs"])}).values())

    def _note(self, off: pd.DataFrame) -> pd.DataFrame:
        """Change the texts of written-off lines, where there are texts."""
        if not self.settings.has_texts:
            return off
        texts, hits = note_texts(self.draws, self.settings, off)
        struck = sum(hit * _BITS[fault] for fault, hit in hits.items())
        return off.assign(product_name=texts, **{_MARKS: off[_MARKS] | struck})

    def _once(
        self, make: Callable[[Draws, pd.DataFrame], pd.DataFrame], fault: str, lines: pd.DataFrame, month: str
    ) -> pd.DataFrame:
        """Make what happens at most once a month of one of the lines, or nothing."""
        import numpy as np

        key = np.array([int(month.replace("-", ""))], dtype=np.int64)
        if lines.empty or self.draws.uniform(f"fault {fault}", key)[0] >= self.settings.rate(fault):
            return lines.iloc[:0]
        chosen = int(self.draws.uniform(f"row of {fault}", lines[LINE_KEY].to_numpy()).argmin())
        return make(self.draws, lines.iloc[[chosen]])

    def _charge(self, lines: pd.DataFrame) -> pd.DataFrame:
        """Add a line of postage, fees or tests to some orders that have a customer."""
        orders = lines[ORDER_NUMBER].where((lines[LINE_KEY] & 1) == 0, -1)
        first = lines[(~orders.duplicated() & (orders >= 0) & lines["customer_id"].notna()).to_numpy()]
        hits = self._hits("non_product_lines", first, by_order=True, eligible=1 - self.settings.rate("guests"))
        return self._mark(charge(self.draws, first[hits]), "non_product_lines", kept=_BITS["odd_countries"])

    def _choose_redelivered(self, lines: pd.DataFrame, month: str) -> pd.Series:
        """Choose the orders that the next month's file holds again, with all that was added to them."""
        import pandas as pd

        end = pd.Timestamp(f"{month}-01") + pd.offsets.MonthBegin(1)
        is_last = (lines["order_at"] >= end - pd.Timedelta(days=_LAST_DAYS)).to_numpy()
        return lines["order_id"][self._hits("redelivered", lines, by_order=True) & is_last]

    def _has_number(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self.draws.uniform("number id", numbers) < self.settings.rate("mixed_ids")

    def _write_numbers(self, lines: pd.DataFrame) -> pd.DataFrame:
        """Give some customers an id that is a number, which some of their orders write with a decimal."""
        if self.settings.rate("mixed_ids") == 0:
            return lines
        hits = self._has_number(lines[CUSTOMER_NUMBER].to_numpy()) & lines["customer_id"].notna().to_numpy()
        is_decimal = hits & self._hits("decimal_ids", lines, by_order=True)
        ids = _as_number(lines["customer_id"], hits)
        ids[is_decimal] = ids[is_decimal] + ".0"
        marks = lines[_MARKS].to_numpy() | hits * _BITS["mixed_ids"] | is_decimal * _BITS["decimal_ids"]
        return lines.assign(customer_id=ids, **{_MARKS: marks})

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


def _as_number(ids: pd.Series, hits: NDArray[np.bool_]) -> pd.Series:
    """Write some ids as numbers; guests have none."""
    ids = ids.astype(object)
    ids[hits] = "1" + ids[hits].str[1:]
    return ids
