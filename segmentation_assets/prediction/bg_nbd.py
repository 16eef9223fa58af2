"""BG/NBD: customers may leave after any repeat order, and are there for certain before it."""

from __future__ import annotations

from typing import ClassVar

from segmentation_assets.prediction.beta_geometric import BetaGeometricProcess


class BgNbd(BetaGeometricProcess):
    """The BG/NBD.

    Notes
    -----
    One who ordered once cannot have left: P(alive) is 1 however long ago that was. Expected orders do not suffer much,
    since a low rate of orders explains the silence instead, but probabilities to be alive should be taken from the
    MBG/NBD or the Pareto/NBD.

    References
    ----------
    Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way, doi:10.1287/mksc.1040.0098.
    """

    name: ClassVar[str] = "bg_nbd"
    label: ClassVar[str] = "BG/NBD"
    chances_at_birth: ClassVar[int] = 0
