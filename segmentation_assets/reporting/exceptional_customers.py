"""What the dashboard says of exceptional customers: those that the model in force puts into no segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segmentation_assets.errors import plural
from segmentation_assets.reporting.formatting import format_share
from segmentation_assets.reporting.noise_profile import profile_noise
from segmentation_assets.segments.assignment import EXCEPTIONAL, NO_PURCHASES

if TYPE_CHECKING:
    from segmentation_assets.reporting.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class ExceptionalCustomers:
    """Customers whom the model calls noise, or puts into a cluster too small to be a segment.

    Parameters
    ----------
    customer_count : int
    customer_share : float
        Of the customers that the model judges: those with a sale in the lookback.
    net_revenue_amount, net_revenue_share : float or None
        Of the same customers; None where it is not known, or where there is nothing to share out.
    groups : tuple of (str, int)
        Who they may be, in words, and how many; only groups that hold somebody.
    """

    customer_count: int
    customer_share: float
    net_revenue_amount: float | None
    net_revenue_share: float | None
    groups: tuple[tuple[str, int], ...]

    @property
    def sentence(self) -> str:
        """How many they are, what they spend and why they are in no segment."""
        money = (
            ""
            if self.net_revenue_share is None
            else f", with {format_share(self.net_revenue_share)} of the net revenue"
        )
        who = f"{plural(self.customer_count, 'customer')} ({format_share(self.customer_share)} of all{money})"
        if self.customer_count == 1:
            return f"{who} is in no segment, as it resembles none that is large enough."
        return f"{who} are in no segment, as they resemble none that is large enough."


def describe_exceptional(snapshot: Snapshot) -> ExceptionalCustomers | None:
    """Describe the exceptional customers of a month.

    Parameters
    ----------
    snapshot : Snapshot

    Returns
    -------
    ExceptionalCustomers or None
        None where there are none.
    """
    states = snapshot.customer_segments.set_index("customer_id")["state"].astype(str)
    judged = states[states != NO_PURCHASES].sort_index()
    is_exceptional = judged == EXCEPTIONAL
    if not is_exceptional.any():
        return None
    features = snapshot.features.set_index("customer_id").reindex(judged.index)
    amount: float | None = None
    share: float | None = None
    groups: tuple[tuple[str, int], ...] = ()
    if "net_revenue_amount" in features.columns:
        revenue = features["net_revenue_amount"].astype("float64").fillna(0.0)
        total, amount = float(revenue.sum()), float(revenue[is_exceptional].sum())
        share = amount / total if total > 0 else None
        found = profile_noise(features, is_exceptional.to_numpy())
        groups = tuple((row["words"], row["customer_count"]) for row in found if row["customer_count"])
    return ExceptionalCustomers(
        customer_count=int(is_exceptional.sum()),
        customer_share=float(is_exceptional.mean()),
        net_revenue_amount=amount,
        net_revenue_share=share,
        groups=groups,
    )
