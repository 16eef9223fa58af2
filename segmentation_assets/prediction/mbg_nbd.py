"""MBG/NBD: customers may leave after any order, the first one too."""

from __future__ import annotations

from typing import ClassVar

from segmentation_assets.prediction.beta_geometric import BetaGeometricProcess


class MbgNbd(BetaGeometricProcess):
    """The MBG/NBD.

    References
    ----------
    Batislam, Denizel, Filiztekin (2007), Empirical Validation and Comparison of Models for Customer Base Analysis,
    doi:10.1016/j.ijresmar.2006.12.005.
    Hoppe, Wagner (2007), Customer Base Analysis: The Case for a Central Variant of the Betageometric/NBD Model,
    Marketing - Journal of Research and Management 3, 75-90.
    """

    name: ClassVar[str] = "mbg_nbd"
    label: ClassVar[str] = "MBG/NBD"
    chances_at_birth: ClassVar[int] = 1
