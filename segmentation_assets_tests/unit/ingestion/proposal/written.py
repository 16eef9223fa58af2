"""Small files as texts, and what is proposed for them."""

from __future__ import annotations

import datetime as dt

from segmentation_assets.ingestion.proposal.pieces import pieces_of
from segmentation_assets.ingestion.proposal.propose import Proposal, propose_settings
from segmentation_assets.ingestion.proposal.sample import FileSample, SampledColumn
from segmentation_assets.ingestion.proposal.sampling import sample_text

TODAY = dt.date(2026, 1, 1)

ORDERS = """\
InvoiceNo,InvoiceDate,CustomerID,StockCode,Quantity,UnitPrice
1,2024-01-30 08:26:00,13085,85123A,6,2.55
2,2024-04-02 09:00:00,13086,71053,1,3.39
"""


def sample_of(text: str, name: str = "orders.csv", encoding: str = "utf-8") -> FileSample:
    return sample_text(pieces_of(text.encode(encoding)), name)


def propose(*, beside: tuple[str, ...] = (), today: dt.date = TODAY, **texts: str) -> Proposal:
    """Propose settings for CSV files, named without their ending."""
    samples = {f"{name}.csv": sample_of(text, f"{name}.csv") for name, text in texts.items()}
    return propose_settings(samples, (*samples, *beside), today)


def column(*values: str | None, name: str = "a", dtype: str = "VARCHAR") -> SampledColumn:
    return SampledColumn(name, dtype, values, tuple(range(1, len(values) + 1)))
