"""The platform's parts for a notebook or a script of one's own: no Dagster, no data folder, frames in and frames out.

`docs/clustering.md` shows them together. Nothing is computed here: every function calls what the
platform's assets call.
"""

from segmentation_assets.api.clusterings import compare, evaluate, make_clusterer, prepare_matrix
from segmentation_assets.api.segments import EnrichedClusters, enrich, export
from segmentation_assets.api.shop import GeneratedShop, ShopTruth, generate_shop

__all__ = [
    "EnrichedClusters",
    "GeneratedShop",
    "ShopTruth",
    "compare",
    "enrich",
    "evaluate",
    "export",
    "generate_shop",
    "make_clusterer",
    "prepare_matrix",
]
